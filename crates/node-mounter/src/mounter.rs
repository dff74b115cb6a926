//! What we do with the kernel's mounts ourselves, as a trait of five methods, so that stage and publish are tested without
//! root. Filesystems are mounted by drivers; ours are the bind mount that holds a device, and the shared root.

mod fake;
mod linux;

use std::io;
use std::path::{Path, PathBuf};

use crate::mountinfo::MountTable;
pub use fake::FakeMounter;
pub use linux::LinuxMounter;

/// How a mount is to be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remount {
    /// Nothing can be written through it any more.
    ReadOnly,
    /// Mounts below it, now and later, reach other mount namespaces and come back from them.
    SharedRecursively,
}

/// The kernel's mounts. Calls block: run them where that is allowed.
pub trait Mounter: Send + Sync {
    /// Mounts a filesystem.
    fn mount(&self, source: &Path, target: &Path, fs_type: &str, options: &str) -> io::Result<()>;

    /// Makes what is at `source`, a directory or a file, appear at `target` too.
    fn bind(&self, source: &Path, target: &Path) -> io::Result<()>;

    /// Changes a mount.
    fn remount(&self, target: &Path, change: Remount) -> io::Result<()>;

    /// Takes the uppermost mount off `target`. What is not mounted is no error: somebody else may have been faster.
    fn unmount(&self, target: &Path) -> io::Result<()>;

    /// All mounts of this namespace.
    fn table(&self) -> io::Result<MountTable>;
}

/// The few things besides mounts that a [`rt::Disk`] does not do, because they make no sense without a kernel.
pub trait Files: Send + Sync {
    /// Makes a symbolic link, in place of another that may be there. The folder must exist.
    fn link(&self, target: &Path, link: &Path) -> io::Result<()>;

    /// Makes an empty file unless something is there.
    fn touch(&self, file: &Path) -> io::Result<()>;

    /// Follows all links.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;

    /// Gives a volume to a group: see [`crate::fs_group`].
    fn give_to_group(&self, root: &Path, gid: u32, only_on_mismatch: bool) -> io::Result<crate::fs_group::Walk>;
}

/// Makes sure that what drivers mount below `root` in their own namespaces is seen here: without that, a volume looks
/// unmounted, and is cleaned away under its pod.
pub fn share_root(mounter: &dyn Mounter, root: &Path) -> io::Result<bool> {
    if mounter.table()?.containing(root).is_some_and(|mount| mount.shared) {
        return Ok(false);
    }
    if !mounter.table()?.is_mount_point(root) {
        mounter.bind(root, root)?;
    }
    mounter.remount(root, Remount::SharedRecursively)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_on_a_private_mount_is_shared_once() {
        let mounter = FakeMounter::new("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
        assert!(share_root(&mounter, Path::new("/var/lib/kubelet")).expect("shared"));
        assert!(!share_root(&mounter, Path::new("/var/lib/kubelet")).expect("nothing to do"));
        let table = mounter.table().expect("table");
        assert_eq!(table.layers(Path::new("/var/lib/kubelet")), 1);
    }

    #[test]
    fn a_root_on_a_shared_mount_is_left_alone() {
        let mounter = FakeMounter::new("1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n");
        assert!(!share_root(&mounter, Path::new("/var/lib/kubelet")).expect("nothing to do"));
        assert_eq!(mounter.table().expect("table").0.len(), 1);
    }
}
