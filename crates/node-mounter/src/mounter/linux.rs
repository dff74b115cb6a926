//! The edge: the host's own mounts and files.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};

use super::{Files, Mounter, Remount};
use crate::fs_group::{self, Walk};
use crate::mountinfo::MountTable;

/// This host. Needs CAP_SYS_ADMIN for everything but [`Mounter::table`].
pub struct LinuxMounter;

impl Mounter for LinuxMounter {
    fn mount(&self, source: &Path, target: &Path, fs_type: &str, options: &str) -> io::Result<()> {
        let options = std::ffi::CString::new(options)?;
        Ok(rustix::mount::mount(source, target, fs_type, MountFlags::empty(), options.as_c_str())?)
    }

    fn bind(&self, source: &Path, target: &Path) -> io::Result<()> {
        Ok(rustix::mount::mount_bind(source, target)?)
    }

    fn remount(&self, target: &Path, change: Remount) -> io::Result<()> {
        match change {
            Remount::ReadOnly => rustix::mount::mount_remount(target, MountFlags::BIND | MountFlags::RDONLY, c"")?,
            Remount::SharedRecursively => {
                rustix::mount::mount_change(target, MountPropagationFlags::SHARED | MountPropagationFlags::REC)?;
            }
        }
        Ok(())
    }

    fn unmount(&self, target: &Path) -> io::Result<()> {
        match rustix::mount::unmount(target, UnmountFlags::NOFOLLOW) {
            Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn table(&self) -> io::Result<MountTable> {
        Ok(MountTable::parse(&fs::read("/proc/self/mountinfo")?))
    }
}

impl Files for LinuxMounter {
    fn link(&self, target: &Path, link: &Path) -> io::Result<()> {
        // A new link is renamed over the old one, so that a runtime never finds none.
        let mut name = std::ffi::OsString::from(".");
        name.push(link.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        let temporary = link.with_file_name(name);
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::os::unix::fs::symlink(target, &temporary)?;
        fs::rename(&temporary, link)
    }

    fn touch(&self, file: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o640).custom_flags(NOFOLLOW).open(file)?;
        Ok(())
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(path)
    }

    fn give_to_group(&self, root: &Path, gid: u32, only_on_mismatch: bool) -> io::Result<Walk> {
        fs_group::give(root, gid, only_on_mismatch)
    }
}

/// A link in the place of our own file would be somebody's trick.
const NOFOLLOW: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
