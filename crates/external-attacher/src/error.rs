//! What can go wrong while acting, how loud that is, and when it is tried again.

use cluster::drive::{ActError, Level, Requeue};
use cluster::live::{SecretError, is_conflict, is_not_found};
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
    #[error("PersistentVolume {volume} went while attachment {attachment} was worked on")]
    VolumeWent { volume: String, attachment: String },
}

impl Error {
    /// What status.attachError.errorCode carries.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Error::ControllerPublishVolume { source, .. } | Error::ControllerUnpublishVolume { source, .. } => Some(source.code),
            Error::Secret { .. } | Error::Api { .. } | Error::VolumeWent { .. } => None,
        }
    }

    /// Whether the user sees it in the attachment's status. Upstream: failures to write the status are not.
    pub(crate) fn is_reported(&self) -> bool {
        match self {
            Error::ControllerPublishVolume { .. } | Error::ControllerUnpublishVolume { .. } | Error::Secret { .. } => true,
            Error::Api { .. } | Error::VolumeWent { .. } => false,
        }
    }
}

impl ActError for Error {
    fn word(&self) -> &'static str {
        match self {
            Error::ControllerPublishVolume { source, .. } | Error::ControllerUnpublishVolume { source, .. } => source.code.name(),
            Error::Secret { .. } => "Secret",
            Error::Api { .. } => "KubernetesApi",
            Error::VolumeWent { .. } => "VolumeWent",
        }
    }

    fn requeue(&self) -> Requeue {
        match self {
            // The watch brings what our cache did not know.
            Error::VolumeWent { .. } => Requeue::OnChange,
            Error::ControllerPublishVolume { .. }
            | Error::ControllerUnpublishVolume { .. }
            | Error::Secret { .. }
            | Error::Api { .. } => Requeue::Backoff,
        }
    }

    fn level(&self) -> Level {
        match self {
            Error::Api { source, .. } if is_conflict(source) || is_not_found(source) => Level::Debug,
            Error::VolumeWent { .. } => Level::Debug,
            Error::ControllerPublishVolume { .. }
            | Error::ControllerUnpublishVolume { .. }
            | Error::Secret { .. }
            | Error::Api { .. } => Level::Warn,
        }
    }

    fn driver_unreachable(&self) -> bool {
        match self {
            Error::ControllerPublishVolume { source, .. } | Error::ControllerUnpublishVolume { source, .. } => source.unreachable,
            Error::Secret { .. } | Error::Api { .. } | Error::VolumeWent { .. } => false,
        }
    }
}
