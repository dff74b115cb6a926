//! One call per object, also across processes that share a data directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result, io_error};

/// Held for the length of one call; released, and its file removed, on drop. A killed process releases it too.
pub(crate) struct Guard {
    path: PathBuf,
    _file: File,
}

/// Takes the lock at `path`, or says that `whom` is busy.
pub(crate) fn take(path: &Path, whom: &str) -> Result<Guard> {
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(io_error("open the lock", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(whom.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io_error("lock", path)(error)),
        }
        // The holder before us removed its file as it left; what we locked may be that file.
        let ours = file.metadata().map_err(io_error("stat the lock", path))?;
        if fs::metadata(path).is_ok_and(|there| there.ino() == ours.ino()) {
            return Ok(Guard { path: path.to_owned(), _file: file });
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Before the unlock, so that no newcomer can hold the name we remove. A leftover file is harmless.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_call_is_told_to_wait_and_a_later_one_is_let_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v-1");
        let first = take(&path, "volume v-1").unwrap();
        assert!(matches!(take(&path, "volume v-1"), Err(Error::Busy(_))));
        drop(first);
        assert!(!path.exists());
        drop(take(&path, "volume v-1").unwrap());
    }
}
