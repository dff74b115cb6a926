//! Secrets: named, or spelled out by a document.

use std::fmt;

use zeroize::Zeroize;

/// A value that nothing shows. Overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Hidden(Vec<u8>);

impl Hidden {
    /// Takes the bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for the one place that sends or writes them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Where a secret's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretValue {
    /// A secret store has it.
    Reference {
        /// Its name or path there, as written.
        name: String,
        /// One entry of it. `None`: all of it is the value.
        key: Option<String>,
    },
    /// The document spells it out.
    Value(Hidden),
}

impl SecretValue {
    /// All of a secret in the store.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Reference { name: name.into(), key: None }
    }
}
