//! What `docker volume create -o …` says: a few names are ours, all others are the driver's parameters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csi_types::{Bytes, Quantity, QuantityError};

use crate::access::{mode_name, mode_names, parse_mode};
use crate::record::Asked;

/// Why options cannot be honoured. Never holds a secret: there is none in options.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// Not a size.
    #[error("option size is {text:?}: {why}; write 10 for 10 GiB, or a unit: 512Mi, 10G, 1073741824B")]
    Size {
        /// As it was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not an access mode.
    #[error("option accessMode is {text:?}, expected one of {expected}")]
    AccessMode {
        /// As it was given.
        text: String,
        /// All there are.
        expected: String,
    },
    /// Raw devices are no directories.
    #[error("option accessType is {0:?}: Docker mounts directories, so only mount is possible")]
    AccessType(String),
    /// Twice, in different spellings.
    #[error("the options {first:?} and {second:?} mean the same; give one of them")]
    Twice {
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// A relative path with nothing to be relative to, or one that climbs.
    #[error("option secretsFile is {0:?}: expected an absolute path, or the name of a file in {1}")]
    SecretsFile(String, String),
    /// An empty id.
    #[error("option id is empty: give the id of a volume that the driver has, or leave the option out")]
    NoId,
    /// A volume that exists has its size.
    #[error("options id and size cannot be given together: the volume exists already")]
    SizeOfGiven,
}

/// The names that are ours, in any case. `fstype` and `size` are REX-Ray's, too.
const OURS: [&str; 7] = ["size", "fsType", "accessMode", "accessType", "mountFlags", "secretsFile", "id"];

/// Reads the options. Relative secrets files are in `secrets_dir`. Pure.
///
/// # Errors
/// The first option that cannot be honoured.
pub fn read(options: &BTreeMap<String, String>, secrets_dir: &Path) -> Result<Asked, OptionError> {
    let mut asked = Asked::default();
    let mut spelled: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, value) in options {
        let Some(ours) = OURS.into_iter().find(|ours| ours.eq_ignore_ascii_case(key)) else {
            asked.parameters.insert(key.clone(), value.clone());
            continue;
        };
        if let Some(first) = spelled.insert(ours, key) {
            return Err(OptionError::Twice { first: first.to_owned(), second: key.clone() });
        }
        let value = value.trim();
        match ours {
            "size" => asked.required = size(value)?,
            "fsType" => asked.fs_type = value.to_owned(),
            "accessMode" => {
                let refused = || OptionError::AccessMode { text: value.to_owned(), expected: mode_names() };
                asked.access_mode = mode_name(parse_mode(value).ok_or_else(refused)?).to_owned();
            }
            "accessType" if value.eq_ignore_ascii_case("mount") => {}
            "accessType" => return Err(OptionError::AccessType(value.to_owned())),
            "mountFlags" => asked.mount_flags = flags(value),
            "secretsFile" => asked.secrets_file = Some(secrets_file(value, secrets_dir)?),
            _ if value.is_empty() => return Err(OptionError::NoId),
            _ => asked.given = Some(value.into()),
        }
    }
    if asked.given.is_some() && asked.required != Bytes(0) {
        return Err(OptionError::SizeOfGiven);
    }
    Ok(asked)
}

/// Between commas.
fn flags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|flag| !flag.is_empty()).map(str::to_owned).collect()
}

fn secrets_file(text: &str, dir: &Path) -> Result<PathBuf, OptionError> {
    let path = Path::new(text);
    let plain = path.components().all(|part| !matches!(part, std::path::Component::ParentDir));
    if text.is_empty() || !plain {
        return Err(OptionError::SecretsFile(text.to_owned(), dir.display().to_string()));
    }
    Ok(dir.join(path))
}

/// The most GiB that a bare number may mean: somebody who writes more means bytes.
const MOST_GIB: u64 = 1 << 20;

/// A bare number is GiB, as REX-Ray has it; else a quantity as Kubernetes writes it, with `B`, `KiB`, `KB` and so on as well.
fn size(text: &str) -> Result<Bytes, OptionError> {
    let refused = |why: String| OptionError::Size { text: text.to_owned(), why };
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return match text.parse::<u64>() {
            Ok(gib) if gib <= MOST_GIB => Ok(Bytes(gib << 30)),
            _ => Err(refused(format!("a number without a unit means GiB, and {text} of them is more than {MOST_GIB}"))),
        };
    }
    let unit = text.strip_suffix(['b', 'B']).unwrap_or(text);
    let unit = match unit.strip_suffix('K') {
        // Kubernetes writes k.
        Some(number) => format!("{number}k"),
        None => unit.to_owned(),
    };
    let bytes = Quantity::parse(&unit).and_then(Quantity::bytes).map_err(|error: QuantityError| refused(error.to_string()))?;
    if bytes == Bytes(0) { Err(refused("it is nothing".to_owned())) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests;
