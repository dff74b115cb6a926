//! What can go wrong between a description and what runs.

use std::io;

/// One variant per attempt; the cause is in the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot {attempt}")]
    Host {
        attempt: String,
        #[source]
        source: io::Error,
    },
    #[error("its user {user:?} is not in /etc/passwd; make the user, or name another one")]
    NoUser { user: String },
    #[error("{attempt}: docker said: {said}")]
    Docker { attempt: String, said: String },
}

impl Error {
    pub(crate) fn host(attempt: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let attempt = attempt.into();
        move |source| Self::Host { attempt, source }
    }

    /// With its cause.
    pub(crate) fn told(&self) -> String {
        match std::error::Error::source(self) {
            Some(cause) => format!("{self}: {cause}"),
            None => self.to_string(),
        }
    }
}
