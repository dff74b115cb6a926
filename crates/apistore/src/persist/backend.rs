//! The file below the database. Until what is in it has been judged, writes to it are held back: opening a database may repair it,
//! and a file that turns out to be damaged must be left as it was found.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

/// The open file. It is locked by whoever made this, for as long as this lives; the database is told nothing of locks, because
/// it may be closed and opened again in between.
#[derive(Debug)]
pub(super) struct Disk {
    file: fs::File,
    held: Mutex<Option<Held>>,
    /// How often the disk was waited for.
    #[cfg(test)]
    pub(super) syncs: std::sync::atomic::AtomicU64,
    /// Whether waiting fails, after everything was written.
    #[cfg(test)]
    pub(super) failing: std::sync::atomic::AtomicBool,
}

/// What would have been done to the file.
#[derive(Debug)]
struct Held {
    len: u64,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

impl Disk {
    /// Writes go to the file.
    pub(super) fn direct(file: fs::File) -> Arc<Self> {
        Self::with(file, None)
    }

    /// Writes are held back until [`Disk::release`].
    pub(super) fn held(file: fs::File) -> io::Result<Arc<Self>> {
        let held = Held { len: file.metadata()?.len(), steps: Vec::new() };
        Ok(Self::with(file, Some(held)))
    }

    fn with(file: fs::File, held: Option<Held>) -> Arc<Self> {
        Arc::new(Self {
            file,
            held: Mutex::new(held),
            #[cfg(test)]
            syncs: Default::default(),
            #[cfg(test)]
            failing: Default::default(),
        })
    }

    /// Does what was held back, in order, and holds nothing back from now on.
    pub(super) fn release(&self) -> io::Result<()> {
        let mut held = self.lock();
        for step in held.take().into_iter().flat_map(|held| held.steps) {
            match step {
                Step::Write(offset, data) => self.file.write_all_at(&data, offset)?,
                Step::SetLen(len) => self.file.set_len(len)?,
                Step::Sync => self.file.sync_data()?,
            }
        }
        Ok(())
    }

    #[cfg(test)]
    fn count(&self) -> io::Result<()> {
        use std::sync::atomic::Ordering::Relaxed;
        self.syncs.fetch_add(1, Relaxed);
        if self.failing.load(Relaxed) { Err(io::Error::other("the cable is out")) } else { Ok(()) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Held {
    /// What would be read.
    fn read(&self, file: &fs::File, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.saturating_add(out.len() as u64);
        if end > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        out.fill(0);
        let there = file.metadata()?.len().saturating_sub(offset).min(out.len() as u64);
        file.read_exact_at(&mut out[..there as usize], offset)?;
        for step in &self.steps {
            match step {
                Step::Write(at, data) => overwrite(out, offset, *at, data),
                Step::SetLen(len) => {
                    let kept = len.saturating_sub(offset).min(out.len() as u64) as usize;
                    out[kept..].fill(0);
                }
                Step::Sync => {}
            }
        }
        Ok(())
    }
}

/// Puts the part of `data`, which lies at `at`, into `out`, which lies at `offset`, where they overlap.
fn overwrite(out: &mut [u8], offset: u64, at: u64, data: &[u8]) {
    let start = at.max(offset);
    let end = (at + data.len() as u64).min(offset + out.len() as u64);
    if start < end {
        let from = &data[(start - at) as usize..(end - at) as usize];
        out[(start - offset) as usize..(end - offset) as usize].copy_from_slice(from);
    }
}

/// What the database is given.
#[derive(Debug)]
pub(super) struct Backend(pub(super) Arc<Disk>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.lock() {
            Some(held) => Ok(held.len),
            None => Ok(self.0.file.metadata()?.len()),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.0.lock() {
            Some(held) => held.read(&self.0.file, offset, out),
            None => self.0.file.read_exact_at(out, offset),
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        match &mut *self.0.lock() {
            Some(held) => {
                held.len = len;
                held.steps.push(Step::SetLen(len));
                Ok(())
            }
            None => self.0.file.set_len(len),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        match &mut *self.0.lock() {
            Some(held) => {
                held.steps.push(Step::Sync);
                Ok(())
            }
            None => {
                #[cfg(test)]
                self.0.count()?;
                self.0.file.sync_data()
            }
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        match &mut *self.0.lock() {
            Some(held) => {
                held.steps.push(Step::Write(offset, data.to_owned()));
                Ok(())
            }
            None => self.0.file.write_all_at(data, offset),
        }
    }
}
