//! DeleteVolume. Refused while the kernel still shows the volume anywhere on this host.

use csi_proto::csi::v1 as csi;

use crate::driver::{Driver, required};
use crate::error::{Error, Result};
use crate::presence::Presence;
use crate::store::key::Key;

impl Driver {
    pub(crate) fn delete_volume(&self, request: csi::DeleteVolumeRequest) -> Result<csi::DeleteVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let key = self.store.key(id);
        let _guard = self.store.volumes.lock(&key)?;
        self.delete_unused(&key, id)?;
        Ok(csi::DeleteVolumeResponse {})
    }

    /// Deletes a volume whose lock is held, and what an interrupted deletion left. A volume that is not there is deleted.
    pub(crate) fn delete_unused(&self, key: &Key, id: &str) -> Result<()> {
        let used = Presence::observe(&self.store, key)?.used(&self.store.volumes.path(key));
        if let Some(why) = used {
            return Err(Error::Precondition(format!("volume {id} cannot be deleted: {why}; unpublish and unstage it first")));
        }
        match self.store.volumes.load(key) {
            Ok(Some(volume)) => {
                if let Some(node) = volume.attached.keys().next() {
                    return Err(Error::Precondition(format!(
                        "volume {id} cannot be deleted: it is published to node {node}; ControllerUnpublishVolume first"
                    )));
                }
                self.store.volumes.remove(key)?;
                tracing::info!(volume = id, "deleted");
                Ok(())
            }
            // Nothing, or the rest of an earlier deletion.
            Ok(None) => self.store.volumes.remove(key),
            Err(error) => Err(error),
        }
    }
}
