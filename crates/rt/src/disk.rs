//! Small files that must survive: whole-file reads and atomic, durable replacement.

mod host;
mod memory;

use std::io;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;

pub use host::HostDisk;
pub use memory::MemoryDisk;

/// A disk as the engine needs one. Every method yields at least once, so that a kill can come before and after it.
///
/// Cancel safety: a dropped call may or may not have taken effect, but never by half.
pub trait Disk: Send + Sync {
    /// The whole file.
    fn read(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<u8>>>;

    /// Replaces the file atomically and durably: temporary file, fsync, rename, fsync of the folder. The folder must exist.
    fn replace(&self, path: &Path, content: Vec<u8>) -> BoxFuture<'static, io::Result<()>>;

    /// Removes the file, durably. A file that is not there is no error.
    fn remove(&self, path: &Path) -> BoxFuture<'static, io::Result<()>>;

    /// Renames within one filesystem, durably; an existing target is replaced.
    fn rename(&self, from: &Path, to: &Path) -> BoxFuture<'static, io::Result<()>>;

    /// Makes the folder and its parents, mode 0750. A folder that is there is no error.
    fn make_dir(&self, path: &Path) -> BoxFuture<'static, io::Result<()>>;

    /// Removes an empty folder. One that is not there is no error; one that is not empty is.
    fn remove_dir(&self, path: &Path) -> BoxFuture<'static, io::Result<()>>;

    /// The names in a folder, sorted. A folder that is not there is an error of kind `NotFound`.
    fn list(&self, path: &Path) -> BoxFuture<'static, io::Result<Vec<PathBuf>>>;
}
