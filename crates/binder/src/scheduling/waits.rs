//! Which pods wait for their volumes, since when, and for what: so that a rejection can be told from a claim that was never
//! asked for. A hint: after a restart the wait begins anew.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cluster::{Key, Meta};
use rt::Instant;

/// Waits of every pod that has one.
#[derive(Default)]
pub(super) struct Waits(Mutex<BTreeMap<Key, Entry>>);

#[derive(Debug, Clone)]
struct Entry {
    uid: Box<str>,
    since: Option<Instant>,
    wait: Wait,
    aborts: u32,
    not_before: Instant,
}

/// What a pod waits for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Wait {
    /// Uids of the claims that are being provisioned.
    pub(crate) selected: Vec<Box<str>>,
    /// Uids of the claims whose volumes are reserved, and the volumes.
    pub(crate) reserved: Vec<(Box<str>, Box<str>)>,
}

/// What is remembered of one pod, as its plan sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Memory {
    /// What it waits for, and for how long yet; nothing left is too late.
    pub(crate) waiting: Option<(Wait, Duration)>,
    /// Its volumes could not be bound; it is tried again after this.
    pub(crate) back_off: Option<Duration>,
}

impl Waits {
    pub(super) fn of(&self, meta: &Meta, now: Instant, timeout: Duration) -> Memory {
        let waits = self.lock();
        let Some(entry) = waits.get(&meta.key).filter(|entry| entry.uid == meta.uid) else { return Memory::default() };
        let left = |since: Instant| timeout.saturating_sub(now.since(since));
        Memory {
            waiting: entry.since.map(|since| (entry.wait.clone(), left(since))),
            back_off: (now < entry.not_before).then(|| entry.not_before.since(now)),
        }
    }

    pub(super) fn begin(&self, meta: &Meta, wait: Wait, now: Instant) {
        let mut waits = self.lock();
        let aborts = waits.get(&meta.key).filter(|entry| entry.uid == meta.uid).map_or(0, |entry| entry.aborts);
        let entry = Entry { uid: meta.uid.clone(), since: Some(now), wait, aborts, not_before: now };
        waits.insert(meta.key.clone(), entry);
    }

    /// The wait was for nothing. The next attempt is made after one second, then two, at most ten. Upstream: the pod backoff.
    pub(super) fn abort(&self, meta: &Meta, now: Instant) {
        let mut waits = self.lock();
        let aborts = waits.get(&meta.key).filter(|entry| entry.uid == meta.uid).map_or(0, |entry| entry.aborts);
        let pause = Duration::from_secs(1 << aborts.min(4)).min(Duration::from_secs(10));
        let (uid, aborts) = (meta.uid.clone(), aborts.saturating_add(1));
        waits.insert(meta.key.clone(), Entry { uid, since: None, wait: Wait::default(), aborts, not_before: now + pause });
    }

    pub(super) fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
