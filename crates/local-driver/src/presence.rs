//! Where a volume is right now, asked of the kernel: its loop devices and its mounts. What we remember is never the answer.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::host::loop_device::{self, Attached, Device};
use crate::host::mountinfo::{self, Mount};
use crate::store::Store;
use crate::store::key::Key;
use crate::store::record::Kind;

/// One look at the host, for one volume.
pub(crate) struct Presence {
    table: Vec<Mount>,
    pub(crate) loops: Vec<Attached>,
    image: PathBuf,
    directory: PathBuf,
    directory_tail: PathBuf,
}

/// What a path shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown<'a> {
    Nothing,
    Ours(&'a Mount),
    Foreign(&'a Mount),
}

impl Presence {
    /// Looks. The volume's record need not exist: what is still mounted may outlive it.
    pub(crate) fn observe(store: &Store, key: &Key) -> Result<Presence> {
        let tail = Path::new("volumes").join(key.as_str());
        let (image, directory) = (store.data(key, Kind::Loop), store.data(key, Kind::Directory));
        Ok(Presence {
            table: mountinfo::read()?,
            loops: loop_device::attached_to(&image, &tail.join(Kind::Loop.file_name()))?,
            directory_tail: tail.join(Kind::Directory.file_name()),
            image,
            directory,
        })
    }

    /// What is mounted at exactly this path.
    pub(crate) fn at(&self, point: &Path) -> Shown<'_> {
        match mountinfo::at(&self.table, point) {
            None => Shown::Nothing,
            Some(mount) if self.is_ours(mount) => Shown::Ours(mount),
            Some(mount) => Shown::Foreign(mount),
        }
    }

    /// Like [`Presence::at`], for a path that must be this volume's or free.
    pub(crate) fn ours_at(&self, point: &Path) -> Result<Option<&Mount>> {
        match self.at(point) {
            Shown::Nothing => Ok(None),
            Shown::Ours(mount) => Ok(Some(mount)),
            Shown::Foreign(mount) => Err(Error::Precondition(format!(
                "{} is not this volume: {} ({}) is mounted there; whoever mounted it must unmount it",
                point.display(),
                mount.source.display(),
                mount.fs_type
            ))),
        }
    }

    /// Every mount of this volume.
    pub(crate) fn mounts(&self) -> impl Iterator<Item = &Mount> {
        self.table.iter().filter(|mount| self.is_ours(mount))
    }

    /// A point at which the whole filesystem of a loop volume is mounted.
    pub(crate) fn filesystem_point(&self) -> Option<&Path> {
        self.mounts().find(|mount| self.is_on_our_loop(mount)).map(|mount| mount.point.as_path())
    }

    /// The device that takes writes, opened; `None` if the image is not attached.
    pub(crate) fn device(&self) -> Result<Option<Device>> {
        match self.loops.iter().find(|found| !found.readonly) {
            Some(found) => loop_device::open(*found, &self.image),
            None => Ok(None),
        }
    }

    /// Why the volume cannot be deleted; `None` if nothing uses it.
    pub(crate) fn used(&self, store_path: &Path) -> Option<String> {
        if let Some(mount) = self.mounts().next() {
            return Some(format!("it is still mounted at {}", mount.point.display()));
        }
        if let Some(found) = self.loops.first() {
            return Some(format!("it is still attached as {}", loop_device::node(found.number).display()));
        }
        let inside = self.table.iter().find(|mount| mount.point.starts_with(store_path))?;
        Some(format!("something else is mounted inside it, at {}", inside.point.display()))
    }

    fn is_ours(&self, mount: &Mount) -> bool {
        self.is_on_our_loop(mount) || self.is_our_node(mount) || self.is_our_directory(mount)
    }

    fn has_loop(&self, number: Option<u32>) -> bool {
        number.is_some_and(|number| self.loops.iter().any(|found| found.number == number))
    }

    fn is_on_our_loop(&self, mount: &Mount) -> bool {
        mount.source.starts_with("/dev") && self.has_loop(loop_device::number(&mount.source))
    }

    /// A bound device node: the table shows the node's name as the root of the filesystem that holds /dev.
    fn is_our_node(&self, mount: &Mount) -> bool {
        let number = loop_device::number(&mount.root);
        self.has_loop(number)
            && fs::metadata(&mount.point)
                .is_ok_and(|meta| meta.file_type().is_block_device() && Some(rustix::fs::minor(meta.rdev())) == number)
    }

    fn is_our_directory(&self, mount: &Mount) -> bool {
        // The root is a path inside the filesystem, so only its end can be compared; the inode then decides.
        mount.root.ends_with(&self.directory_tail)
            && match (fs::metadata(&self.directory), fs::metadata(&mount.point)) {
                (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
                // Our own directory is gone; the key in the path is all there is to go by.
                _ => true,
            }
    }
}
