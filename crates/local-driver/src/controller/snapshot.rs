//! CreateSnapshot and DeleteSnapshot: a copy of a volume's data, with shared blocks where the disk's filesystem can.

use std::fs::File;

use csi_proto::csi::v1 as csi;
use prost_types::Timestamp;

use super::origin::Origin;
use crate::driver::{Driver, required};
use crate::error::{Error, Result, io_error};
use crate::host::copy;
use crate::store::durable::sync_dir;
use crate::store::key::Key;
use crate::store::now;
use crate::store::record::{Kind, LAYOUT, Snapshot, Source};

impl Driver {
    pub(crate) fn create_snapshot(&self, request: csi::CreateSnapshotRequest) -> Result<csi::CreateSnapshotResponse> {
        let name = required("name", &request.name)?;
        let from = required("source_volume_id", &request.source_volume_id)?;
        if let Some(key) = request.parameters.keys().find(|key| !key.starts_with("csi.storage.k8s.io/")) {
            return Err(Error::Invalid(format!(
                "snapshot parameter {key:?} is unknown; this driver has none; correct the class"
            )));
        }
        let key = Key::for_snapshot_name(name);
        let _guard = self.store.snapshots.lock(&key)?;
        if let Some(existing) = self.store.snapshots.load(&key)? {
            if existing.volume != from {
                return Err(Error::Exists(format!(
                    "snapshot {name} exists already, of volume {} and not of {from}; use another name",
                    existing.volume
                )));
            }
            return Ok(csi::CreateSnapshotResponse { snapshot: Some(describe(&existing)) });
        }
        let origin = Origin::open(self, Source::Volume(from.to_owned()))?;
        let snapshot = Snapshot {
            layout: LAYOUT,
            id: key.as_str().to_owned(),
            name: name.to_owned(),
            volume: from.to_owned(),
            kind: origin.kind,
            capacity: origin.capacity,
            filesystem: origin.filesystem,
            format: origin.format,
            filesystem_bytes: origin.filesystem_bytes,
            created: now(),
        };
        let made = self.copy_snapshot(&key, &origin).and_then(|()| self.store.snapshots.commit(&key, &snapshot));
        if made.is_err() {
            self.store.snapshots.abandon(&key);
        }
        made?;
        tracing::info!(snapshot = snapshot.id, volume = from, "created");
        Ok(csi::CreateSnapshotResponse { snapshot: Some(describe(&snapshot)) })
    }

    fn copy_snapshot(&self, key: &Key, origin: &Origin) -> Result<()> {
        let to = self.store.snapshots.begin(key)?.join(origin.kind.file_name());
        match origin.kind {
            Kind::Directory => {
                origin.read(|from| copy::tree(from, &to))?;
                sync_dir(&to).map_err(io_error("sync", &to))
            }
            Kind::Loop => {
                let file = File::create_new(&to).map_err(io_error("create", &to))?;
                file.set_len(origin.capacity).map_err(io_error("size", &to))?;
                origin.read(|from| copy::image(from, &file, &to))
            }
        }
    }

    pub(crate) fn get_snapshot(&self, request: csi::GetSnapshotRequest) -> Result<csi::GetSnapshotResponse> {
        let id = required("snapshot_id", &request.snapshot_id)?;
        let found = match Key::of_snapshot_id(id) {
            Some(key) => self.store.snapshots.load(&key)?,
            None => None,
        };
        let snapshot = found.ok_or_else(|| Error::NotFound(format!("snapshot {id} does not exist")))?;
        Ok(csi::GetSnapshotResponse { snapshot: Some(describe(&snapshot)) })
    }

    pub(crate) fn delete_snapshot(&self, request: csi::DeleteSnapshotRequest) -> Result<csi::DeleteSnapshotResponse> {
        let id = required("snapshot_id", &request.snapshot_id)?;
        if let Some(key) = Key::of_snapshot_id(id) {
            let _guard = self.store.snapshots.lock(&key)?;
            let there = self.store.snapshots.load(&key)?.is_some();
            self.store.snapshots.remove(&key)?;
            if there {
                tracing::info!(snapshot = id, "deleted");
            }
        }
        Ok(csi::DeleteSnapshotResponse {})
    }
}

/// A snapshot as every call reports it. It is whole from the moment it exists, so always ready.
pub(crate) fn describe(snapshot: &Snapshot) -> csi::Snapshot {
    let seconds = i64::try_from(snapshot.created / 1_000_000_000).unwrap_or(i64::MAX);
    let nanos = i32::try_from(snapshot.created % 1_000_000_000).unwrap_or_default();
    csi::Snapshot {
        size_bytes: snapshot.capacity as i64,
        snapshot_id: snapshot.id.clone(),
        source_volume_id: snapshot.volume.clone(),
        creation_time: Some(Timestamp { seconds, nanos }),
        ready_to_use: true,
        ..csi::Snapshot::default()
    }
}
