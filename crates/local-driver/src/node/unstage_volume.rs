//! NodeUnstageVolume: unmount, and detach whatever of the volume is still attached.

use std::path::Path;
use std::thread;
use std::time::Duration;

use csi_proto::csi::v1 as csi;

use crate::driver::{Driver, host_path, required};
use crate::error::{Error, Result};
use crate::host::{loop_device, mount};
use crate::presence::{Presence, Shown};
use crate::store::key::Key;
use crate::store::record::Kind;

/// Something such as udev may have a device open for a moment; longer is an error that names the device.
const PATIENCE: usize = 40;
const PAUSE: Duration = Duration::from_millis(50);

impl Driver {
    pub(crate) fn unstage_volume(&self, request: csi::NodeUnstageVolumeRequest) -> Result<csi::NodeUnstageVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let point = host_path("staging_target_path", &request.staging_target_path)?;
        let key = self.store.key(id);
        let _guard = self.store.volumes.lock(&key)?;
        let presence = Presence::observe(&self.store, &key)?;
        // A record that is gone, or cannot be read, must not keep a mount alive.
        if let Ok(Some(volume)) = self.store.volumes.load(&key) {
            let published = volume.published.keys().find(|path| matches!(presence.at(Path::new(path)), Shown::Ours(_)));
            if let Some(path) = published {
                return Err(Error::Precondition(format!(
                    "volume {id} is still published at {path}; NodeUnpublishVolume comes first"
                )));
            }
        }
        // A foreign mount on the path is not ours to end, and does not keep our devices.
        while let Shown::Ours(_) = Presence::observe(&self.store, &key)?.at(&point) {
            mount::unmount(&point)?;
            tracing::info!(volume = id, path = %point.display(), "unstaged");
        }
        self.detach_unmounted(&key, id)?;
        Ok(csi::NodeUnstageVolumeResponse {})
    }

    /// Detaches the volume's devices unless a mount of it remains, and waits until they are gone.
    pub(super) fn detach_unmounted(&self, key: &Key, id: &str) -> Result<()> {
        for _ in 0..PATIENCE {
            let presence = Presence::observe(&self.store, key)?;
            if presence.loops.is_empty() {
                return Ok(());
            }
            if let Some(mount) = presence.mounts().next() {
                tracing::info!(volume = id, path = %mount.point.display(), "stays attached: it is mounted elsewhere too");
                return Ok(());
            }
            for found in &presence.loops {
                loop_device::detach(*found, &self.store.data(key, Kind::Loop))?;
            }
            thread::sleep(PAUSE);
        }
        Err(Error::Precondition(format!(
            "volume {id} is unmounted, but a process still has its loop device open; find it with fuser"
        )))
    }
}
