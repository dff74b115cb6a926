//! NodeStageVolume: attach, make the filesystem if there is none, mount. A raw volume is only attached.

use std::path::Path;

use csi_proto::csi::v1 as csi;

use crate::capability::{Access, Wanted};
use crate::driver::{Driver, host_path, required};
use crate::error::{Error, Result};
use crate::host::content::{self, Content};
use crate::host::loop_device::{self, Device};
use crate::host::{mount, options};
use crate::node::point;
use crate::presence::Presence;
use crate::store::key::Key;
use crate::store::record::{Filesystem, Format, Kind, Volume};

impl Driver {
    pub(crate) fn stage_volume(&self, request: csi::NodeStageVolumeRequest) -> Result<csi::NodeStageVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let wanted = Wanted::of(request.volume_capability.as_ref(), self.config.multi_node)?;
        let point = host_path("staging_target_path", &request.staging_target_path)?;
        let (_guard, key, mut volume) = self.store.locked(id)?;
        wanted.fits(volume.kind)?;
        self.check_published_here(&volume)?;
        let presence = Presence::observe(&self.store, &key)?;
        if presence.ours_at(&point)?.is_some() {
            return Ok(csi::NodeStageVolumeResponse {});
        }
        match wanted.access {
            Access::Block => {
                if presence.device()?.is_none() {
                    let device = loop_device::attach(&self.store.data(&key, Kind::Loop), false, false)?;
                    tracing::info!(volume = id, device = %device.path().display(), "attached");
                }
            }
            Access::Mount { filesystem, flags } => {
                self.mount_volume(&key, &mut volume, &presence, &point, filesystem, &flags)?;
                tracing::info!(volume = id, path = %point.display(), "staged");
            }
        }
        Ok(csi::NodeStageVolumeResponse {})
    }

    /// With `--controller-publish`, a volume is staged only where the controller published it.
    fn check_published_here(&self, volume: &Volume) -> Result<()> {
        if !self.config.controller_publish || volume.attached.contains_key(&self.config.node_id) {
            return Ok(());
        }
        Err(Error::Precondition(format!(
            "volume {} is not published to node {}; ControllerPublishVolume comes first",
            volume.id, self.config.node_id
        )))
    }

    /// Mounts a volume at a path that is free.
    pub(super) fn mount_volume(
        &self,
        key: &Key,
        volume: &mut Volume,
        presence: &Presence,
        point: &Path,
        asked: Option<Filesystem>,
        flags: &[String],
    ) -> Result<()> {
        match volume.kind {
            Kind::Directory => self.mount_directory(key, point, flags),
            Kind::Loop => self.mount_loop(key, volume, presence, point, asked, flags),
        }
    }

    fn mount_directory(&self, key: &Key, point: &Path, flags: &[String]) -> Result<()> {
        let options = options::parse(flags.iter().map(String::as_str));
        if !options.data.is_empty() {
            return Err(Error::Invalid(format!(
                "mount options {:?} belong to a filesystem, and a volume of type directory has none of its own; correct mountOptions",
                options.data
            )));
        }
        point::make_directory(point)?;
        mount::bind(&self.store.data(key, Kind::Directory), point)?;
        if options.flags.is_empty() { Ok(()) } else { mount::set_bind_flags(point, options.flags) }
    }

    fn mount_loop(
        &self,
        key: &Key,
        volume: &mut Volume,
        presence: &Presence,
        point: &Path,
        asked: Option<Filesystem>,
        flags: &[String],
    ) -> Result<()> {
        let image = self.store.data(key, Kind::Loop);
        // One device per image: two would cache, and write, past each other.
        let device = match presence.device()? {
            Some(device) => device,
            None => loop_device::attach(&image, false, true)?,
        };
        let filesystem = self.formatted(key, volume, &device, &image, asked)?;
        let mounted_elsewhere = presence.mounts().next().is_some();
        if volume.borrowed_identity && !mounted_elsewhere {
            filesystem.renew_identity(&device.path())?;
            device.flush()?;
            volume.borrowed_identity = false;
            self.store.volumes.update(key, volume)?;
        }
        // What is mounted elsewhere too grows while mounted.
        if volume.filesystem_bytes < volume.capacity && !mounted_elsewhere {
            device.refresh_size()?;
            if filesystem.grow_unmounted(&device.path())? {
                self.note_grown(key, volume)?;
            }
        }
        point::make_directory(point)?;
        mount::filesystem(&device.path(), point, filesystem, flags)?;
        self.grow(key, volume, &device, point)
    }

    /// The filesystem that is on the volume, made first if the volume is blank. Never makes one over anything else.
    fn formatted(
        &self,
        key: &Key,
        volume: &mut Volume,
        device: &Device,
        image: &Path,
        asked: Option<Filesystem>,
    ) -> Result<Filesystem> {
        let id = &volume.id;
        let content = content::probe(image)?;
        let make = match (volume.format, &content) {
            (Format::Made(made), Content::Known(found)) if made == *found => None,
            (Format::Made(made), found) => {
                return Err(Error::Precondition(format!(
                    "volume {id} was formatted as {} but now holds {found:?}; it is left as it is; restore it or delete it",
                    made.name()
                )));
            }
            // An mkfs of ours that nobody saw the end of; the volume was never mounted.
            (Format::Making(_), _) | (Format::Blank, Content::Blank) => {
                Some(asked.or(volume.filesystem).unwrap_or(Filesystem::DEFAULT))
            }
            // Somebody who had the raw device made it, in the size they liked.
            (Format::Blank, Content::Known(found)) => {
                volume.format = Format::Made(*found);
                volume.filesystem = Some(*found);
                volume.filesystem_bytes = volume.capacity;
                self.store.volumes.update(key, volume)?;
                None
            }
            (Format::Blank, Content::Foreign(name)) => {
                return Err(Error::Precondition(format!(
                    "volume {id} holds {name}, not a filesystem; it is never formatted over; use it as a block volume, or delete it"
                )));
            }
        };
        if let Some(filesystem) = make {
            if volume.capacity < filesystem.minimum() {
                return Err(Error::Precondition(format!(
                    "volume {id} has {} bytes, and {} needs at least {}; expand it or choose another fsType",
                    volume.capacity,
                    filesystem.name(),
                    filesystem.minimum()
                )));
            }
            volume.format = Format::Making(filesystem);
            self.store.volumes.update(key, volume)?;
            filesystem.make(&device.path())?;
            device.flush()?;
            volume.format = Format::Made(filesystem);
            volume.filesystem = Some(filesystem);
            volume.filesystem_bytes = volume.capacity;
            self.store.volumes.update(key, volume)?;
            tracing::info!(volume = volume.id, filesystem = filesystem.name(), "formatted");
        }
        match (volume.format, asked) {
            (Format::Made(has), Some(asked)) if has != asked => Err(Error::Precondition(format!(
                "volume {} holds {}, but {} is asked for; correct fsType, or use another volume",
                volume.id,
                has.name(),
                asked.name()
            ))),
            (Format::Made(has), _) => Ok(has),
            (Format::Blank | Format::Making(_), _) => Ok(volume.filesystem.unwrap_or(Filesystem::DEFAULT)),
        }
    }

    /// Grows a mounted filesystem to its volume's size, if the volume became larger.
    pub(super) fn grow(&self, key: &Key, volume: &mut Volume, device: &Device, mounted: &Path) -> Result<()> {
        let Format::Made(filesystem) = volume.format else { return Ok(()) };
        if volume.filesystem_bytes >= volume.capacity {
            return Ok(());
        }
        device.refresh_size()?;
        filesystem.grow(&device.path(), mounted)?;
        self.note_grown(key, volume)
    }

    fn note_grown(&self, key: &Key, volume: &mut Volume) -> Result<()> {
        volume.filesystem_bytes = volume.capacity;
        self.store.volumes.update(key, volume)?;
        tracing::info!(volume = volume.id, bytes = volume.capacity, "filesystem grown");
        Ok(())
    }
}
