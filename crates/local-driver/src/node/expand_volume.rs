//! NodeExpandVolume: the device and what is on it take the size that ControllerExpandVolume gave the image, while in use.

use std::path::Path;

use csi_proto::csi::v1 as csi;

use crate::driver::{Driver, required};
use crate::error::{Error, Result};
use crate::host::loop_device;
use crate::presence::{Presence, Shown};
use crate::size::Range;
use crate::store::record::Kind;

impl Driver {
    pub(crate) fn node_expand_volume(&self, request: csi::NodeExpandVolumeRequest) -> Result<csi::NodeExpandVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let path = Path::new(required("volume_path", &request.volume_path)?);
        let range = Range::of(request.capacity_range.as_ref())?;
        let (_guard, key, mut volume) = self.store.locked(id)?;
        if range.required > volume.capacity {
            return Err(Error::OutOfRange(format!(
                "volume {id} has {} bytes, and {} are asked for; ControllerExpandVolume comes first",
                volume.capacity, range.required
            )));
        }
        let presence = Presence::observe(&self.store, &key)?;
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if !matches!(presence.at(&real), Shown::Ours(_)) {
            // The kubelet may name the last pod's path, which can be gone while the volume is still in use by others.
            let staged = Path::new(&request.staging_target_path);
            let elsewhere = !request.staging_target_path.is_empty() && matches!(presence.at(staged), Shown::Ours(_));
            if !elsewhere && presence.loops.is_empty() {
                return Err(Error::NotFound(format!("volume {id} is neither staged nor published at {}", path.display())));
            }
        }
        if volume.kind == Kind::Loop {
            for found in &presence.loops {
                if let Some(device) = loop_device::open(*found, &self.store.data(&key, Kind::Loop))? {
                    device.refresh_size()?;
                }
            }
            if let (Some(device), Some(point)) = (presence.device()?, presence.filesystem_point()) {
                self.grow(&key, &mut volume, &device, point)?;
            }
        }
        Ok(csi::NodeExpandVolumeResponse { capacity_bytes: volume.capacity as i64 })
    }
}
