//! Why a file cannot be opened, or written.

use std::io;
use std::path::{Path, PathBuf};

use super::CommitError;

/// Why a store cannot be opened. Nothing was touched.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum OpenError {
    #[error("cannot {attempt} {}: {source}", .path.display())]
    Io { path: PathBuf, attempt: &'static str, source: io::Error },
    #[error("{} is in use by {holder}; stop it, or choose another data directory", .path.display())]
    InUse { path: PathBuf, holder: String },
    #[error("{} is not a store of objects: {why}. It was left as it is; choose another path, or move it away", .path.display())]
    Foreign { path: PathBuf, why: String },
    #[error(
        "{} was written in format {found}, and this program knows format {known}. It was left as it is; use a program of the version that wrote it",
        .path.display()
    )]
    Format { path: PathBuf, found: u128, known: u128 },
    #[error("{} is damaged: {why}. It was left as it is; put a copy in its place, or move it away to begin anew", .path.display())]
    Corrupt { path: PathBuf, why: String },
}

impl OpenError {
    pub(super) fn io<'a>(path: &'a Path, attempt: &'static str) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::Io { path: path.to_owned(), attempt, source }
    }

    pub(super) fn foreign(path: &Path, why: impl Into<String>) -> Self {
        Self::Foreign { path: path.to_owned(), why: why.into() }
    }

    pub(super) fn corrupt(path: &Path, why: impl ToString) -> Self {
        Self::Corrupt { path: path.to_owned(), why: why.to_string() }
    }
}

impl CommitError {
    /// What became of a commit to this file.
    pub(super) fn of(path: &Path, error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
                Self::NoSpace(path.display().to_string())
            }
            error => Self::Failed(format!("{}: {error}", path.display())),
        }
    }
}
