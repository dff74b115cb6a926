//! `--mount`: volumes that a pod can really write to. Each is a folder, bind-mounted on the target path; needs root. Without it
//! the driver only writes down what it was told.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use csi_proto::csi::v1::{NodeUnpublishVolumeRequest, volume_capability::AccessType};
use rustix::mount::{MountFlags, UnmountFlags, mount_bind, mount_remount, unmount};

use crate::{
    code::{Code, Refusal},
    rpc::Request,
};

/// The folder with the volumes' folders.
#[derive(Debug, Clone)]
pub(crate) struct Mounts {
    data: PathBuf,
}

impl Mounts {
    pub(crate) fn new(data: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&data)?;
        Ok(Self { data })
    }

    /// Refuses what cannot be done, and unmounts before the world forgets the mount.
    pub(crate) fn before(&self, request: &Request) -> Result<(), Refusal> {
        match request {
            Request::NodePublishVolume(r) => {
                self.folder(&r.volume_id)?;
                let capability = r.volume_capability.as_ref().and_then(|c| c.access_type.as_ref());
                if matches!(capability, Some(AccessType::Block(_))) {
                    return Err(Refusal::new(Code::InvalidArgument, "this driver mounts folders; it has no block devices"));
                }
                Ok(())
            }
            Request::NodeUnpublishVolume(r) => {
                unbind(Path::new(&r.target_path)).map_err(|e| failed("unmount", &r.target_path, &e))
            }
            Request::DeleteVolume(r) => self.folder(&r.volume_id).map(drop),
            _ => Ok(()),
        }
    }

    /// Does it, once the world has agreed.
    pub(crate) fn after(&self, request: &Request) -> Result<(), Refusal> {
        match request {
            Request::NodePublishVolume(r) => {
                let folder = self.folder(&r.volume_id)?;
                let bound = bind(&folder, Path::new(&r.target_path), r.readonly);
                bound.map_err(|e| failed("bind", &r.target_path, &e))
            }
            Request::DeleteVolume(r) => match fs::remove_dir_all(self.folder(&r.volume_id)?) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &r.volume_id, &error)),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The call that takes back what the world wrote down for this one.
    pub(crate) fn undo(request: &Request) -> Option<Request> {
        let Request::NodePublishVolume(r) = request else { return None };
        let undo = NodeUnpublishVolumeRequest { volume_id: r.volume_id.clone(), target_path: r.target_path.clone() };
        Some(Request::NodeUnpublishVolume(undo))
    }

    /// A volume id is a name, not a path.
    fn folder(&self, id: &str) -> Result<PathBuf, Refusal> {
        if id.contains('/') || id == "." || id == ".." {
            return Err(Refusal::new(Code::InvalidArgument, format!("volume_id {id:?} cannot name a folder")));
        }
        Ok(self.data.join(id))
    }
}

fn failed(what: &str, path: &str, error: &io::Error) -> Refusal {
    Refusal::new(Code::Internal, format!("cannot {what} {path}: {error}"))
}

fn bind(folder: &Path, target: &Path, readonly: bool) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::create_dir_all(target)?;
    if !mounted(target)? {
        mount_bind(folder, target)?;
        // A bind mount learns to be read-only only in a second step.
        if readonly && let Err(error) = mount_remount(target, MountFlags::BIND | MountFlags::RDONLY, "") {
            unmount(target, UnmountFlags::empty())?;
            return Err(error.into());
        }
    }
    Ok(())
}

fn unbind(target: &Path) -> io::Result<()> {
    while mounted(target)? {
        unmount(target, UnmountFlags::empty())?;
    }
    match fs::remove_dir(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The mount table knows; device numbers would not differ between a folder and a bind of its neighbour.
fn mounted(target: &Path) -> io::Result<bool> {
    let Ok(target) = fs::canonicalize(target) else { return Ok(false) };
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(table.lines().filter_map(|l| l.split(' ').nth(4)).any(|p| Path::new(&unescape(p)) == target))
}

/// Blanks are `\040` and so on in the mount table.
fn unescape(path: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(path.to_owned(), |path, (from, to)| path.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_in_the_mount_table_is_a_blank() {
        assert_eq!(unescape("/a\\040b\\134c"), "/a b\\c");
    }

    #[test]
    fn a_volume_id_that_is_a_path_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let mounts = Mounts::new(folder.path().to_owned()).expect("mounts");
        assert!(mounts.folder("../etc").is_err() && mounts.folder("..").is_err() && mounts.folder("v").is_ok());
    }

    #[test]
    #[ignore = "needs root: it mounts"]
    fn a_bound_folder_is_the_volume_until_it_is_unbound_however_often_each_is_done() {
        let folder = tempfile::tempdir().expect("folder");
        let (data, target) = (folder.path().join("data"), folder.path().join("pod a/mount"));
        for _ in 0..2 {
            bind(&data, &target, false).expect("bind");
        }
        fs::write(target.join("file"), "bytes").expect("write");
        assert_eq!(fs::read_to_string(data.join("file")).expect("read"), "bytes");
        for _ in 0..2 {
            unbind(&target).expect("unbind");
        }
        assert!(!target.exists());
        bind(&data, &target, true).expect("bind read-only");
        let error = fs::write(target.join("file"), "more").expect_err("read-only");
        assert_eq!(error.kind(), io::ErrorKind::ReadOnlyFilesystem);
        unbind(&target).expect("unbind");
    }
}
