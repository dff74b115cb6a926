//! Mounting, binding and unmounting, with errors that say what was tried.

use std::ffi::CString;
use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, UnmountFlags};

use super::options::{Options, parse};
use crate::error::{Error, Result, io_error};
use crate::store::record::Filesystem;

/// Mounts a device's filesystem with the user's options.
pub(crate) fn filesystem(device: &Path, point: &Path, filesystem: Filesystem, words: &[String]) -> Result<()> {
    let words = words.iter().map(String::as_str).chain([filesystem.extra_options()]);
    let Options { flags, data } = parse(words);
    let said = data.clone();
    let data = CString::new(data).map_err(|_| Error::Invalid("mount_flags contain a NUL byte".to_owned()))?;
    match rustix::mount::mount(device, point, filesystem.name(), flags, data.as_c_str()) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::INVAL) => Err(Error::Invalid(format!(
            "the kernel refuses to mount {} at {} as {} with options {said:?} (invalid argument); \
             correct mountOptions, or see the kernel log for what is wrong with the filesystem",
            device.display(),
            point.display(),
            filesystem.name(),
        ))),
        Err(rustix::io::Errno::NODEV) => {
            Err(Error::Precondition(format!("this kernel does not know the filesystem {}; load its module", filesystem.name())))
        }
        Err(error) => Err(io_error("mount a filesystem at", point)(error)),
    }
}

/// Shows `source`, a directory or a device node, at `point`.
pub(crate) fn bind(source: &Path, point: &Path) -> Result<()> {
    rustix::mount::mount_bind(source, point).map_err(io_error("bind a volume to", point))
}

/// Sets the flags of a bind; the kernel replaces all of them.
pub(crate) fn set_bind_flags(point: &Path, flags: MountFlags) -> Result<()> {
    rustix::mount::mount_remount(point, flags | MountFlags::BIND, "").map_err(io_error("set the mount flags of", point))
}

/// Unmounts the topmost mount at `point`.
pub(crate) fn unmount(point: &Path) -> Result<()> {
    rustix::mount::unmount(point, UnmountFlags::NOFOLLOW).map_err(|error| match io::Error::from(error) {
        error if error.kind() == io::ErrorKind::ResourceBusy => Error::Precondition(format!(
            "{} is still in use by a process; it can be unmounted when that has ended",
            point.display()
        )),
        error => io_error("unmount", point)(error),
    })
}
