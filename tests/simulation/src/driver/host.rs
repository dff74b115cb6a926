//! What a driver does on its node besides the backend's books: folders, mounts, devices.

use std::io;
use std::path::Path;
use std::sync::Arc;

use csi_proto::csi::v1::{VolumeCapability, volume_capability::AccessType};
use fake_driver::{Code, Refusal, Request};
use node_mounter::mounter::{FakeMounter, Files, Mounter, Remount};
use rt::Disk;
use rt::disk::MemoryDisk;

/// A node's kernel and its disk, which the mounter on that node sees too.
#[derive(Clone)]
pub struct Host {
    /// Mounts and devices.
    pub mounter: Arc<FakeMounter>,
    /// Folders and files.
    pub disk: Arc<MemoryDisk>,
}

impl Host {
    /// What a mount needs, before it: the target is the driver's to make.
    pub(super) async fn prepare(&self, request: &Request) -> Result<(), Refusal> {
        self.mend(request)?;
        let Request::NodePublishVolume(r) = request else { return Ok(()) };
        let target = Path::new(&r.target_path);
        if is_block(r.volume_capability.as_ref()) {
            if self.disk.read(target).await.is_err() {
                self.disk.put(target, Vec::new());
            }
            return self.mounter.touch(target).map_err(failed("make", target));
        }
        self.disk.make_dir(target).await.map_err(failed("make the folder", target))
    }

    /// A dead mount is taken away, whatever comes next.
    fn mend(&self, request: &Request) -> Result<(), Refusal> {
        let target = match request {
            Request::NodeStageVolume(r) => &r.staging_target_path,
            Request::NodePublishVolume(r) => &r.target_path,
            Request::NodeUnpublishVolume(r) => &r.target_path,
            Request::NodeUnstageVolume(r) => &r.staging_target_path,
            _ => return Ok(()),
        };
        let target = Path::new(target);
        if self.disk.revive(target) { self.disappear(target) } else { Ok(()) }
    }

    /// The mount itself, once the backend has agreed. Each can be repeated.
    pub(super) fn mount(&self, request: &Request) -> Result<(), Refusal> {
        match request {
            Request::NodeStageVolume(r) => match is_block(r.volume_capability.as_ref()) {
                // A staged device is where the publish will find it, and nothing is mounted.
                true => Ok(()),
                false => self.appear(&r.volume_id, &r.staging_target_path, "ext4", false),
            },
            Request::NodePublishVolume(r) => {
                let fs_type = if is_block(r.volume_capability.as_ref()) { "devtmpfs" } else { "ext4" };
                self.appear(&r.volume_id, &r.target_path, fs_type, r.readonly)
            }
            Request::NodeUnstageVolume(r) => self.disappear(Path::new(&r.staging_target_path)),
            Request::NodeUnpublishVolume(r) => self.disappear(Path::new(&r.target_path)),
            _ => Ok(()),
        }
    }

    /// A target without a mount is removed: after an unpublish, and after a publish that was refused.
    pub(super) async fn tidy(&self, request: &Request, agreed: bool) -> Result<(), Refusal> {
        let target = match request {
            Request::NodePublishVolume(r) if !agreed => Path::new(&r.target_path),
            Request::NodeUnpublishVolume(r) if agreed => Path::new(&r.target_path),
            _ => return Ok(()),
        };
        if self.mounted(target)? {
            return Ok(());
        }
        self.disk.remove(target).await.map_err(failed("remove", target))?;
        self.disk.remove_dir(target).await.map_err(failed("remove the folder", target))
    }

    /// Staged and published are one filesystem, as bind mounts of it are to the kernel: the source says which.
    fn appear(&self, volume: &str, path: &str, fs_type: &str, readonly: bool) -> Result<(), Refusal> {
        let target = Path::new(path);
        if self.mounted(target)? {
            return Ok(());
        }
        let source = Path::new("/dev/fake").join(volume);
        self.mounter.mount(&source, target, fs_type, "").map_err(failed("mount", target))?;
        if readonly {
            self.mounter.remount(target, Remount::ReadOnly).map_err(failed("remount", target))?;
        }
        Ok(())
    }

    fn disappear(&self, target: &Path) -> Result<(), Refusal> {
        while self.mounted(target)? {
            self.mounter.unmount(target).map_err(failed("unmount", target))?;
        }
        Ok(())
    }

    fn mounted(&self, target: &Path) -> Result<bool, Refusal> {
        Ok(self.mounter.table().map_err(failed("read the mount table for", target))?.is_mount_point(target))
    }
}

fn is_block(capability: Option<&VolumeCapability>) -> bool {
    matches!(capability.and_then(|capability| capability.access_type.as_ref()), Some(AccessType::Block(_)))
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Refusal {
    move |error| Refusal::new(Code::Internal, format!("cannot {what} {}: {error}", path.display()))
}
