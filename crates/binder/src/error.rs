//! What can go wrong while acting, how loud that is, and when it is tried again. Nothing here calls a driver.

use cluster::drive::{ActError, Level, Requeue};

/// One variant per kind of attempt; the cause is in the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot {attempt} {object}")]
    Api {
        /// Verb and kind.
        attempt: &'static str,
        object: String,
        #[source]
        source: kube::Error,
    },
    #[error("{object} went while it was worked on")]
    Went { object: String },
    /// The API server knows better than our cache; the watch will bring it.
    #[error("{object} is not what the cache says")]
    Behind { object: String },
}

impl Error {
    /// A precondition did not hold: the object is not what our cache says. A failed `test` of a JSON patch is 422.
    fn is_stale(&self) -> bool {
        match self {
            Error::Api { source: kube::Error::Api(status), .. } => matches!(status.code, 404 | 409 | 422),
            Error::Api { .. } => false,
            Error::Went { .. } | Error::Behind { .. } => true,
        }
    }
}

impl ActError for Error {
    fn word(&self) -> &'static str {
        match self {
            Error::Api { .. } => "KubernetesApi",
            Error::Went { .. } => "Went",
            Error::Behind { .. } => "Behind",
        }
    }

    fn requeue(&self) -> Requeue {
        match self {
            Error::Api { .. } | Error::Went { .. } | Error::Behind { .. } => Requeue::Backoff,
        }
    }

    fn level(&self) -> Level {
        if self.is_stale() { Level::Debug } else { Level::Warn }
    }
}
