//! Volumes: what a workload mounts, and what a document wants made.

use std::collections::BTreeMap;

use csi_types::{AccessType, CsiAccessMode, Segments, VolumeCapability};

use super::hidden::{Hidden, SecretValue};

/// Something that the tasks of a workload mount.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume {
    /// What mounts call it: a DNS label.
    pub alias: String,
    /// Where in the document it is, for messages.
    pub field: String,
    /// What it is.
    pub source: Source,
    /// Nobody may write to it.
    pub read_only: bool,
}

/// What a volume is.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A volume of a CSI plugin, with all that is needed to use it.
    Csi(Box<CsiVolume>),
    /// A volume that is known by an id, because it was made or registered before.
    Registered(Box<RegisteredVolume>),
    /// A file or folder of the host.
    HostPath(String),
    /// An empty folder, which goes with the workload.
    Empty {
        /// It is memory, of at most so many bytes; 0 is no limit.
        memory: Option<u64>,
    },
    /// Files, by path.
    Files(BTreeMap<String, FileData>),
}

/// How a volume appears in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessKind {
    /// As a folder or a file.
    Mount,
    /// As a block device.
    Device,
}

impl Source {
    /// How it appears in a task.
    pub fn kind(&self) -> AccessKind {
        let access = match self {
            Self::Csi(csi) => &csi.capability.access_type,
            Self::Registered(registered) => &registered.access_type,
            Self::HostPath(_) | Self::Empty { .. } | Self::Files(_) => return AccessKind::Mount,
        };
        match access {
            AccessType::Block => AccessKind::Device,
            AccessType::Mount { .. } => AccessKind::Mount,
        }
    }
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileData {
    /// As written.
    Text(String),
    /// A secret's value, readable by its owner only.
    Secret(SecretValue),
    /// What a document spells out, and nobody should see.
    Hidden(Hidden),
}

/// A volume that exists, as its plugin is told.
#[derive(Debug, Clone, PartialEq)]
pub struct CsiVolume {
    /// What the document calls the plugin: an alias, not necessarily the name that the plugin gives itself.
    pub plugin: String,
    /// Where in the document that is, for messages.
    pub plugin_field: String,
    /// `volume_id`, verbatim.
    pub volume_id: String,
    /// How it is used.
    pub capability: VolumeCapability,
    /// `volume_context`.
    pub context: BTreeMap<String, String>,
    /// For NodeStageVolume: what the plugin calls it, to where it comes from.
    pub stage_secrets: BTreeMap<String, SecretValue>,
    /// For NodePublishVolume.
    pub publish_secrets: BTreeMap<String, SecretValue>,
    /// Where in the document the two are, for messages.
    pub secrets_fields: [String; 2],
}

impl CsiVolume {
    /// Whether both mean the same volume, used in the same way, wherever they are written.
    pub fn means(&self, other: &Self) -> bool {
        let placeless = |csi: &Self| Self { plugin_field: String::new(), secrets_fields: Default::default(), ..csi.clone() };
        placeless(self) == placeless(other)
    }
}

/// A volume that something else made known: Nomad's `source`.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredVolume {
    /// As written.
    pub id: String,
    /// Each instance has its own: `id[0]`, `id[1]`, …
    pub per_instance: bool,
    /// Who may read and write at once.
    pub access_mode: CsiAccessMode,
    /// As a device or a filesystem; `fs_type` and flags that are empty are the volume's own.
    pub access_type: AccessType,
}

/// A volume that is to be made, or made known.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeSpec {
    /// What jobs call it, as written.
    pub id: String,
    /// What the plugin is told to call it.
    pub name: String,
    /// Where in the document it is, for messages; empty if it is all of it.
    pub field: String,
    /// The plugin's alias.
    pub plugin: String,
    /// Made, or there already.
    pub kind: SpecKind,
    /// How it may be used: any of these.
    pub capabilities: Vec<VolumeCapability>,
    /// Where it has to be reachable from: any of these.
    pub required: Vec<Segments>,
    /// Where it is best made, the best first.
    pub preferred: Vec<Segments>,
    /// For every call of the plugin.
    pub secrets: BTreeMap<String, SecretValue>,
}

/// Whether a volume is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpecKind {
    /// CreateVolume.
    Create {
        /// What is asked for; both absent: the plugin chooses.
        capacity: Amount,
        /// For CreateVolume, verbatim.
        parameters: BTreeMap<String, String>,
        /// From this snapshot of the plugin's.
        snapshot: Option<String>,
        /// As a copy of this volume of the plugin's.
        clone: Option<String>,
    },
    /// It exists.
    Register {
        /// `volume_id`, verbatim.
        volume_id: String,
        /// `volume_context`.
        context: BTreeMap<String, String>,
    },
}

/// A range of sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// At least so much.
    pub min: Option<u64>,
    /// At most so much.
    pub max: Option<u64>,
}
