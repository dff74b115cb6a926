//! One crash-safe file. Each commit waits for the disk once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Database, Durability};

use super::backend::Disk;
use super::{CommitError, Loaded, OpenError, Persist, open, rows};
use crate::store::Change;

/// The file of a store.
pub(crate) struct File {
    path: PathBuf,
    pub(super) disk: Arc<Disk>,
    /// `None` after a failure: the database refuses everything from then on, and must be opened again.
    db: Option<Database>,
    /// What failed to be committed. It may be in the file all the same, if the failure came last of all; nobody has seen it, and
    /// the next commit takes it out.
    doubtful: Vec<Change>,
}

impl File {
    /// Opens the file at this path; makes it if it is absent or empty. `identity` is for a new one.
    ///
    /// # Errors
    /// Why it cannot be used. Then it was not changed.
    pub(crate) fn open(path: &Path, identity: u128) -> Result<(Self, Loaded), OpenError> {
        let opened = open::open(path, identity)?;
        let file = Self { path: path.to_owned(), disk: opened.disk, db: Some(opened.db), doubtful: Vec::new() };
        Ok((file, opened.loaded))
    }

    fn try_commit(&mut self, changes: &[Change]) -> Result<(), redb::Error> {
        let db = match self.db.take() {
            Some(db) => db,
            None => open::reopen(&self.disk)?,
        };
        let mut txn = db.begin_write()?;
        // One phase: the header and the pages it speaks of are written together and synced once. Checksums tell, after a crash,
        // whether all of them arrived; if not, the commit before is taken.
        txn.set_durability(Durability::Immediate).map_err(redb::Error::from)?;
        rows::write(&txn, &self.doubtful, changes)?;
        txn.commit()?;
        self.db = Some(db);
        Ok(())
    }
}

impl Persist for File {
    fn commit(&mut self, changes: &[Change]) -> Result<(), CommitError> {
        match self.try_commit(changes) {
            Ok(()) => {
                self.doubtful.clear();
                Ok(())
            }
            Err(error) => {
                self.doubtful.extend_from_slice(changes);
                Err(CommitError::of(&self.path, error))
            }
        }
    }

    fn blocks(&self) -> bool {
        true
    }
}
