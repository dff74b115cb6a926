//! What can go wrong on the way to a mount, how loud it is, and when to try again.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use cluster::drive::{ActError, Level, Requeue};
use cluster::live::{SecretError, already_exists, is_conflict, is_not_found};
use csi_client::CallError;
use csi_types::{DriverName, NodeName, Rpc, Verdict};

use crate::paths::VolumeKey;
use cluster::chain;

/// Why an action did not work.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "fields are what the sentences name")]
pub enum Error {
    /// It was deregistered since the plan was made.
    #[error("driver {driver} is not registered with this node; its node plugin has to come (back)")]
    NotRegistered { driver: DriverName },
    /// The pod went away since the plan was made.
    #[error("no pod wants {key} at this place any more")]
    NotWanted { key: VolumeKey },
    /// Without `--register-node` somebody else makes the Node.
    #[error("Node {node} does not exist; whoever registers this node has to make it, or --register-node has to be given")]
    NoNode { node: NodeName },
    /// The Node, read live, does not list it.
    #[error("{key} is not yet in the Node's volumesAttached")]
    NotAttached { key: VolumeKey },
    /// The Node's status, as we wrote it last, does not list it.
    #[error("{key} is not in the Node's volumesInUse any more; it is mounted once it is again")]
    NotInUse { key: VolumeKey },
    /// The VolumeAttachment says no.
    #[error("VolumeAttachment {name} {problem}")]
    Attachment { name: String, problem: String },
    /// A read or a write of the API failed.
    #[error("cannot {doing}")]
    Api {
        doing: String,
        #[source]
        source: ApiFailure,
    },
    /// A secret that the call needs.
    #[error("cannot use the secret for {rpc:?}")]
    Secret {
        rpc: Rpc,
        #[source]
        source: SecretError,
    },
    /// An inline volume of a driver that does not say it has any.
    #[error("CSIDriver {driver} does not list the volume lifecycle mode {mode}; whoever installs the driver has to add it")]
    LifecycleMode { driver: DriverName, mode: &'static str },
    /// The driver.
    #[error("volume {handle} of driver {driver}")]
    Call {
        driver: DriverName,
        handle: String,
        #[source]
        source: CallError,
    },
    /// The journal could not be written, so nothing was begun or crossed out.
    #[error("cannot write the journal record of {key}")]
    Journal {
        key: VolumeKey,
        #[source]
        source: io::Error,
    },
    /// A folder, a link, a device file.
    #[error("cannot {doing} {path}", path = .path.display())]
    Path {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The driver said that it unmounted, and something is mounted.
    #[error("{rpc:?} of driver {driver} succeeded, but {path} is still a mount point", path = .path.display())]
    StillMounted { rpc: Rpc, driver: DriverName, path: PathBuf },
}

/// An error of kube in the API server's own words: the library's would repeat them as a data structure.
#[derive(Debug)]
pub struct ApiFailure(pub kube::Error);

impl std::fmt::Display for ApiFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            kube::Error::Api(status) => write!(f, "{} ({})", status.message, status.code),
            other => f.write_str(&chain(other)),
        }
    }
}

impl std::error::Error for ApiFailure {}

/// What an error of a call to the driver leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    /// The call was not made, or the driver is done and did nothing.
    Nothing,
    /// Nobody knows.
    Unknown,
}

/// Spec: kubelet's three classes. Only an answer that ends the call means that nothing was left.
pub(crate) fn left_by(error: &CallError) -> Left {
    match error.verdict() {
        Verdict::Done | Verdict::MaybeRunning => Left::Unknown,
        Verdict::Failed | Verdict::Infeasible | Verdict::Exhausted => Left::Nothing,
    }
}

impl Error {
    /// For `map_err`.
    pub fn api(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Error {
        let doing = doing.into();
        move |error| Error::Api { doing, source: ApiFailure(error) }
    }

    /// Somebody else wrote first: read again, and try again.
    pub fn is_race(&self) -> bool {
        let lost = |error: &kube::Error| is_conflict(error) || already_exists(error) || is_not_found(error);
        matches!(self, Error::Api { source, .. } if lost(&source.0))
    }

    /// For `map_err`.
    pub fn path(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Path { doing, path, source }
    }

    /// What `kubectl describe pod` shows as the reason; `None`: it is on its way, and no news for anybody.
    pub fn event_reason(&self) -> Option<&'static str> {
        match self {
            Error::NotWanted { .. } | Error::NotAttached { .. } | Error::NotInUse { .. } => None,
            Error::Attachment { .. } => Some("FailedAttachVolume"),
            Error::Call { source, .. } if matches!(source.rpc, Rpc::NodeUnpublishVolume | Rpc::NodeUnstageVolume) => {
                Some("FailedUnMount")
            }
            Error::StillMounted { .. } => Some("FailedUnMount"),
            Error::NotRegistered { .. }
            | Error::NoNode { .. }
            | Error::Api { .. }
            | Error::Secret { .. }
            | Error::LifecycleMode { .. }
            | Error::Call { .. }
            | Error::Journal { .. }
            | Error::Path { .. } => Some("FailedMount"),
        }
    }
}

impl ActError for Error {
    fn word(&self) -> &'static str {
        match self {
            Error::NotRegistered { .. } => "NotRegistered",
            Error::NotWanted { .. } => "NotWanted",
            Error::NoNode { .. } => "NoNode",
            Error::NotAttached { .. } => "NotAttached",
            Error::NotInUse { .. } => "NotInUse",
            Error::Attachment { .. } => "Attachment",
            Error::Api { .. } => "Api",
            Error::Secret { .. } => "Secret",
            Error::LifecycleMode { .. } => "LifecycleMode",
            Error::Call { .. } => "Call",
            Error::Journal { .. } => "Journal",
            Error::Path { .. } => "Path",
            Error::StillMounted { .. } => "StillMounted",
        }
    }

    /// At once: the wait of the operation that failed is in the volume's memory, and must not hold up its other operations.
    fn requeue(&self) -> Requeue {
        Requeue::After(Duration::ZERO)
    }

    fn driver_unreachable(&self) -> bool {
        matches!(self, Error::Call { source, .. } if source.unreachable)
    }

    fn level(&self) -> Level {
        match self {
            Error::NotWanted { .. } | Error::NotAttached { .. } | Error::NotInUse { .. } => Level::Debug,
            Error::Journal { .. } => Level::Error,
            Error::NotRegistered { .. }
            | Error::NoNode { .. }
            | Error::Attachment { .. }
            | Error::Api { .. }
            | Error::Secret { .. }
            | Error::LifecycleMode { .. }
            | Error::Call { .. }
            | Error::Path { .. }
            | Error::StillMounted { .. } => Level::Warn,
        }
    }
}
