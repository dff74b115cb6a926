//! What is written down about a volume and a snapshot: one JSON document each, beside the data it describes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The layout of records; a record of a newer layout is refused rather than half understood.
pub(crate) const LAYOUT: u32 = 1;

/// How a volume's bytes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kind {
    /// A directory that is bound to where it is wanted. Its size is a promise only.
    Directory,
    /// A file of the volume's size, seen through a loop device.
    Loop,
}

impl Kind {
    /// The entry inside the volume's directory that holds the data.
    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Kind::Directory => "data",
            Kind::Loop => "disk.img",
        }
    }
}

/// The filesystems this driver makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Filesystem {
    Ext4,
    Xfs,
    Btrfs,
}

/// What is known about the content of a loop volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state", content = "filesystem")]
pub(crate) enum Format {
    /// Never formatted by this driver. It may still hold what a user of the raw device wrote.
    Blank,
    /// mkfs was started and not seen to end: nothing was ever mounted, so it may be run again.
    Making(Filesystem),
    /// mkfs succeeded. It is never run again.
    Made(Filesystem),
}

/// Where a volume's first content came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "id")]
pub(crate) enum Source {
    Snapshot(String),
    Volume(String),
}

/// One node that the controller published a volume to (only with `--controller-publish`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attachment {
    pub(crate) readonly: bool,
    /// Others may have it too.
    #[serde(default)]
    pub(crate) shared: bool,
}

/// One path that a node published a volume at. Written before the mount, crossed out after the unmount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Publication {
    pub(crate) readonly: bool,
    pub(crate) block: bool,
}

/// One volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Volume {
    pub(crate) layout: u32,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// What the volume promises to hold, in bytes; of a loop volume, the size of its file.
    pub(crate) capacity: u64,
    /// What a filesystem on it should be, when the request said so or a mount was asked for.
    pub(crate) filesystem: Option<Filesystem>,
    pub(crate) format: Format,
    /// The size that the filesystem was last made or grown to; 0 before the first time.
    pub(crate) filesystem_bytes: u64,
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) source: Option<Source>,
    /// The content is a copy that still has its origin's identity; see `Filesystem::renew_identity`.
    #[serde(default)]
    pub(crate) borrowed_identity: bool,
    /// Nanoseconds since the epoch; orders lists.
    pub(crate) created: u64,
    /// An inline volume of one pod: NodeUnpublishVolume deletes it.
    pub(crate) ephemeral: bool,
    #[serde(default)]
    pub(crate) attached: BTreeMap<String, Attachment>,
    #[serde(default)]
    pub(crate) published: BTreeMap<String, Publication>,
}

/// One snapshot: the content of a volume at a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Snapshot {
    pub(crate) layout: u32,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) volume: String,
    pub(crate) kind: Kind,
    pub(crate) capacity: u64,
    pub(crate) filesystem: Option<Filesystem>,
    pub(crate) format: Format,
    pub(crate) filesystem_bytes: u64,
    pub(crate) created: u64,
}

/// What a shelf needs to know of its records.
pub(crate) trait Record: Serialize + serde::de::DeserializeOwned {
    /// What one is called in a sentence.
    const NOUN: &'static str;
    fn layout(&self) -> u32;
    fn id(&self) -> &str;
    fn created(&self) -> u64;
}

impl Record for Volume {
    const NOUN: &'static str = "volume";

    fn layout(&self) -> u32 {
        self.layout
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> u64 {
        self.created
    }
}

impl Record for Snapshot {
    const NOUN: &'static str = "snapshot";

    fn layout(&self) -> u32 {
        self.layout
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> u64 {
        self.created
    }
}
