//! The recent changes of one resource: what watches read, and what old pages are rebuilt from.

use std::collections::VecDeque;

use crate::Object;

/// How many changes of a resource are kept at most.
const MAX_ENTRIES: usize = 16 * 1024;
/// How many bytes of states that nothing else holds any more: a state that was replaced is alive only because of the log.
const MAX_BYTES: usize = 4 << 20;

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Done {
    Added,
    Modified,
    Deleted,
}

/// One change of one object.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) done: Done,
    /// The new state; of a deletion the last one, with the deletion's version.
    pub(crate) object: Object,
    /// What was stored before.
    pub(crate) previous: Option<Object>,
}

impl Entry {
    pub(crate) fn version(&self) -> u64 {
        self.object.version()
    }

    fn bytes(&self) -> usize {
        let ended = if self.done == Done::Deleted { self.object.json().len() } else { 0 };
        self.previous.as_ref().map_or(0, |object| object.json().len()) + ended
    }
}

/// Changes in the order of their versions, the oldest dropped when there are too many.
#[derive(Debug)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// Everything after this version is here.
    floor: u64,
}

impl Log {
    /// Knows nothing of what happened up to `floor`.
    pub(crate) fn after(floor: u64) -> Self {
        Self { entries: VecDeque::new(), bytes: 0, floor }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        self.keep(MAX_ENTRIES, MAX_BYTES);
    }

    /// Forgets every change so far.
    pub(crate) fn compact(&mut self) {
        self.keep(0, 0);
    }

    fn keep(&mut self, entries: usize, bytes: usize) {
        while self.entries.len() > entries || self.bytes > bytes {
            let Some(dropped) = self.entries.pop_front() else { break };
            self.bytes -= dropped.bytes();
            self.floor = dropped.version();
        }
    }

    /// Changes after this version can all be told.
    pub(crate) fn covers(&self, version: u64) -> bool {
        version >= self.floor
    }

    /// The oldest version that is covered.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// The changes after this version, oldest first.
    pub(crate) fn since(&self, version: u64) -> impl DoubleEndedIterator<Item = &Entry> {
        let start = self.entries.partition_point(|entry| entry.version() <= version);
        self.entries.range(start..)
    }
}
