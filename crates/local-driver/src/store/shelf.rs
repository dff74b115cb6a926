//! A directory of objects, each a directory with its record and its data. An object appears and disappears by one rename.

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use super::durable::{gone_is_fine, make_dir, replace, sync_dir};
use super::key::Key;
use super::lock::{self, Guard};
use super::record::{LAYOUT, Record};
use crate::error::{Error, Result, io_error};

const NEW: &str = ".new-";
const GONE: &str = ".gone-";
const RECORD: &str = "record.json";

/// All objects of one kind.
pub(crate) struct Shelf<R> {
    dir: PathBuf,
    locks: PathBuf,
    kind: PhantomData<fn() -> R>,
}

impl<R: Record> Shelf<R> {
    /// Opens the shelf and clears away what a killed process left half made or half removed.
    pub(crate) fn open(dir: PathBuf, locks: PathBuf) -> Result<Self> {
        make_dir(&dir).map_err(io_error("create", &dir))?;
        let shelf = Shelf { dir, locks, kind: PhantomData };
        for name in shelf.names()? {
            let Some(key) = name.strip_prefix(NEW).or_else(|| name.strip_prefix(GONE)).and_then(Key::from_directory) else {
                continue;
            };
            // A lock that is held belongs to a living process that is still at work on it.
            if let Ok(_guard) = shelf.lock(&key) {
                shelf.sweep(&key)?;
                tracing::info!(object = key.as_str(), "removed what an interrupted call left behind");
            }
        }
        Ok(shelf)
    }

    /// Keeps every other call away from one object.
    pub(crate) fn lock(&self, key: &Key) -> Result<Guard> {
        lock::take(&self.locks.join(key.as_str()), &format!("{} {}", R::NOUN, key.as_str()))
    }

    /// Where an object's record and data are.
    pub(crate) fn path(&self, key: &Key) -> PathBuf {
        self.dir.join(key.as_str())
    }

    /// The record, or `None` if there is no such object.
    pub(crate) fn load(&self, key: &Key) -> Result<Option<R>> {
        let path = self.path(key).join(RECORD);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", &path)(error)),
        };
        let record: R =
            serde_json::from_slice(&bytes).map_err(|error| Error::Record { path: path.clone(), why: error.to_string() })?;
        if record.layout() > LAYOUT {
            let why = format!("its layout is {}, this driver knows up to {LAYOUT}", record.layout());
            return Err(Error::Record { path, why });
        }
        Ok(Some(record))
    }

    /// Every object that can be read, oldest first. One that cannot is reported and left alone.
    pub(crate) fn list(&self) -> Result<Vec<R>> {
        let mut records = Vec::new();
        for key in self.names()?.iter().filter_map(|name| Key::from_directory(name)) {
            match self.load(&key) {
                Ok(record) => records.extend(record),
                Err(error) => tracing::error!(object = key.as_str(), why = %error, "left out of the list"),
            }
        }
        records.sort_by(|a, b| (a.created(), a.id()).cmp(&(b.created(), b.id())));
        Ok(records)
    }

    /// An empty directory in which the object is put together.
    pub(crate) fn begin(&self, key: &Key) -> Result<PathBuf> {
        self.sweep(key)?;
        let path = self.new_path(key);
        make_dir(&path).map_err(io_error("create", &path))?;
        Ok(path)
    }

    /// Makes the object that was put together real. What is inside must already be synced.
    pub(crate) fn commit(&self, key: &Key, record: &R) -> Result<()> {
        let (from, to) = (self.new_path(key), self.path(key));
        replace(&from.join(RECORD), &encode(record)).map_err(io_error("write the record in", &from))?;
        fs::rename(&from, &to).map_err(io_error("commit", &to))?;
        sync_dir(&self.dir).map_err(io_error("sync", &self.dir))
    }

    /// Throws away an object that could not be put together. What cannot be removed now is swept later.
    pub(crate) fn abandon(&self, key: &Key) {
        if let Err(error) = self.sweep(key) {
            tracing::warn!(object = key.as_str(), why = %error, "left behind until the next attempt");
        }
    }

    /// Replaces an object's record.
    pub(crate) fn update(&self, key: &Key, record: &R) -> Result<()> {
        let path = self.path(key).join(RECORD);
        replace(&path, &encode(record)).map_err(io_error("write", &path))
    }

    /// Removes an object, and what is left of an earlier attempt. The caller has made sure that nothing uses it.
    pub(crate) fn remove(&self, key: &Key) -> Result<()> {
        self.sweep(key)?;
        let (from, to) = (self.path(key), self.gone_path(key));
        match fs::rename(&from, &to) {
            Ok(()) => sync_dir(&self.dir).map_err(io_error("sync", &self.dir))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error("remove", &from)(error)),
        }
        self.sweep(key)
    }

    /// Removes what interrupted calls left of one object, never the object itself.
    fn sweep(&self, key: &Key) -> Result<()> {
        for path in [self.new_path(key), self.gone_path(key)] {
            gone_is_fine(fs::remove_dir_all(&path)).map_err(io_error("remove", &path))?;
        }
        Ok(())
    }

    /// The names of everything on the shelf, half-made things included.
    pub(crate) fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(io_error("list", &self.dir))? {
            let entry = entry.map_err(io_error("list", &self.dir))?;
            names.extend(entry.file_name().into_string().ok());
        }
        names.sort();
        Ok(names)
    }

    /// The shelf's own directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    fn new_path(&self, key: &Key) -> PathBuf {
        self.dir.join(format!("{NEW}{}", key.as_str()))
    }

    fn gone_path(&self, key: &Key) -> PathBuf {
        self.dir.join(format!("{GONE}{}", key.as_str()))
    }
}

fn encode<R: Record>(record: &R) -> Vec<u8> {
    // Strings, integers and ordered maps only: this cannot fail.
    let mut bytes = serde_json::to_vec_pretty(record).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
