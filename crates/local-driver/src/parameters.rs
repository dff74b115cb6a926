//! The parameters of a StorageClass, and the attributes of an inline volume.

use std::collections::BTreeMap;

use crate::error::{Error, Result};
use crate::store::record::Kind;

/// Keys that a provisioner adds with `--extra-create-metadata`, or a kubelet with podInfoOnMount. They decide nothing here.
const METADATA_PREFIX: &str = "csi.storage.k8s.io/";

const KNOWN: &str = "type (directory or loop), allocate (sparse or full)";

/// What a class says about its volumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// `None`: loop, unless the content source says otherwise.
    pub(crate) kind: Option<Kind>,
    /// Whether the image's blocks are taken at once.
    pub(crate) full: bool,
    /// What was written, without the metadata: two requests for one name must agree on it.
    pub(crate) given: BTreeMap<String, String>,
}

impl Parameters {
    /// Reads a class. An unknown key is an error: a misspelled one would otherwise be ignored for the volume's whole life.
    pub(crate) fn of(parameters: &BTreeMap<String, String>) -> Result<Parameters> {
        let mut read = Parameters { kind: None, full: false, given: BTreeMap::new() };
        for (key, value) in parameters.iter().filter(|(key, _)| !key.starts_with(METADATA_PREFIX)) {
            match (key.as_str(), value.as_str()) {
                ("type", "directory") => read.kind = Some(Kind::Directory),
                ("type", "loop") => read.kind = Some(Kind::Loop),
                ("allocate", "sparse") => read.full = false,
                ("allocate", "full") => read.full = true,
                ("type" | "allocate", other) => {
                    return Err(Error::Invalid(format!("parameter {key} is {other:?}; known are {KNOWN}; correct the class")));
                }
                _ => return Err(Error::Invalid(format!("parameter {key:?} is unknown; known are {KNOWN}; correct the class"))),
            }
            read.given.insert(key.clone(), value.clone());
        }
        if read.kind == Some(Kind::Directory) && read.full {
            return Err(Error::Invalid("allocate: full needs type: loop; a directory has no blocks of its own".to_owned()));
        }
        Ok(read)
    }
}

/// The size attribute of an inline volume, such as `512Mi`, `10G` or `1048576`.
pub(crate) fn size(text: &str) -> Result<u64> {
    const SUFFIXES: [(&str, u64); 10] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("Pi", 1 << 50),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("P", 1_000_000_000_000_000),
    ];
    let (digits, unit) =
        SUFFIXES.iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit))).unwrap_or((text, 1));
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse::<u64>().ok()?.checked_mul(unit)).flatten().ok_or_else(|| {
        Error::Invalid(format!("attribute size is {text:?}; write a whole number of bytes, or one with Ki, Mi, Gi, k, M, G…"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Parameters> {
        Parameters::of(&pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn an_unknown_key_or_value_is_named_with_what_is_known() {
        for pairs in [[("typ", "loop")], [("type", "lvm")], [("allocate", "thin")]] {
            let error = of(&pairs).unwrap_err().to_string();
            assert!(error.contains(pairs[0].0) && error.contains("allocate (sparse or full)"), "{error}");
        }
    }

    #[test]
    fn metadata_of_the_claim_decides_nothing() {
        let with = of(&[("type", "directory"), ("csi.storage.k8s.io/pvc/name", "a")]).unwrap();
        assert_eq!(with, of(&[("type", "directory")]).unwrap());
    }

    #[test]
    fn a_directory_cannot_be_preallocated() {
        assert!(of(&[("type", "directory"), ("allocate", "full")]).is_err());
        assert!(of(&[("type", "loop"), ("allocate", "full")]).unwrap().full);
    }

    #[test]
    fn sizes_are_read_as_kubernetes_writes_them() {
        assert_eq!(size("64Mi").unwrap(), 64 << 20);
        assert_eq!(size("10G").unwrap(), 10_000_000_000);
        assert_eq!(size("4096").unwrap(), 4096);
        for bad in ["", "Mi", "-1", "1.5Gi", "+1", "99999999999Pi", "1 Gi"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
