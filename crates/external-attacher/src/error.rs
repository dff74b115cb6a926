//! What can go wrong while acting, how loud that is, and when it is tried again.

use cluster::drive::{ActError, Level, Requeue};
use cluster::live::SecretError;
use csi_client::CallError;
use csi_types::{Code, NodeId, VolumeHandle};

/// One variant per attempt; the cause is in the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot attach volume {handle} to node {node}")]
    ControllerPublishVolume {
        handle: VolumeHandle,
        node: NodeId,
        #[source]
        source: CallError,
    },
    #[error("cannot detach volume {handle} from node {node}")]
    ControllerUnpublishVolume {
        handle: VolumeHandle,
        node: NodeId,
        #[source]
        source: CallError,
    },
    #[error("the controller publish secret of PersistentVolume {volume}")]
    Secret {
        volume: String,
        #[source]
        source: SecretError,
    },
    #[error("cannot {attempt} {object}")]
    Api {
        /// Verb and kind.
        attempt: &'static str,
        object: String,
        #[source]
        source: kube::Error,
    },
    #[error("cannot mark VolumeAttachment {attachment} as attached")]
    MarkAttached {
        attachment: String,
        #[source]
        source: kube::Error,
    },
    #[error("{object} went while it was worked on")]
    Went { object: String },
    #[error("PersistentVolume {volume} went while attachment {attachment} was worked on")]
    VolumeWent { volume: String, attachment: String },
    #[error("the lease was lost while VolumeAttachment {attachment} was worked on: whoever leads goes on")]
    NotLeading { attachment: String },
}

impl Error {
    /// What status.attachError.errorCode carries.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Error::ControllerPublishVolume { source, .. } | Error::ControllerUnpublishVolume { source, .. } => Some(source.code),
            Error::Secret { .. }
            | Error::Api { .. }
            | Error::MarkAttached { .. }
            | Error::Went { .. }
            | Error::VolumeWent { .. }
            | Error::NotLeading { .. } => None,
        }
    }

    /// Whether the user sees it in the attachment's status. Upstream: a failure to mark it as attached is not. Nor is what only
    /// says that our cache was old.
    pub(crate) fn is_reported(&self) -> bool {
        match self {
            Error::ControllerPublishVolume { .. } | Error::ControllerUnpublishVolume { .. } | Error::Secret { .. } => true,
            Error::Api { source, .. } => !is_stale(source),
            Error::MarkAttached { .. } | Error::Went { .. } | Error::VolumeWent { .. } | Error::NotLeading { .. } => false,
        }
    }
}

/// A precondition did not hold: the object is not what our cache says. A failed `test` of a JSON patch is 422.
fn is_stale(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 404 | 409 | 422))
}

impl ActError for Error {
    fn word(&self) -> &'static str {
        match self {
            Error::ControllerPublishVolume { source, .. } | Error::ControllerUnpublishVolume { source, .. } => source.code.name(),
            Error::Secret { .. } => "Secret",
            Error::Api { .. } | Error::MarkAttached { .. } => "KubernetesApi",
            Error::Went { .. } => "Went",
            Error::VolumeWent { .. } => "VolumeWent",
            Error::NotLeading { .. } => "NotLeading",
        }
    }

    fn requeue(&self) -> Requeue {
        match self {
            // The watch brings what our cache did not know.
            Error::VolumeWent { .. } => Requeue::OnChange,
            Error::ControllerPublishVolume { .. }
            | Error::ControllerUnpublishVolume { .. }
            | Error::Secret { .. }
            | Error::Api { .. }
            | Error::MarkAttached { .. }
            | Error::Went { .. }
            | Error::NotLeading { .. } => Requeue::Backoff,
        }
    }

    fn level(&self) -> Level {
        match self {
            Error::Api { source, .. } | Error::MarkAttached { source, .. } if is_stale(source) => Level::Debug,
            Error::Went { .. } | Error::VolumeWent { .. } | Error::NotLeading { .. } => Level::Debug,
            Error::ControllerPublishVolume { .. }
            | Error::ControllerUnpublishVolume { .. }
            | Error::Secret { .. }
            | Error::Api { .. }
            | Error::MarkAttached { .. } => Level::Warn,
        }
    }

    fn driver_unreachable(&self) -> bool {
        match self {
            Error::ControllerPublishVolume { source, .. } | Error::ControllerUnpublishVolume { source, .. } => source.unreachable,
            Error::Secret { .. }
            | Error::Api { .. }
            | Error::MarkAttached { .. }
            | Error::Went { .. }
            | Error::VolumeWent { .. }
            | Error::NotLeading { .. } => false,
        }
    }

    fn driver_answered(&self) -> bool {
        match self {
            Error::ControllerPublishVolume { source, .. } | Error::ControllerUnpublishVolume { source, .. } => {
                !source.unreachable && source.code != Code::DeadlineExceeded
            }
            Error::Secret { .. }
            | Error::Api { .. }
            | Error::MarkAttached { .. }
            | Error::Went { .. }
            | Error::VolumeWent { .. }
            | Error::NotLeading { .. } => false,
        }
    }
}
