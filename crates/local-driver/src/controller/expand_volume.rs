//! ControllerExpandVolume: the image grows here; what sits on it grows in NodeExpandVolume.

use std::fs::OpenOptions;

use csi_proto::csi::v1 as csi;
use rustix::fs::FallocateFlags;

use crate::driver::{Driver, required};
use crate::error::{Error, Result, io_error};
use crate::parameters::Parameters;
use crate::size::Range;
use crate::store::record::Kind;

impl Driver {
    pub(crate) fn controller_expand_volume(
        &self,
        request: csi::ControllerExpandVolumeRequest,
    ) -> Result<csi::ControllerExpandVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        if request.capacity_range.is_none() {
            return Err(Error::Invalid("capacity_range is missing; say how large the volume is to become".to_owned()));
        }
        let range = Range::of(request.capacity_range.as_ref())?;
        let (_guard, key, mut volume) = self.store.locked(id)?;
        let size = range.choose(volume.capacity, "the volume as it is")?;
        if size > volume.capacity {
            let more = size - volume.capacity;
            let room = self.store.reserve(more, &format!("volume {id}"))?;
            if volume.kind == Kind::Loop {
                let image = self.store.data(&key, Kind::Loop);
                let file = OpenOptions::new().write(true).open(&image).map_err(io_error("open", &image))?;
                file.set_len(size).map_err(io_error("size", &image))?;
                if Parameters::of(&volume.parameters)?.full {
                    rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, size).map_err(io_error("allocate", &image))?;
                }
                file.sync_all().map_err(io_error("sync", &image))?;
            }
            drop(room);
            // After the file: a record never promises more than there is.
            volume.capacity = size;
            self.store.volumes.update(&key, &volume)?;
            tracing::info!(volume = id, bytes = size, "expanded");
        }
        Ok(csi::ControllerExpandVolumeResponse {
            capacity_bytes: size as i64,
            node_expansion_required: volume.kind == Kind::Loop,
        })
    }
}
