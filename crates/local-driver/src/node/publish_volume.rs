//! NodePublishVolume: show the staged volume, or its device, at one more path.

use std::path::Path;

use csi_proto::csi::v1 as csi;
use rustix::mount::MountFlags;

use crate::capability::{Access, Wanted};
use crate::driver::{Driver, host_path, required};
use crate::error::{Error, Result};
use crate::host::mountinfo::Mount;
use crate::host::{loop_device, mount, options};
use crate::node::{ephemeral, point};
use crate::presence::{Presence, Shown};
use crate::store::key::Key;
use crate::store::record::{Kind, Publication, Volume};

impl Driver {
    pub(crate) fn publish_volume(&self, request: csi::NodePublishVolumeRequest) -> Result<csi::NodePublishVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let wanted = Wanted::of(request.volume_capability.as_ref(), self.config.multi_node)?;
        let target = host_path("target_path", &request.target_path)?;
        if ephemeral::is_asked(&request.volume_context) {
            self.publish_ephemeral(&request, &wanted, &target)?;
            return Ok(csi::NodePublishVolumeResponse {});
        }
        if request.staging_target_path.is_empty() {
            return Err(Error::Precondition("staging_target_path is missing; NodeStageVolume comes first".to_owned()));
        }
        let staging = host_path("staging_target_path", &request.staging_target_path)?;
        let (_guard, key, mut volume) = self.store.locked(id)?;
        wanted.fits(volume.kind)?;
        let presence = Presence::observe(&self.store, &key)?;
        let block = wanted.access == Access::Block;
        let staged = if block { presence.device()?.is_some() } else { presence.ours_at(&staging)?.is_some() };
        if !staged {
            return Err(Error::Precondition(format!(
                "volume {id} is not staged at {}; NodeStageVolume comes first",
                staging.display()
            )));
        }
        let repeated = presence.ours_at(&target)?.is_some();
        let readonly = request.readonly || wanted.reader || asks_readonly(&wanted.access);
        self.write_down(&key, &mut volume, &presence, &target, Publication { readonly, block }, wanted.single_writer)?;
        match wanted.access {
            Access::Block => self.publish_block(&key, &presence, &target, readonly)?,
            Access::Mount { .. } => {
                if presence.ours_at(&target)?.is_none() {
                    point::make_directory(&target)?;
                    mount::bind(&staging, &target)?;
                }
                if readonly {
                    self.make_readonly(&key, &target)?;
                }
            }
        }
        if !repeated {
            tracing::info!(volume = id, path = %target.display(), readonly, "published");
        }
        Ok(csi::NodePublishVolumeResponse {})
    }

    /// Notes the target in the record before anything is mounted, after checking it against what is there.
    pub(super) fn write_down(
        &self,
        key: &Key,
        volume: &mut Volume,
        presence: &Presence,
        target: &Path,
        publication: Publication,
        single_writer: bool,
    ) -> Result<()> {
        // Other mounts of the volume may be the kubelet's or a runtime's; only what was written down counts as published.
        let other =
            volume.published.keys().map(Path::new).find(|path| *path != target && matches!(presence.at(path), Shown::Ours(_)));
        if let Some(other) = other.filter(|_| single_writer) {
            return Err(Error::Precondition(format!(
                "volume {} is published at {}, and its access mode SINGLE_NODE_SINGLE_WRITER allows one path",
                volume.id,
                other.display()
            )));
        }
        let name = target.to_string_lossy().into_owned();
        let there = presence.ours_at(target)?.is_some();
        match volume.published.get(&name) {
            Some(before) if *before == publication => return Ok(()),
            Some(before) if there => {
                return Err(Error::Exists(format!(
                    "volume {} is published at {name} with readonly={}, block={}; unpublish it before changing that",
                    volume.id, before.readonly, before.block
                )));
            }
            _ => {}
        }
        // Entries that a reboot unmounted are forgotten here.
        volume.published.retain(|path, _| matches!(presence.at(Path::new(path)), Shown::Ours(_)));
        volume.published.insert(name, publication);
        self.store.volumes.update(key, volume)
    }

    /// Binds the device node. A mount's read-only flag does not bind a device, so a reader gets a device of its own.
    fn publish_block(&self, key: &Key, presence: &Presence, target: &Path, readonly: bool) -> Result<()> {
        if presence.ours_at(target)?.is_some() {
            return Ok(());
        }
        let number = match presence.loops.iter().find(|found| found.readonly == readonly) {
            Some(found) => found.number,
            None => loop_device::attach(&self.store.data(key, Kind::Loop), readonly, false)?.number,
        };
        point::make_file(target)?;
        mount::bind(&loop_device::node(number), target)
    }

    /// Forbids writes through one path, keeping its other flags.
    pub(super) fn make_readonly(&self, key: &Key, target: &Path) -> Result<()> {
        let presence = Presence::observe(&self.store, key)?;
        match presence.ours_at(target)? {
            Some(shown) if shown.readonly() => Ok(()),
            Some(shown) => mount::set_bind_flags(target, flags(shown) | MountFlags::RDONLY),
            None => Err(Error::Precondition(format!(
                "{} was unmounted while it was being published; repeat the call",
                target.display()
            ))),
        }
    }
}

fn asks_readonly(access: &Access) -> bool {
    match access {
        Access::Block => false,
        Access::Mount { flags, .. } => options::parse(flags.iter().map(String::as_str)).flags.contains(MountFlags::RDONLY),
    }
}

fn flags(mount: &Mount) -> MountFlags {
    options::parse(mount.options.iter().map(String::as_str)).flags
}
