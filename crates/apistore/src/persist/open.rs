//! Opening a file: whose it is, whether somebody else has it, and whether what is in it is whole. Only then is it touched.

use std::fs;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Builder, Database};

use super::backend::{Backend, Disk};
use super::rows::{self, Unreadable};
use super::{Loaded, OpenError, holder};

/// What every file of this kind begins with.
const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";
/// What the database may keep of the file. Everything is in memory already, so this is for the pages above those that are written;
/// more made no write faster.
const CACHE_BYTES: usize = 1 << 20;

/// An open, locked file.
pub(super) struct Opened {
    pub(super) disk: Arc<Disk>,
    pub(super) db: Database,
    pub(super) loaded: Loaded,
}

/// Opens the file at this path; makes it if it is absent or empty.
///
/// # Errors
/// Why it cannot be used. Then it was not changed.
pub(super) fn open(path: &Path, identity: u128) -> Result<Opened, OpenError> {
    let empty = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(OpenError::foreign(path, "it is not a regular file")),
        Ok(metadata) => metadata.len() == 0,
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(OpenError::io(path, "look at")(error)),
    };
    if empty {
        create(path, identity)?;
    }
    let file = fs::OpenOptions::new().read(true).write(true).open(path).map_err(OpenError::io(path, "open"))?;
    lock(&file, path)?;
    let mut magic = [0; MAGIC.len()];
    let read = file.read_at(&mut magic, 0).map_err(OpenError::io(path, "read"))?;
    if magic[..read] != MAGIC {
        return Err(OpenError::foreign(path, "it begins with something else"));
    }
    let disk = Disk::held(file).map_err(OpenError::io(path, "read"))?;
    // A damaged file may make the database library panic where it trusts what it wrote.
    let judged = catch_unwind(AssertUnwindSafe(|| judge(&disk)));
    let (db, loaded) = judged.unwrap_or_else(|_| Err(Unreadable::Corrupt("it does not hold together".to_owned()))).map_err(
        |error| match error {
            Unreadable::Foreign(why) => OpenError::foreign(path, why),
            Unreadable::Format(found) => OpenError::Format { path: path.to_owned(), found, known: rows::KNOWN_FORMAT },
            Unreadable::Corrupt(why) => OpenError::corrupt(path, why),
        },
    )?;
    disk.release().map_err(OpenError::io(path, "write to"))?;
    Ok(Opened { disk, db, loaded })
}

/// Reads everything, and recovers what a crash left unfinished; the disk holds the writes back.
fn judge(disk: &Arc<Disk>) -> Result<(Database, Loaded), Unreadable> {
    let recovered = Arc::new(AtomicBool::new(false));
    let seen = recovered.clone();
    let mut builder = builder();
    builder.set_repair_callback(move |_| seen.store(true, Ordering::Relaxed));
    let mut db = builder.create_with_backend(Backend(disk.clone()))?;
    // A file that was closed properly has nothing to recover: whatever does not hold together in it was damaged since. To take
    // the commit before, as after a crash, would lose what was acknowledged.
    if !recovered.load(Ordering::Relaxed) && !db.check_integrity()? {
        return Err(Unreadable::Corrupt("it was closed properly, and does not hold together any more".to_owned()));
    }
    let loaded = rows::load(&db)?;
    Ok((db, loaded))
}

/// Opens the database again after a failed write, on the file that is still locked.
pub(super) fn reopen(disk: &Arc<Disk>) -> Result<Database, redb::Error> {
    Ok(builder().create_with_backend(Backend(disk.clone()))?)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Makes a file beside the path and moves it there when it is whole: there is never half a store, whenever we are killed.
fn create(path: &Path, identity: u128) -> Result<(), OpenError> {
    let draft = with_suffix(path, ".new");
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&draft)
        .map_err(OpenError::io(&draft, "create"))?;
    lock(&file, path)?;
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
        // Somebody was faster, and theirs is there now. What we made is empty.
        let _ = fs::remove_file(&draft);
        return Ok(());
    }
    file.set_len(0).map_err(OpenError::io(&draft, "empty"))?;
    let made = || -> Result<(), redb::Error> {
        let db = builder().create_with_backend(Backend(Disk::direct(file)))?;
        rows::found(&db, identity, Loaded::default().version)
    };
    made().map_err(|error| {
        let _ = fs::remove_file(&draft);
        OpenError::Io { path: draft.clone(), attempt: "write", source: io::Error::other(error) }
    })?;
    fs::rename(&draft, path).map_err(OpenError::io(path, "create"))?;
    sync_folder(path).map_err(OpenError::io(path, "make durable"))
}

/// One process at a time. The lock ends with the process, however it ends.
fn lock(file: &fs::File, path: &Path) -> Result<(), OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned(), holder: holder::of(file) }),
        Err(fs::TryLockError::Error(error)) => Err(OpenError::io(path, "lock")(error)),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
