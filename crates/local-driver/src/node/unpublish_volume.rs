//! NodeUnpublishVolume: unmount one path and remove it. Works without a record, so nothing can strand a pod.

use std::path::Path;

use csi_proto::csi::v1 as csi;

use crate::driver::{Driver, host_path, required};
use crate::error::Result;
use crate::host::{loop_device, mount};
use crate::node::point;
use crate::presence::Presence;
use crate::store::key::Key;
use crate::store::record::{Kind, Volume};

impl Driver {
    pub(crate) fn unpublish_volume(&self, request: csi::NodeUnpublishVolumeRequest) -> Result<csi::NodeUnpublishVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let target = host_path("target_path", &request.target_path)?;
        let key = self.store.key(id);
        let _guard = self.store.volumes.lock(&key)?;
        while Presence::observe(&self.store, &key)?.ours_at(&target)?.is_some() {
            mount::unmount(&target)?;
            tracing::info!(volume = id, path = %target.display(), "unpublished");
        }
        point::remove(&target)?;
        match self.store.volumes.load(&key) {
            Ok(Some(volume)) => self.cross_out(&key, volume, &target)?,
            Ok(None) => {}
            Err(error) => tracing::error!(volume = id, why = %error, "unpublished, but its record stays as it is"),
        }
        Ok(csi::NodeUnpublishVolumeResponse {})
    }

    fn cross_out(&self, key: &Key, mut volume: Volume, target: &Path) -> Result<()> {
        let published = volume.published.remove(target.to_string_lossy().as_ref());
        if volume.ephemeral && volume.published.is_empty() {
            self.detach_unmounted(key, &volume.id)?;
            // Not deleted but for its publication: a crash from here on is settled by the next call.
            self.store.volumes.update(key, &volume)?;
            return self.delete_unused(key, &volume.id);
        }
        let Some(published) = published else { return Ok(()) };
        if published.block && published.readonly && !volume.published.values().any(|other| other.block && other.readonly) {
            for found in Presence::observe(&self.store, key)?.loops.iter().filter(|found| found.readonly) {
                loop_device::detach(*found, &self.store.data(key, Kind::Loop))?;
            }
        }
        self.store.volumes.update(key, &volume)
    }
}
