//! Where the objects survive: one crash-safe file, or memory for tests.

mod backend;
mod error;
mod file;
mod holder;
mod open;
mod rows;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use apimachinery::Status;

use crate::Object;
use crate::store::Change;
pub use error::OpenError;
pub(crate) use file::File;

/// What keeps changes.
pub(crate) trait Persist: Send + 'static {
    /// Makes all of these durable, or none. They are in the order of their versions.
    ///
    /// # Errors
    /// Why they are not. The next commit is tried all the same: space may be there again.
    fn commit(&mut self, changes: &[Change]) -> Result<(), CommitError>;

    /// Whether a commit waits for a disk.
    fn blocks(&self) -> bool;
}

/// The version that a new store begins at. Not 0, which would mean "any" to a client that lists an empty store and watches from
/// there; and high enough that 1, which people ask for when they mean something long gone, is long gone.
const FIRST_VERSION: u64 = 100;

/// What was kept.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The version of the last change.
    pub(crate) version: u64,
    /// By resource.
    pub(crate) objects: Vec<(Arc<str>, Object)>,
}

impl Default for Loaded {
    fn default() -> Self {
        Self { version: FIRST_VERSION, objects: Vec::new() }
    }
}

/// Why changes are not durable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("no space is left for {0}")]
    NoSpace(String),
    #[error("{0}")]
    Failed(String),
}

impl CommitError {
    /// What the writers are told.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::NoSpace(_) => Status::insufficient_storage(self),
            Self::Failed(_) => Status::internal(format!("the object was not stored: {self}")),
        }
    }
}

/// Keeps nothing: the store ends with the process.
pub(crate) struct Memory;

impl Persist for Memory {
    fn commit(&mut self, _changes: &[Change]) -> Result<(), CommitError> {
        Ok(())
    }

    fn blocks(&self) -> bool {
        false
    }
}
