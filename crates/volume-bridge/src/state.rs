//! What is remembered of all volumes between requests, and whose turn it is with one of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedMutexGuard};

use crate::name::Name;
use crate::plan::Facts;
use crate::record::Record;

/// One request at a time works on a volume.
pub(crate) type Turn = OwnedMutexGuard<()>;

/// Shared by everything that serves.
#[derive(Default)]
pub(crate) struct State {
    inner: Mutex<Inner>,
    turns: Mutex<BTreeMap<Name, Arc<tokio::sync::Mutex<()>>>>,
    /// Work that must be finished before the process may end.
    busy: Mutex<usize>,
    rested: Notify,
    /// Something is left to tidy.
    pub(crate) untidy: Notify,
}

/// As the journal has it, and what the driver is.
#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) records: BTreeMap<Name, Record>,
    /// Records that could not be read, and where they are.
    pub(crate) lost: BTreeMap<Name, PathBuf>,
    /// `None`: not asked yet, or the driver was lost since.
    pub(crate) facts: Option<Facts>,
}

/// Work under way.
pub(crate) struct Busy(Arc<State>);

impl Drop for Busy {
    fn drop(&mut self) {
        let mut busy = self.0.busy.lock().unwrap_or_else(PoisonError::into_inner);
        *busy -= 1;
        if *busy == 0 {
            self.0.rested.notify_waiters();
        }
    }
}

impl State {
    /// The data, for a moment. Never held across an await.
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of what is known of one volume.
    pub(crate) fn record(&self, name: &Name) -> Option<Record> {
        self.inner().records.get(name).cloned()
    }

    /// Waits for its turn with a volume. First come, first served. Cancel safe.
    pub(crate) async fn turn(&self, name: &Name) -> Turn {
        let lock = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody holds or waits for are forgotten now and then.
            if turns.len() > 1024 {
                turns.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            turns.entry(name.clone()).or_default().clone()
        };
        lock.lock_owned().await
    }

    /// Its turn, if nobody is at it.
    pub(crate) fn try_turn(&self, name: &Name) -> Option<Turn> {
        let lock = self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default().clone();
        lock.try_lock_owned().ok()
    }

    /// The process does not end before this is dropped.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        *self.busy.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Busy(self.clone())
    }

    /// Waits until nothing is under way. Cancel safe.
    pub(crate) async fn rested(&self) {
        loop {
            let rested = self.rested.notified();
            tokio::pin!(rested);
            rested.as_mut().enable();
            if *self.busy.lock().unwrap_or_else(PoisonError::into_inner) == 0 {
                return;
            }
            rested.await;
        }
    }
}
