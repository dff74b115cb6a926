//! What we know of one volume, and what we may have done with it: a file of the journal, written before each call.

use std::collections::BTreeMap;
use std::path::PathBuf;

use csi_types::{AccessType, Bytes, CsiAccessMode, DriverName, VolumeCapability, VolumeHandle};
use serde::{Deserialize, Serialize};

use crate::access::{mode_name, parse_mode};

/// How far something got, as far as we can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Done {
    /// No call was made, or it was taken back.
    #[default]
    No,
    /// A call was begun, and its outcome is not known, or is known no longer.
    Maybe,
    /// The driver said so.
    Yes,
}

/// Whose idea the volume was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// `docker volume create`.
    Docker,
    /// `docker volume create` with the id of a volume that exists: never created and never deleted by us.
    Given,
    /// CreateVolume over our socket.
    Csi,
    /// The driver listed it.
    Found,
}

/// What a volume was asked to be. The secrets are in their file, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Zero: the driver chooses.
    pub required: Bytes,
    /// Empty: the driver chooses.
    pub fs_type: String,
    /// In the order they were given.
    pub mount_flags: Vec<String>,
    /// CSI's name of the mode.
    pub access_mode: String,
    /// CreateVolume's parameters; of a given volume its context.
    pub parameters: BTreeMap<String, String>,
    /// Where the secrets are.
    pub secrets_file: Option<PathBuf>,
    /// The id of a volume that exists already.
    pub given: Option<VolumeHandle>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            required: Bytes(0),
            fs_type: String::new(),
            mount_flags: Vec::new(),
            access_mode: mode_name(CsiAccessMode::SingleNodeWriter).to_owned(),
            parameters: BTreeMap::new(),
            secrets_file: None,
            given: None,
        }
    }
}

impl Asked {
    /// The mode. A name that this version does not know, from a record of another, is the weakest.
    pub fn mode(&self) -> CsiAccessMode {
        parse_mode(&self.access_mode).unwrap_or(CsiAccessMode::SingleNodeReaderOnly)
    }

    /// Whether nothing may be written.
    pub fn readonly(&self) -> bool {
        matches!(self.mode(), CsiAccessMode::SingleNodeReaderOnly | CsiAccessMode::MultiNodeReaderOnly)
    }

    /// As every call about the volume says it.
    pub fn capability(&self) -> VolumeCapability {
        VolumeCapability {
            access_type: AccessType::Mount {
                fs_type: self.fs_type.clone(),
                mount_flags: self.mount_flags.clone(),
                volume_mount_group: String::new(),
            },
            access_mode: self.mode(),
        }
    }
}

/// The volume itself, as the driver described it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its id.
    pub handle: VolumeHandle,
    /// Zero: the driver did not say.
    pub capacity: Bytes,
    /// Goes to every later call.
    pub context: BTreeMap<String, String>,
}

/// A CreateVolume that came over our socket: to answer it again as it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverCsi {
    /// Of the request without its secrets.
    pub digest: String,
    /// The encoded `csi.v1.Volume` of the answer, base64. Empty: not answered yet.
    pub answer: String,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose volume it is. Never given to another driver.
    pub driver: DriverName,
    /// Whose idea it was.
    pub origin: Origin,
    /// What it was asked to be.
    pub asked: Asked,
    /// `None`: CreateVolume may have been called, and was not answered.
    pub volume: Option<Volume>,
    /// Only of volumes that were created over CSI.
    pub over_csi: Option<OverCsi>,
    /// RFC 3339.
    pub created_at: String,
    /// Somebody asked for its end; what may have been deleted is never mounted again.
    pub deleting: bool,
    /// The host's boot in which the following was true. Mounts do not outlive it; attachments do.
    pub boot: String,
    /// ControllerPublishVolume.
    pub attached: Done,
    /// To which node, and what the controller answered.
    pub node_id: String,
    /// What ControllerPublishVolume answered.
    pub publish_context: BTreeMap<String, String>,
    /// NodeStageVolume.
    pub staged: Done,
    /// NodePublishVolume.
    pub published: Done,
    /// How often each of Docker's mount ids has it mounted. Never zero.
    pub mounts: BTreeMap<String, u32>,
}

impl Record {
    /// A volume that nothing was done with.
    pub fn new(driver: DriverName, origin: Origin, asked: Asked, created_at: String) -> Self {
        Self {
            driver,
            origin,
            asked,
            volume: None,
            over_csi: None,
            created_at,
            deleting: false,
            boot: String::new(),
            attached: Done::No,
            node_id: String::new(),
            publish_context: BTreeMap::new(),
            staged: Done::No,
            published: Done::No,
            mounts: BTreeMap::new(),
        }
    }

    /// Whether DeleteVolume is ours to call.
    pub fn is_deletable(&self) -> bool {
        self.origin != Origin::Given
    }

    /// Whether anything may still have to be taken back on this host.
    pub fn is_up(&self) -> bool {
        [self.attached, self.staged, self.published].iter().any(|done| *done != Done::No)
    }

    /// What a look at the host leaves of it: after a reboot nothing is mounted and nobody has it mounted; a mount that is gone from
    /// the kernel's table must be made again, staging included.
    pub fn seen(mut self, boot: &str, mounted: bool) -> Self {
        if self.boot != boot {
            self.boot = boot.to_owned();
            (self.staged, self.published) = (Done::No, Done::No);
            self.mounts.clear();
        } else if self.published == Done::Yes && !mounted {
            self.published = Done::Maybe;
            if self.staged == Done::Yes {
                self.staged = Done::Maybe;
            }
        }
        self
    }

    /// One more mount for this id.
    pub fn count(&mut self, id: &str) {
        let count = self.mounts.entry(id.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    /// One less. Whether the id was known.
    pub fn discount(&mut self, id: &str) -> bool {
        match self.mounts.get_mut(id) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) => {
                self.mounts.remove(id);
            }
            None => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests;
