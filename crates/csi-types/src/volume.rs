//! Handles, names, access modes and capabilities of volumes.

use std::fmt;

macro_rules! word {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<Box<str>>) -> Self {
                Self(text.into())
            }
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

word!(
    /// The id a driver gave a volume: `volume_id` in CSI, `spec.csi.volumeHandle` in a PersistentVolume. Opaque.
    VolumeHandle
);
word!(
    /// The name a volume is asked for by: `name` in CreateVolume, and the PersistentVolume's name. `pvc-<uid of the claim>`.
    VolumeName
);
word!(
    /// The id a driver gave a node: `node_id` in CSI, `nodeID` in CSINode. Opaque, and not the Kubernetes node's name.
    NodeId
);
word!(
    /// The Kubernetes name of a node.
    NodeName
);
word!(
    /// The name a driver gives itself: GetPluginInfo, `provisioner` of a class, `attacher` of an attachment.
    DriverName
);

/// What a PersistentVolumeClaim or a PersistentVolume asks of access. Spelled as Kubernetes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[allow(missing_docs, reason = "the four names are Kubernetes' own")]
pub enum AccessMode {
    ReadWriteOnce,
    ReadOnlyMany,
    ReadWriteMany,
    ReadWriteOncePod,
}

impl AccessMode {
    /// Reads Kubernetes' spelling; `None` for a mode this version does not know.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "ReadWriteOnce" => Self::ReadWriteOnce,
            "ReadOnlyMany" => Self::ReadOnlyMany,
            "ReadWriteMany" => Self::ReadWriteMany,
            "ReadWriteOncePod" => Self::ReadWriteOncePod,
            _ => return None,
        })
    }

    /// Kubernetes' spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadWriteOnce => "ReadWriteOnce",
            Self::ReadOnlyMany => "ReadOnlyMany",
            Self::ReadWriteMany => "ReadWriteMany",
            Self::ReadWriteOncePod => "ReadWriteOncePod",
        }
    }

    /// The CSI mode for this one mode, as provisioner and node use it.
    ///
    /// `single_node_multi_writer` is the capability SINGLE_NODE_MULTI_WRITER of the service that is called (controller or node).
    /// Upstream: external-provisioner spec 2.6, kubelet `csi_client.go` access mode mapping.
    pub fn to_csi(self, single_node_multi_writer: bool) -> CsiAccessMode {
        match (self, single_node_multi_writer) {
            (Self::ReadOnlyMany, _) => CsiAccessMode::MultiNodeReaderOnly,
            (Self::ReadWriteMany, _) => CsiAccessMode::MultiNodeMultiWriter,
            (Self::ReadWriteOnce, false) | (Self::ReadWriteOncePod, false) => CsiAccessMode::SingleNodeWriter,
            (Self::ReadWriteOnce, true) => CsiAccessMode::SingleNodeMultiWriter,
            (Self::ReadWriteOncePod, true) => CsiAccessMode::SingleNodeSingleWriter,
        }
    }
}

/// CSI's access modes, by CSI's names. Spec: CSI VolumeCapability.AccessMode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are CSI's own")]
pub enum CsiAccessMode {
    SingleNodeWriter,
    SingleNodeReaderOnly,
    MultiNodeReaderOnly,
    MultiNodeSingleWriter,
    MultiNodeMultiWriter,
    SingleNodeSingleWriter,
    SingleNodeMultiWriter,
}

impl CsiAccessMode {
    /// All of them, with CSI's names.
    pub const ALL: [(&'static str, Self); 7] = [
        ("SINGLE_NODE_WRITER", Self::SingleNodeWriter),
        ("SINGLE_NODE_READER_ONLY", Self::SingleNodeReaderOnly),
        ("MULTI_NODE_READER_ONLY", Self::MultiNodeReaderOnly),
        ("MULTI_NODE_SINGLE_WRITER", Self::MultiNodeSingleWriter),
        ("MULTI_NODE_MULTI_WRITER", Self::MultiNodeMultiWriter),
        ("SINGLE_NODE_SINGLE_WRITER", Self::SingleNodeSingleWriter),
        ("SINGLE_NODE_MULTI_WRITER", Self::SingleNodeMultiWriter),
    ];

    /// Reads CSI's name; case matters.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, mode)| mode)
    }

    /// The mode in [`ACCESS_MODE_ANNOTATION`].
    ///
    /// # Errors
    /// Another word than CSI's.
    pub fn of_annotation(text: &str) -> Result<Self, AccessModeError> {
        Self::parse(text).ok_or_else(|| AccessModeError::Unknown(text.to_owned()))
    }

