//! What can go wrong, and which gRPC code says so.

use std::io;
use std::path::{Path, PathBuf};

use tonic::{Code, Status};

/// Everything a call of this driver can answer instead of a response. Each sentence names the object and who acts next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is wrong; repeating it cannot help.
    #[error("{0}")]
    Invalid(String),
    /// The volume, snapshot, node or path does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken by something else, or the path is published another way.
    #[error("{0}")]
    Exists(String),
    /// The request is right but the state of the volume forbids it.
    #[error("{0}")]
    Precondition(String),
    /// No size satisfies both the request and the filesystem.
    #[error("{0}")]
    OutOfRange(String),
    /// Not enough room, or not the right place.
    #[error("{0}")]
    Exhausted(String),
    /// Another call works on the same object.
    #[error("{0} is busy with another call; repeat this one when that has ended")]
    Busy(String),
    /// A page token this driver did not hand out.
    #[error("starting_token {0:?} is none that this driver gave out; list again without a token")]
    Token(String),
    /// A program of the host is missing.
    #[error("{program} is not installed on this host; install the Debian package {package}")]
    MissingProgram {
        /// What was to be run.
        program: &'static str,
        /// Where Debian has it.
        package: &'static str,
    },
    /// A program of the host failed.
    #[error("{program} failed on {target}: {said}")]
    Program {
        /// What was run.
        program: &'static str,
        /// On what.
        target: String,
        /// The end of its stderr.
        said: String,
    },
    /// A record on disk cannot be read as one.
    #[error("the record {} cannot be used ({why}); restore it, or move its directory away by hand", path.display())]
    Record {
        /// The record's file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The kernel refused something.
    #[error("cannot {attempt} {}: {source}", path.display())]
    Io {
        /// A verb phrase.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// The crate's result.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The gRPC code that the CSI specification gives this news.
    pub fn code(&self) -> Code {
        match self {
            Error::Invalid(_) => Code::InvalidArgument,
            Error::NotFound(_) => Code::NotFound,
            Error::Exists(_) => Code::AlreadyExists,
            Error::Precondition(_) | Error::MissingProgram { .. } => Code::FailedPrecondition,
            Error::OutOfRange(_) => Code::OutOfRange,
            Error::Exhausted(_) => Code::ResourceExhausted,
            Error::Busy(_) | Error::Token(_) => Code::Aborted,
            Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => Code::ResourceExhausted,
            Error::Io { source, .. } if source.kind() == io::ErrorKind::ResourceBusy => Code::FailedPrecondition,
            Error::Program { .. } | Error::Record { .. } | Error::Io { .. } => Code::Internal,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        Status::new(error.code(), error.to_string())
    }
}

/// Turns an `io::Error` into ours: `file.sync_all().map_err(io_error("sync", path))?`.
pub(crate) fn io_error<E: Into<io::Error>>(attempt: &'static str, path: impl AsRef<Path>) -> impl FnOnce(E) -> Error {
    move |source| Error::Io { attempt, path: path.as_ref().to_owned(), source: source.into() }
}
