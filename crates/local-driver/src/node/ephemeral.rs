//! Inline volumes: made by NodePublishVolume for one pod, mounted straight at the target, deleted by NodeUnpublishVolume.

use std::collections::BTreeMap;
use std::path::Path;

use csi_proto::csi::v1 as csi;

use crate::capability::{Access, Wanted};
use crate::controller::build;
use crate::driver::Driver;
use crate::error::{Error, Result};
use crate::parameters::{self, Parameters};
use crate::presence::Presence;
use crate::size::Range;
use crate::store::key::Key;
use crate::store::now;
use crate::store::record::{Filesystem, Format, Kind, LAYOUT, Publication, Volume};

/// What the kubelet says of an inline volume.
const EPHEMERAL: &str = "csi.storage.k8s.io/ephemeral";
/// The one attribute that a class has no parameter for.
const SIZE: &str = "size";

/// Whether a publish request is for an inline volume.
pub(super) fn is_asked(context: &BTreeMap<String, String>) -> bool {
    context.get(EPHEMERAL).is_some_and(|value| value == "true")
}

impl Driver {
    pub(super) fn publish_ephemeral(
        &self,
        request: &csi::NodePublishVolumeRequest,
        wanted: &Wanted,
        target: &Path,
    ) -> Result<()> {
        let Access::Mount { filesystem, flags } = &wanted.access else {
            return Err(Error::Invalid("an inline volume is a directory in a pod; it cannot be a block device".to_owned()));
        };
        let id = &request.volume_id;
        let key = self.store.key(id);
        let _guard = self.store.volumes.lock(&key)?;
        let mut volume = match self.store.volumes.load(&key)? {
            Some(volume) if volume.ephemeral => volume,
            Some(_) => return Err(Error::Exists(format!("volume {id} is a persistent volume; it cannot be inline too"))),
            None => self.create_ephemeral(&key, id, wanted, *filesystem, &request.volume_context)?,
        };
        let presence = Presence::observe(&self.store, &key)?;
        let readonly = request.readonly || wanted.reader;
        self.write_down(&key, &mut volume, &presence, target, Publication { readonly, block: false }, true)?;
        if presence.ours_at(target)?.is_none() {
            self.mount_volume(&key, &mut volume, &presence, target, *filesystem, flags)?;
            tracing::info!(volume = id, path = %target.display(), readonly, "published inline");
        }
        if readonly {
            self.make_readonly(&key, target)?;
        }
        Ok(())
    }

    fn create_ephemeral(
        &self,
        key: &Key,
        id: &str,
        wanted: &Wanted,
        filesystem: Option<Filesystem>,
        context: &BTreeMap<String, String>,
    ) -> Result<Volume> {
        let mut attributes = context.clone();
        let size = attributes.remove(SIZE).map(|size| parameters::size(&size)).transpose()?;
        let parameters = Parameters::of(&attributes)?;
        let kind = parameters.kind.unwrap_or(Kind::Loop);
        wanted.fits(kind)?;
        let filesystem = (kind == Kind::Loop).then(|| filesystem.unwrap_or(Filesystem::DEFAULT));
        let range = Range { required: size.unwrap_or(0), limit: None };
        let volume = Volume {
            layout: LAYOUT,
            id: id.to_owned(),
            name: id.to_owned(),
            kind,
            capacity: range.choose(filesystem.map_or(0, Filesystem::minimum), "an inline volume")?,
            filesystem,
            format: Format::Blank,
            filesystem_bytes: 0,
            parameters: parameters.given.clone(),
            source: None,
            borrowed_identity: false,
            created: now(),
            ephemeral: true,
            attached: BTreeMap::new(),
            published: BTreeMap::new(),
        };
        build(&self.store, key, &volume, parameters.full, None)?;
        Ok(volume)
    }
}
