//! The file name of a record. It says by itself whose record it is, so that a record with no readable content is still known
//! to be about something.

use crate::Key;
use crate::codec::sha256_hex;

/// Most filesystems take 255 bytes; the rest is for endings and temporary names.
const LONGEST: usize = 200;
const HASHED: &str = "sha256-";

/// What a file name says about whose record it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity<K> {
    /// The key itself.
    Key(K),
    /// Too long for a name: its hash. Enough to recognise it when something else names it.
    Hash(String),
}

impl<K: Key> Identity<K> {
    /// Whether this may be that one's.
    pub fn is(&self, key: &K) -> bool {
        match self {
            Identity::Key(known) => known == key,
            Identity::Hash(hash) => *hash == sha256_hex(key.as_str()),
        }
    }
}

/// The name without its ending. Letters, digits, `-`, `_` and `.` (not the first) stand for themselves, other bytes as `%XX`.
pub fn file_name<K: Key>(key: &K) -> String {
    let mut name = String::with_capacity(key.as_str().len());
    for (i, byte) in key.as_str().bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if i > 0 => name.push('.'),
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    if name.len() > LONGEST || name.starts_with(HASHED) { format!("{HASHED}{}", sha256_hex(key.as_str())) } else { name }
}

/// Undoes [`file_name`]; `None` for a name that it does not make.
pub fn identity<K: Key>(name: &str) -> Option<Identity<K>> {
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
    let key = K::parse(&String::from_utf8(bytes).ok()?);
    (file_name(&key) == name).then_some(Identity::Key(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Name;
    use proptest::prelude::*;

    #[test]
    fn a_long_key_is_known_by_its_hash() {
        let key = Name::parse(&format!("kubernetes.io/csi/d^{}", "x".repeat(300)));
        let name = file_name(&key);
        assert!(name.len() <= LONGEST);
        assert!(identity(&name).is_some_and(|identity| identity.is(&key)));
    }

    proptest! {
        #[test]
        fn a_name_says_whose_record_it_is(text in "\\PC{0,80}") {
            let key = Name::parse(&text);
            let name = file_name(&key);
            prop_assert!(!name.contains('/') && !name.starts_with('.') && name.is_ascii());
            prop_assert!(identity(&name).is_some_and(|identity| identity.is(&key)));
        }
    }
}
