//! How a volume is used: a VolumeCapability, checked and in plain words.

use csi_proto::csi::v1::{
    self as csi,
    volume_capability::{AccessType, MountVolume},
};
use serde::{Deserialize, Serialize};

use crate::{
    code::{Code, Refusal},
    settings::Mode,
};

/// Block or filesystem, by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Name of the access mode.
    pub mode: String,
    /// A raw device.
    pub block: bool,
    /// Filesystem; empty: the driver's choice.
    pub fs_type: String,
    /// Mount options.
    pub mount_flags: Vec<String>,
    /// Group that may write.
    pub mount_group: String,
}

impl Usage {
    /// Reads a capability.
    ///
    /// # Errors
    /// InvalidArgument if something is missing, unknown, or an access mode that is not among `modes` (empty: all).
    pub fn read(capability: Option<&csi::VolumeCapability>, modes: &[Mode]) -> Result<Self, Refusal> {
        let invalid = |what: &str| Refusal::new(Code::InvalidArgument, what);
        let c = capability.ok_or_else(|| invalid("volume_capability is missing"))?;
        let number = c.access_mode.as_ref().ok_or_else(|| invalid("volume_capability has no access_mode"))?.mode;
        let mode = Mode::try_from(number).ok().filter(|m| *m != Mode::Unknown);
        let mode = mode.ok_or_else(|| invalid("volume_capability has an unknown access_mode"))?;
        if !modes.is_empty() && !modes.contains(&mode) {
            return Err(invalid(&format!("access mode {} is not supported", mode.as_str_name())));
        }
        let (block, mount) = match &c.access_type {
            None => return Err(invalid("volume_capability is neither block nor mount")),
            Some(AccessType::Block(_)) => (true, MountVolume::default()),
            Some(AccessType::Mount(m)) => (false, m.clone()),
        };
        Ok(Self {
            mode: mode.as_str_name().to_owned(),
            block,
            fs_type: mount.fs_type,
            mount_flags: mount.mount_flags,
            mount_group: mount.volume_mount_group,
        })
    }

    /// Only one node at a time.
    #[must_use]
    pub fn single_node(&self) -> bool {
        self.mode.starts_with("SINGLE_NODE_")
    }

    /// Only one pod at a time.
    #[must_use]
    pub fn single_writer(&self) -> bool {
        self.mode == Mode::SingleNodeSingleWriter.as_str_name()
    }
}
