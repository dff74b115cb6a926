//! A Docker volume's name, which is also the name that CreateVolume is given.

use std::fmt;

/// Docker's own volumes have two characters at least; CSI takes 128 bytes.
const LONGEST: usize = 128;

/// A name. Not necessarily one that Docker would make: volumes made over CSI have whatever name they were given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(transparent)]
pub struct Name(Box<str>);

/// A name that a new volume cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name for a volume: expected a letter or digit and then letters, digits, `_`, `.` or `-`, 128 characters at most"
)]
pub struct NameError(String);

impl Name {
    /// A name for a new volume.
    ///
    /// # Errors
    /// It is not of Docker's pattern, `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, or too long for CSI. Docker checks names of its own
    /// volumes only.
    pub fn new_volume(text: &str) -> Result<Self, NameError> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let fine = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric()) && text.bytes().all(inner);
        if fine && text.len() <= LONGEST { Ok(Self(text.into())) } else { Err(NameError(text.to_owned())) }
    }

    /// The name as it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl journal::Key for Name {
    fn parse(text: &str) -> Self {
        text.into()
    }
    fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_volumes_name_is_of_dockers_pattern() {
        for good in ["data", "My-New_Volume.1", "a"] {
            assert!(Name::new_volume(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", ".", "..", "a/b", "a b", "ä", &"x".repeat(129)] {
            assert!(Name::new_volume(bad).is_err(), "{bad}");
        }
    }
}
