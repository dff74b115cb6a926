//! CreateVolume. The whole volume is put together aside and appears by one rename, so a repeated call finds all of it or none.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use csi_proto::csi::v1 as csi;
use rustix::fs::FallocateFlags;

use super::origin::Origin;
use crate::capability::{self, Access, Wanted};
use crate::driver::{Driver, required};
use crate::error::{Error, Result, io_error};
use crate::host::copy;
use crate::parameters::Parameters;
use crate::size::Range;
use crate::store::durable::sync_dir;
use crate::store::key::Key;
use crate::store::record::{Filesystem, Format, Kind, LAYOUT, Volume};
use crate::store::{Store, now};

/// What a request asks for, checked.
struct Request {
    name: String,
    wanted: Vec<Wanted>,
    filesystem: Option<Filesystem>,
    parameters: Parameters,
    range: Range,
}

impl Driver {
    pub(crate) fn create_volume(&self, request: csi::CreateVolumeRequest) -> Result<csi::CreateVolumeResponse> {
        let name = required("name", &request.name)?.to_owned();
        let (wanted, filesystem) = capability::all(&request.volume_capabilities, self.config.multi_node)?;
        let parameters = Parameters::of(&request.parameters)?;
        if let Some(key) = request.mutable_parameters.keys().next() {
            return Err(Error::Invalid(format!(
                "mutable parameter {key:?} is unknown; this driver has none; correct the VolumeAttributesClass"
            )));
        }
        let range = Range::of(request.capacity_range.as_ref())?;
        self.check_place(request.accessibility_requirements.as_ref())?;
        let asked = Request { name, wanted, filesystem, parameters, range };

        let key = Key::for_volume_name(&asked.name);
        let _guard = self.store.volumes.lock(&key)?;
        let origin_id = Origin::named(request.volume_content_source.as_ref())?;
        if let Some(existing) = self.store.volumes.load(&key)? {
            asked.same_as(&existing, origin_id.as_ref())?;
            return Ok(csi::CreateVolumeResponse { volume: Some(self.describe(&existing)) });
        }
        let origin = origin_id.map(|id| Origin::open(self, id)).transpose()?;
        let volume = asked.volume(&key, origin.as_ref())?;
        build(&self.store, &key, &volume, asked.parameters.full, origin.as_ref())?;
        tracing::info!(volume = volume.id, name = volume.name, bytes = volume.capacity, kind = ?volume.kind, "created");
        Ok(csi::CreateVolumeResponse { volume: Some(self.describe(&volume)) })
    }
}

impl Request {
    /// The volume that satisfies the request.
    fn volume(&self, key: &Key, origin: Option<&Origin>) -> Result<Volume> {
        let kind = self.parameters.kind.or(origin.map(|origin| origin.kind)).unwrap_or(Kind::Loop);
        self.wanted.iter().try_for_each(|wanted| wanted.fits(kind))?;
        if let Some(origin) = origin {
            origin.fits(kind, self.filesystem)?;
        }
        let mounts = self.wanted.iter().any(|wanted| wanted.access != Access::Block);
        let filesystem = match kind {
            Kind::Directory => None,
            Kind::Loop => {
                self.filesystem.or(origin.and_then(|origin| origin.filesystem)).or(mounts.then_some(Filesystem::DEFAULT))
            }
        };
        let capacity = match origin {
            // What the origin holds must fit; a request without a size gets exactly the origin's.
            Some(origin) => {
                let range = Range { required: self.range.required.max(1), ..self.range };
                range.choose(origin.capacity, "the content source")?
            }
            None => {
                self.range.choose(filesystem.map_or(0, Filesystem::minimum), filesystem.map_or("a volume", Filesystem::name))?
            }
        };
        Ok(Volume {
            layout: LAYOUT,
            id: key.as_str().to_owned(),
            name: self.name.clone(),
            kind,
            capacity,
            filesystem,
            format: origin.map_or(Format::Blank, |origin| origin.format),
            filesystem_bytes: origin.map_or(0, |origin| origin.filesystem_bytes),
            parameters: self.parameters.given.clone(),
            source: origin.map(|origin| origin.source.clone()),
            borrowed_identity: origin.is_some(),
            created: now(),
            ephemeral: false,
            attached: Default::default(),
            published: Default::default(),
        })
    }

    /// Whether an existing volume of this name is what is asked for again.
    fn same_as(&self, existing: &Volume, source: Option<&crate::store::record::Source>) -> Result<()> {
        let differs =
            |what: String| Err(Error::Exists(format!("volume {} exists already with {what}; use another name", self.name)));
        if existing.parameters != self.parameters.given {
            return differs(format!("parameters {:?}, not {:?}", existing.parameters, self.parameters.given));
        }
        if existing.source.as_ref() != source {
            return differs("another content source".to_owned());
        }
        if !self.range.allows(existing.capacity) {
            return differs(format!("{} bytes, which is not within the capacity range asked for", existing.capacity));
        }
        match (existing.filesystem, self.filesystem) {
            (Some(has), Some(asked)) if has != asked => {
                return differs(format!("filesystem {}, not {}", has.name(), asked.name()));
            }
            _ => {}
        }
        match self.wanted.iter().try_for_each(|wanted| wanted.fits(existing.kind)) {
            Ok(()) => Ok(()),
            Err(_) => differs("a type that these capabilities do not fit".to_owned()),
        }
    }
}

/// Makes the data and commits the volume. On an error nothing of it stays.
pub(crate) fn build(store: &Store, key: &Key, volume: &Volume, full: bool, origin: Option<&Origin>) -> Result<()> {
    let dir = store.volumes.begin(key)?;
    let made = match volume.kind {
        Kind::Directory => directory(store, &dir, volume, origin),
        Kind::Loop => image(store, &dir, volume, full, origin),
    };
    let made = made.and_then(|()| store.volumes.commit(key, volume));
    if made.is_err() {
        store.volumes.abandon(key);
    }
    made
}

fn directory(store: &Store, dir: &Path, volume: &Volume, origin: Option<&Origin>) -> Result<()> {
    let data = dir.join(Kind::Directory.file_name());
    drop(store.reserve(volume.capacity, &format!("volume {}", volume.name))?);
    match origin {
        Some(origin) => origin.read(|from| copy::tree(from, &data))?,
        None => {
            fs::create_dir(&data).map_err(io_error("create", &data))?;
            // As the root of a fresh ext4: everybody may look, root may write, fsGroup may change that.
            fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).map_err(io_error("set the mode of", &data))?;
        }
    }
    sync_dir(&data).map_err(io_error("sync", &data))
}

fn image(store: &Store, dir: &Path, volume: &Volume, full: bool, origin: Option<&Origin>) -> Result<()> {
    let path = dir.join(Kind::Loop.file_name());
    let room = store.reserve(volume.capacity, &format!("volume {}", volume.name))?;
    let file = File::create_new(&path).map_err(io_error("create", &path))?;
    file.set_len(volume.capacity).map_err(io_error("size", &path))?;
    // From here on the file's own size keeps the room.
    drop(room);
    if let Some(origin) = origin {
        origin.read(|from| copy::image(from, &file, &path))?;
    }
    if full {
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, volume.capacity).map_err(io_error("allocate", &path))?;
    }
    file.sync_all().map_err(io_error("sync", &path))
}
