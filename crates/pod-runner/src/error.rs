//! What can go wrong while acting, how loud that is, and when it is tried again.

use std::io;

use cluster::drive::{ActError, Level, Requeue};

/// One variant per attempt; the cause is in the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Something that the pod names is missing or wrong. A person, or another object, has to come first.
    #[error("container {container}: {why}")]
    Configuration { container: String, why: String },
    #[error("cannot start container {container}")]
    Start {
        container: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot {attempt} {object}")]
    Api {
        attempt: &'static str,
        object: String,
        #[source]
        source: kube::Error,
    },
    #[error("cannot remove the folder of the pod's containers")]
    RemoveFolder(#[source] io::Error),
}

impl ActError for Error {
    fn word(&self) -> &'static str {
        match self {
            Self::Configuration { .. } => "CreateContainerConfigError",
            Self::Start { .. } => "RunContainerError",
            Self::Api { .. } => "Api",
            Self::RemoveFolder(_) => "RemoveFolder",
        }
    }

    fn requeue(&self) -> Requeue {
        match self {
            // The pod does not change; what it names may appear.
            Self::Configuration { .. } | Self::Start { .. } | Self::Api { .. } | Self::RemoveFolder(_) => Requeue::Backoff,
        }
    }

    fn level(&self) -> Level {
        match self {
            Self::Configuration { .. } | Self::Start { .. } | Self::RemoveFolder(_) => Level::Warn,
            // Someone else wrote first; the watch brings what.
            Self::Api { source, .. } if cluster::live::is_conflict(source) || cluster::live::is_not_found(source) => Level::Debug,
            Self::Api { .. } => Level::Warn,
        }
    }
}
