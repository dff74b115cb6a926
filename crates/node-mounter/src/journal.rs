//! What was done, or may have been done, to volumes on this node: one file per volume, written before the call it is about.
//!
//! A record goes away only after the driver confirmed the last unpublish and the unstage. So whatever a crash interrupts,
//! the next start knows every volume that may be mounted here. The record holds the publishes too: one file is one atomic
//! replacement, and there is never a publish without its volume.
//! Upstream keeps this in memory and rebuilds half of it from pod folders, and so forgets volumes that were staged but not
//! yet published (kubernetes#101791).

use std::path::PathBuf;

use csi_types::{DriverName, VolumeHandle, VolumeMode};
use rt::rules::{self, Rule};
use serde::{Deserialize, Serialize};

use crate::paths::VolumeKey;
pub use ::journal::{Corrupt, encode, file_name};

/// How far the driver got with a volume's staging, as far as we can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Stage {
    /// No call was made.
    #[default]
    No,
    /// A call was begun and its outcome is not known, or is known no longer. Must be unstaged, or staged again.
    Maybe,
    /// The driver said that it is staged.
    Yes,
    /// The driver has no staging: there is nothing to undo.
    NotNeeded,
}

/// Which pod's which path. A pod may use one volume through two PersistentVolumes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The pod.
    pub pod_uid: String,
    /// The PersistentVolume's name, or the pod's name for an inline volume: the directory.
    pub spec_name: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.pod_uid, self.spec_name)
    }
}

/// One publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// For whom and under which name.
    pub place: Place,
    /// `target_path`, as the driver was told.
    pub target: PathBuf,
    /// Whether the driver said that it is published. Otherwise a call was begun, and its outcome is not known.
    pub done: bool,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose volume.
    pub driver: DriverName,
    /// Which volume.
    pub handle: VolumeHandle,
    /// Filesystem or device: the paths differ.
    pub mode: VolumeMode,
    /// An inline volume: never attached, never staged.
    pub inline: bool,
    /// Whether its driver attaches: then it is reported in use as long as this record exists.
    pub attachable: bool,
    /// The name it was staged under. Block volumes have it in their paths.
    pub spec_name: String,
    /// How far staging got.
    pub stage: Stage,
    /// `staging_target_path`, as the driver was told. Empty before the first stage.
    pub staging_path: PathBuf,
    /// Ordered by place.
    pub publishes: Vec<Publish>,
}

impl Record {
    /// The publish at this place.
    pub fn publish(&self, place: &Place) -> Option<&Publish> {
        self.publishes.iter().find(|publish| publish.place == *place)
    }

    /// Adds or replaces the publish at its place.
    pub fn set_publish(&mut self, publish: Publish) {
        match self.publishes.iter_mut().find(|known| known.place == publish.place) {
            Some(known) => *known = publish,
            None => {
                self.publishes.push(publish);
                self.publishes.sort_by(|a, b| a.place.cmp(&b.place));
            }
        }
    }

    /// Takes the publish at this place out.
    pub fn remove_publish(&mut self, place: &Place) {
        self.publishes.retain(|publish| publish.place != *place);
    }

    /// What a new life may take from this record: that things may be so. Calls are repeated, which drivers must allow.
    pub fn doubted(mut self) -> Self {
        if !rules::on(Rule::DoubtAfterRestart) {
            return self;
        }
        if self.stage == Stage::Yes {
            self.stage = Stage::Maybe;
        }
        for publish in &mut self.publishes {
            publish.done = false;
        }
        self
    }
}

/// The folder of records.
pub type Journal = ::journal::Journal<VolumeKey, Record>;
/// A record that could not be read. Its file stays for people to look at.
pub type SetAside = ::journal::SetAside<VolumeKey>;
/// What a file name says about its volume.
pub type Identity = ::journal::Identity<VolumeKey>;

impl ::journal::Key for VolumeKey {
    fn parse(text: &str) -> Self {
        VolumeKey::parse(text)
    }
    fn as_str(&self) -> &str {
        VolumeKey::as_str(self)
    }
}

/// The record in these bytes.
///
/// # Errors
/// They are none.
pub fn decode(bytes: &[u8]) -> Result<(VolumeKey, Record), Corrupt> {
    ::journal::decode(bytes)
}

#[cfg(test)]
mod tests;
