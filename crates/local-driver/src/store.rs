//! The driver's state: on disk, crash-safe, shared by every process that serves the same data directory.
//!
//! ```text
//! DIR/volumes/<id>/record.json   what the volume is      DIR/snapshots/<id>/…   the same for snapshots
//!                 /disk.img      a loop volume's bytes   DIR/nodes/<node id>    nodes that served from here
//!                 /data/         a directory volume's    DIR/locks/<id>         held during a call
//! ```

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result, io_error};

pub(crate) mod durable;
pub(crate) mod key;
pub(crate) mod lock;
pub(crate) mod record;
pub(crate) mod shelf;
#[cfg(test)]
mod tests;

use key::Key;
use lock::Guard;
use record::{Kind, Snapshot, Volume};
use shelf::Shelf;

/// Everything under the data directory.
pub(crate) struct Store {
    root: PathBuf,
    pub(crate) volumes: Shelf<Volume>,
    pub(crate) snapshots: Shelf<Snapshot>,
    overcommit: bool,
    allocating: Mutex<()>,
}

impl Store {
    /// Opens, or makes, a data directory.
    pub(crate) fn open(root: &Path, overcommit: bool) -> Result<Self> {
        durable::make_dir(root).map_err(io_error("create the data directory", root))?;
        // The kernel reports real paths; ours must compare equal to them.
        let root = fs::canonicalize(root).map_err(io_error("resolve the data directory", root))?;
        let locks = root.join("locks");
        for dir in [&locks, &root.join("nodes")] {
            durable::make_dir(dir).map_err(io_error("create", dir))?;
        }
        let volumes = Shelf::open(root.join("volumes"), locks.clone())?;
        let snapshots = Shelf::open(root.join("snapshots"), locks)?;
        Ok(Store { root, volumes, snapshots, overcommit, allocating: Mutex::new(()) })
    }

    /// Which volume an id means: one that we gave; else the name that a volume was made under, which is what documents of other systems
    /// call a volume that somebody made for them; else a pod's inline volume, which kubelet has named.
    pub(crate) fn key(&self, id: &str) -> Key {
        if let Some(key) = Key::of_own_id(id) {
            return key;
        }
        let named = Key::for_volume_name(id);
        if self.volumes.path(&named).exists() { named } else { Key::for_inline_id(id) }
    }

    /// The volume behind an id, or the sentence that there is none.
    pub(crate) fn volume(&self, id: &str) -> Result<(Key, Volume)> {
        let key = self.key(id);
        let volume = self.known(&key, id)?;
        Ok((key, volume))
    }

    /// The same, for one call at a time.
    pub(crate) fn locked(&self, id: &str) -> Result<(Guard, Key, Volume)> {
        let key = self.key(id);
        let guard = self.volumes.lock(&key)?;
        let volume = self.known(&key, id)?;
        Ok((guard, key, volume))
    }

    fn known(&self, key: &Key, id: &str) -> Result<Volume> {
        let missing = || Error::NotFound(format!("volume {id} does not exist under {}", self.root.display()));
        self.volumes.load(key)?.ok_or_else(missing)
    }

    /// Where a volume's bytes are: its image or its directory.
    pub(crate) fn data(&self, key: &Key, kind: Kind) -> PathBuf {
        self.volumes.path(key).join(kind.file_name())
    }

    /// Remembers that a node serves from here, so that a controller can tell a node from a typing mistake.
    pub(crate) fn register_node(&self, node: &str) -> Result<()> {
        let path = self.node_path(node);
        File::create(&path).map(drop).map_err(io_error("register the node in", path))
    }

    /// Whether such a node ever served from here.
    pub(crate) fn knows_node(&self, node: &str) -> bool {
        self.node_path(node).exists()
    }

    fn node_path(&self, node: &str) -> PathBuf {
        // A node id is free text; a slash must not lead out of the directory.
        self.root.join("nodes").join(node.replace('%', "%25").replace('/', "%2f"))
    }

    /// Bytes that a new volume may still promise: what the disk has, less what sparse images have promised and not yet used.
    pub(crate) fn available(&self) -> Result<u64> {
        let stat = rustix::fs::statvfs(&self.root).map_err(io_error("stat the filesystem of", &self.root))?;
        let mut available = stat.f_bavail.saturating_mul(stat.f_frsize);
        if self.overcommit {
            return Ok(available);
        }
        for name in self.volumes.names()? {
            let image = self.volumes.dir().join(name).join(Kind::Loop.file_name());
            match fs::metadata(&image) {
                Ok(meta) => available = available.saturating_sub(meta.len().saturating_sub(meta.blocks() * 512)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io_error("stat", &image)(error)),
            }
        }
        Ok(available)
    }

    /// Refuses what the disk cannot hold. Keep the guard until the file has its size, or two calls may be promised the same room.
    pub(crate) fn reserve(&self, bytes: u64, whom: &str) -> Result<MutexGuard<'_, ()>> {
        let guard = self.allocating.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let available = self.available()?;
        if bytes > available && !self.overcommit {
            return Err(Error::Exhausted(format!(
                "{whom} needs {bytes} bytes, but {} has {available} left; free space there or ask for less",
                self.root.display()
            )));
        }
        Ok(guard)
    }
}

/// Nanoseconds since the epoch.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
