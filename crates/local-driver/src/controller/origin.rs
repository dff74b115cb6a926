//! What a volume or a snapshot is copied from: a snapshot, or a volume that may be in use.

use std::path::{Path, PathBuf};

use csi_proto::csi::v1::VolumeContentSource;
use csi_proto::csi::v1::volume_content_source::Type;

use crate::driver::{Driver, required};
use crate::error::{Error, Result};
use crate::host::loop_device;
use crate::presence::Presence;
use crate::store::key::Key;
use crate::store::lock::Guard;
use crate::store::record::{Filesystem, Format, Kind, Source};

/// An origin, kept from being deleted or changed by other calls while this lives.
pub(crate) struct Origin {
    pub(crate) source: Source,
    pub(crate) kind: Kind,
    pub(crate) capacity: u64,
    pub(crate) filesystem: Option<Filesystem>,
    pub(crate) format: Format,
    pub(crate) filesystem_bytes: u64,
    data: PathBuf,
    presence: Option<Presence>,
    _guard: Guard,
}

impl Origin {
    /// The origin that a request names.
    pub(crate) fn named(source: Option<&VolumeContentSource>) -> Result<Option<Source>> {
        match source.map(|source| &source.r#type) {
            None => Ok(None),
            Some(None) => Err(Error::Invalid("volume_content_source names neither a snapshot nor a volume".to_owned())),
            Some(Some(Type::Snapshot(from))) => {
                Ok(Some(Source::Snapshot(required("volume_content_source.snapshot.snapshot_id", &from.snapshot_id)?.to_owned())))
            }
            Some(Some(Type::Volume(from))) => {
                Ok(Some(Source::Volume(required("volume_content_source.volume.volume_id", &from.volume_id)?.to_owned())))
            }
        }
    }

    /// Opens it.
    pub(crate) fn open(driver: &Driver, source: Source) -> Result<Origin> {
        let store = &driver.store;
        match &source {
            Source::Snapshot(id) => {
                let gone = || Error::NotFound(format!("snapshot {id} does not exist"));
                let key = Key::of_snapshot_id(id).ok_or_else(gone)?;
                let guard = store.snapshots.lock(&key)?;
                let snapshot = store.snapshots.load(&key)?.ok_or_else(gone)?;
                Ok(Origin {
                    kind: snapshot.kind,
                    capacity: snapshot.capacity,
                    filesystem: snapshot.filesystem,
                    format: snapshot.format,
                    filesystem_bytes: snapshot.filesystem_bytes,
                    data: store.snapshots.path(&key).join(snapshot.kind.file_name()),
                    presence: None,
                    source,
                    _guard: guard,
                })
            }
            Source::Volume(id) => {
                let (guard, key, volume) = store.locked(id)?;
                Ok(Origin {
                    kind: volume.kind,
                    capacity: volume.capacity,
                    filesystem: volume.filesystem,
                    format: volume.format,
                    filesystem_bytes: volume.filesystem_bytes,
                    data: store.data(&key, volume.kind),
                    presence: Some(Presence::observe(store, &key)?),
                    source,
                    _guard: guard,
                })
            }
        }
    }

    /// Whether a volume of this kind and filesystem can begin as a copy of this.
    pub(crate) fn fits(&self, kind: Kind, filesystem: Option<Filesystem>) -> Result<()> {
        if kind != self.kind {
            return Err(Error::Invalid(format!(
                "parameter type is {kind:?}, but the content source is a {:?}; use a class of the same type",
                self.kind
            )));
        }
        match (self.format, filesystem) {
            (Format::Made(has), Some(asked)) if has != asked => Err(Error::Invalid(format!(
                "the content source holds {}, but {} is asked for; use a class with the same fsType",
                has.name(),
                asked.name()
            ))),
            _ => Ok(()),
        }
    }

    /// Lets `copy` read the data while a mounted filesystem stands still, so that the copy is one moment of it.
    pub(crate) fn read(&self, copy: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let Some(presence) = &self.presence else { return copy(&self.data) };
        match presence.filesystem_point() {
            Some(point) => {
                // Frozen already means by a process that was killed; it is thawed below all the same.
                loop_device::freeze(point)?;
                let copied = copy(&self.data);
                loop_device::thaw(point)?;
                copied
            }
            None => {
                if let Some(device) = presence.device()? {
                    device.flush()?;
                }
                copy(&self.data)
            }
        }
    }
}
