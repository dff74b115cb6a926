//! The file name of a record. It says by itself whose record it is, so that a record with no readable content still keeps
//! its volume reported in use.

use crate::paths::{VolumeKey, sha256_hex};

/// Most filesystems take 255 bytes; the rest is for endings and temporary names.
const LONGEST: usize = 200;
const HASHED: &str = "sha256-";

/// What a file name says about its volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The volume itself.
    Volume(VolumeKey),
    /// Too long for a name: its hash. Enough to recognise it when the Node's status names it.
    Hash(String),
}

impl Identity {
    /// Whether this may be that volume.
    pub fn is(&self, key: &VolumeKey) -> bool {
        match self {
            Identity::Volume(known) => known == key,
            Identity::Hash(hash) => *hash == sha256_hex([key.as_str()]),
        }
    }
}

/// The name without its ending. Letters, digits, `-`, `_` and `.` (not the first) stand for themselves, other bytes as `%XX`.
pub fn file_name(key: &VolumeKey) -> String {
    let mut name = String::with_capacity(key.as_str().len());
    for (i, byte) in key.as_str().bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if i > 0 => name.push('.'),
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    if name.len() > LONGEST || name.starts_with(HASHED) { format!("{HASHED}{}", sha256_hex([key.as_str()])) } else { name }
}

/// Undoes [`file_name`]; `None` for a name that it does not make.
pub fn identity(name: &str) -> Option<Identity> {
    if let Some(hash) = name.strip_prefix(HASHED) {
        return Some(Identity::Hash(hash.to_owned()));
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let key = VolumeKey::parse(&String::from_utf8(bytes).ok()?);
    (file_name(&key) == name).then_some(Identity::Volume(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_handle_is_known_by_its_hash() {
        let key = VolumeKey::parse(&format!("kubernetes.io/csi/d^{}", "x".repeat(300)));
        let name = file_name(&key);
        assert!(name.len() <= LONGEST);
        assert!(identity(&name).is_some_and(|identity| identity.is(&key)));
    }

    proptest! {
        #[test]
        fn a_name_says_whose_record_it_is(text in "\\PC{0,80}") {
            let key = VolumeKey::parse(&text);
            let name = file_name(&key);
            prop_assert!(!name.contains('/') && !name.starts_with('.') && name.is_ascii());
            prop_assert!(identity(&name).is_some_and(|identity| identity.is(&key)));
        }
    }
}