    /// CSI's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SingleNodeWriter => "SINGLE_NODE_WRITER",
            Self::SingleNodeReaderOnly => "SINGLE_NODE_READER_ONLY",
            Self::MultiNodeReaderOnly => "MULTI_NODE_READER_ONLY",
            Self::MultiNodeSingleWriter => "MULTI_NODE_SINGLE_WRITER",
            Self::MultiNodeMultiWriter => "MULTI_NODE_MULTI_WRITER",
            Self::SingleNodeSingleWriter => "SINGLE_NODE_SINGLE_WRITER",
            Self::SingleNodeMultiWriter => "SINGLE_NODE_MULTI_WRITER",
        }
    }
}

/// On a PersistentVolume, the CSI access mode that its driver is told, by CSI's name, instead of what `accessModes` mean. For volumes
/// of systems that can say what Kubernetes cannot: SINGLE_NODE_READER_ONLY, MULTI_NODE_SINGLE_WRITER.
pub const ACCESS_MODE_ANNOTATION: &str = "csi.longshore.io/access-mode";

/// Why a list of access modes has no single CSI mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessModeError {
    /// Nothing was given.
    #[error("no access mode is given")]
    Empty,
    /// CSI has no mode that means this combination.
    #[error("the access modes {0:?} cannot be combined in one CSI access mode")]
    Combination(Vec<AccessMode>),
    /// [`ACCESS_MODE_ANNOTATION`] has a name that is none of CSI's.
    #[error(
        "annotation {ACCESS_MODE_ANNOTATION} is {0:?}, which is none of CSI's access modes (as MULTI_NODE_SINGLE_WRITER); correct or remove it"
    )]
    Unknown(String),
}

/// The one CSI mode for the access modes of a PersistentVolume, as attacher and resizer use it.
///
/// Upstream: csi-lib-utils accessmodes; the set decides, not its order.
pub fn controller_access_mode(modes: &[AccessMode], single_node_multi_writer: bool) -> Result<CsiAccessMode, AccessModeError> {
    use AccessMode::{ReadOnlyMany, ReadWriteMany, ReadWriteOnce, ReadWriteOncePod};
    let has = |mode| modes.contains(&mode);
    let refused = || Err(AccessModeError::Combination(modes.to_vec()));
    if modes.is_empty() {
        return Err(AccessModeError::Empty);
    }
    if has(ReadWriteOncePod) {
        if modes.iter().any(|mode| *mode != ReadWriteOncePod) {
            return refused();
        }
        return Ok(ReadWriteOncePod.to_csi(single_node_multi_writer));
    }
    if has(ReadWriteMany) {
        return Ok(CsiAccessMode::MultiNodeMultiWriter);
    }
    match (has(ReadOnlyMany), has(ReadWriteOnce)) {
        (true, true) => refused(),
        (true, false) => Ok(CsiAccessMode::MultiNodeReaderOnly),
        (false, _) => Ok(ReadWriteOnce.to_csi(single_node_multi_writer)),
    }
}

/// Whether a volume is offered as a filesystem or as a raw device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[allow(missing_docs, reason = "the two names are Kubernetes' own")]
pub enum VolumeMode {
    #[default]
    Filesystem,
    Block,
}

/// How a volume will be accessed: raw, or mounted with these options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessType {
    /// A raw block device.
    Block,
    /// A mounted filesystem.
    Mount {
        /// Empty means that the driver chooses.
        fs_type: String,
        /// In the order the user gave them.
        mount_flags: Vec<String>,
        /// A decimal gid, or empty. Only sent to nodes whose driver has VOLUME_MOUNT_GROUP.
        volume_mount_group: String,
    },
}

/// One way of access that is asked of a volume. Spec: CSI VolumeCapability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeCapability {
    /// Raw or mounted.
    pub access_type: AccessType,
    /// Who may read and write at once.
    pub access_mode: CsiAccessMode,
}

/// A driver's name as part of a Kubernetes object name: every character outside `[A-Za-z0-9-]` becomes `-`, and a name that
/// then ends in `-` gets an `X`. Upstream: csi-lib-utils `SanitizeDriverName`; finalizers and leases depend on it.
pub fn sanitize_driver_name(name: &str) -> String {
    let mut safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
    if safe.ends_with('-') {
        safe.push('X');
    }
    safe
}

#[cfg(test)]
mod tests;
