//! What can go wrong while acting, how loud that is, and when it is tried again.

use std::time::Duration;

use cluster::drive::{ActError, Level, Requeue};
use cluster::intents::IntentError;
use cluster::live::{SecretError, is_conflict};
use csi_client::CallError;
use csi_types::{Bytes, NodeName, Verdict, VolumeHandle, VolumeName};

/// One variant per attempt; the cause is in the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot make volume {name}")]
    CreateVolume {
        name: VolumeName,
        verdict: Verdict,
        /// Before a request that cannot work is sent again.
        slow: Duration,
        #[source]
        source: CallError,
    },
    #[error("the driver has no room for {name} in reach of node {node}; the pod goes back to the scheduler")]
    NoRoom {
        name: VolumeName,
        node: NodeName,
        #[source]
        source: CallError,
    },
    #[error("the driver made {name} with {got} instead of {asked}; it is deleted again")]
    TooSmall { name: VolumeName, asked: Bytes, got: Bytes },
    #[error("cannot delete volume {handle} again, which was made too small")]
    DiscardVolume {
        handle: VolumeHandle,
        #[source]
        source: CallError,
    },
    #[error("cannot delete volume {handle}")]
    DeleteVolume {
        handle: VolumeHandle,
        #[source]
        source: CallError,
    },
    #[error("provisioner secret of StorageClass {class:?}")]
    Secret {
        class: String,
        #[source]
        source: SecretError,
    },
    #[error("the secret for DeleteVolume: {0}")]
    DeletionSecret(String),
    #[error("cannot create PersistentVolume {name}")]
    SavePv {
        name: VolumeName,
        #[source]
        source: kube::Error,
    },
    #[error("cannot write down that volume {name} is about to be made; it is not asked for before that")]
    Intent {
        name: VolumeName,
        #[source]
        source: IntentError,
    },
    /// Somebody asked for it before, and that is gone on from.
    #[error("volume {name} was asked for before by another process, or in another term; that is finished first")]
    EarlierIntent { name: VolumeName },
    #[error("another term of leadership began while volume {name} was under way; it is asked for again")]
    AnotherTerm { name: VolumeName },
    #[error("cannot {attempt} {object}")]
    Api {
        /// Verb and kind.
        attempt: &'static str,
        object: String,
        #[source]
        source: kube::Error,
    },
    /// Somebody else was faster, or the object is gone: the watch will say which.
    #[error("cannot {attempt} {object}: it is not what it was any more")]
    Overtaken { attempt: &'static str, object: String },
}

impl Error {
    /// Whether the user should hear of it: not of two writers that met, which is everyday.
    pub(crate) fn is_news(&self) -> bool {
        match self {
            Error::SavePv { source, .. } | Error::Api { source, .. } => !is_conflict(source),
            Error::Overtaken { .. } | Error::Intent { .. } | Error::EarlierIntent { .. } | Error::AnotherTerm { .. } => false,
            Error::CreateVolume { .. }
            | Error::NoRoom { .. }
            | Error::TooSmall { .. }
            | Error::DiscardVolume { .. }
            | Error::DeleteVolume { .. }
            | Error::Secret { .. }
            | Error::DeletionSecret(_) => true,
        }
    }
}

impl ActError for Error {
    fn word(&self) -> &'static str {
        match self {
            Error::CreateVolume { .. } => "CreateVolume",
            Error::NoRoom { .. } => "NoRoom",
            Error::TooSmall { .. } => "TooSmall",
            Error::DiscardVolume { .. } => "DiscardVolume",
            Error::DeleteVolume { .. } => "DeleteVolume",
            Error::Secret { .. } => "Secret",
            Error::DeletionSecret(_) => "DeletionSecret",
            Error::SavePv { .. } => "SavePv",
            Error::Intent { .. } => "Intent",
            Error::EarlierIntent { .. } => "EarlierIntent",
            Error::AnotherTerm { .. } => "AnotherTerm",
            Error::Api { .. } => "Api",
            Error::Overtaken { .. } => "Overtaken",
        }
    }

    fn requeue(&self) -> Requeue {
        match self {
            Error::CreateVolume { verdict: Verdict::Infeasible, slow, .. } => Requeue::After(*slow),
            // Rescheduling is the next step, and it can be taken now.
            Error::NoRoom { .. } => Requeue::After(Duration::ZERO),
            Error::CreateVolume { .. }
            | Error::TooSmall { .. }
            | Error::DiscardVolume { .. }
            | Error::DeleteVolume { .. }
            | Error::Secret { .. }
            | Error::DeletionSecret(_)
            | Error::SavePv { .. }
            | Error::Intent { .. }
            // Going on from the earlier one has brought the key back already.
            | Error::EarlierIntent { .. }
            | Error::AnotherTerm { .. }
            | Error::Api { .. }
            | Error::Overtaken { .. } => Requeue::Backoff,
        }
    }

    fn level(&self) -> Level {
        match self {
            Error::Secret { .. } | Error::DeletionSecret(_) => Level::Error,
            Error::SavePv { source, .. } | Error::Api { source, .. } if is_conflict(source) => Level::Debug,
            Error::Intent { source: IntentError::NotLeading, .. } => Level::Debug,
            Error::Overtaken { .. } | Error::EarlierIntent { .. } | Error::AnotherTerm { .. } => Level::Debug,
            Error::CreateVolume { .. }
            | Error::NoRoom { .. }
            | Error::TooSmall { .. }
            | Error::DiscardVolume { .. }
            | Error::DeleteVolume { .. }
            | Error::SavePv { .. }
            | Error::Intent { .. }
            | Error::Api { .. } => Level::Warn,
        }
    }

    fn driver_unreachable(&self) -> bool {
        match self {
            Error::CreateVolume { source, .. }
            | Error::NoRoom { source, .. }
            | Error::DiscardVolume { source, .. }
            | Error::DeleteVolume { source, .. } => source.unreachable,
            Error::TooSmall { .. }
            | Error::Secret { .. }
            | Error::DeletionSecret(_)
            | Error::SavePv { .. }
            | Error::Intent { .. }
            | Error::EarlierIntent { .. }
            | Error::AnotherTerm { .. }
            | Error::Api { .. }
            | Error::Overtaken { .. } => false,
        }
    }
}
