//! NodeGetVolumeStats and NodeGetVolumeHealth.

use std::path::Path;

use csi::volume_usage::Unit;
use csi_proto::csi::v1 as csi;

use crate::driver::{Driver, required};
use crate::error::{Error, Result, io_error};
use crate::presence::{Presence, Shown};
use crate::store::record::{Kind, Volume};

impl Driver {
    pub(crate) fn volume_stats(&self, request: csi::NodeGetVolumeStatsRequest) -> Result<csi::NodeGetVolumeStatsResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let path = Path::new(required("volume_path", &request.volume_path)?);
        let (key, volume) = self.store.volume(id)?;
        // The path may be the kubelet's own bind of ours, below a linked directory.
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let presence = Presence::observe(&self.store, &key)?;
        let Shown::Ours(mount) = presence.at(&real) else {
            return Err(Error::NotFound(format!("volume {id} is neither staged nor published at {}", path.display())));
        };
        let usage = if mount.point.is_dir() { filesystem_usage(&real)? } else { vec![device_usage(&volume)] };
        Ok(csi::NodeGetVolumeStatsResponse { usage })
    }

    pub(crate) fn volume_health(&self, request: csi::NodeGetVolumeHealthRequest) -> Result<csi::NodeGetVolumeHealthResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let (key, volume) = self.store.volume(id)?;
        let mut health_statuses = Vec::new();
        let mut report = |status: csi::VolumeHealthErrorType, reason: &str, message: String| {
            health_statuses.push(csi::volume_health::VolumeHealthEntry {
                status: status.into(),
                reason: reason.to_owned(),
                message,
            });
        };
        let data = self.store.data(&key, volume.kind);
        match std::fs::metadata(&data) {
            Err(error) => report(
                csi::VolumeHealthErrorType::DataLoss,
                "BackingDataMissing",
                format!("{} cannot be read: {error}; restore it", data.display()),
            ),
            Ok(meta) if volume.kind == Kind::Loop && meta.len() < volume.capacity => report(
                csi::VolumeHealthErrorType::DataLoss,
                "BackingFileTruncated",
                format!("{} has {} bytes, the volume {}; restore it", data.display(), meta.len(), volume.capacity),
            ),
            Ok(_) => {}
        }
        Ok(csi::NodeGetVolumeHealthResponse { volume_health: Some(csi::VolumeHealth { volume_id: volume.id, health_statuses }) })
    }
}

fn filesystem_usage(path: &Path) -> Result<Vec<csi::VolumeUsage>> {
    let stat = rustix::fs::statvfs(path).map_err(io_error("stat the filesystem at", path))?;
    let bytes = |blocks: u64| count(blocks.saturating_mul(stat.f_frsize));
    let usage = |unit: Unit, available, total, used| csi::VolumeUsage { available, total, used, unit: unit.into() };
    Ok(vec![
        usage(Unit::Bytes, bytes(stat.f_bavail), bytes(stat.f_blocks), bytes(stat.f_blocks.saturating_sub(stat.f_bfree))),
        usage(Unit::Inodes, count(stat.f_favail), count(stat.f_files), count(stat.f_files.saturating_sub(stat.f_ffree))),
    ])
}

/// Of a raw device only the size is known.
fn device_usage(volume: &Volume) -> csi::VolumeUsage {
    csi::VolumeUsage { total: count(volume.capacity), unit: Unit::Bytes.into(), ..csi::VolumeUsage::default() }
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
