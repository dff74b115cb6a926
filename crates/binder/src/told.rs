//! What was said about an object, and when: an event that still holds is repeated now and then, not with every look.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cluster::{Key, Meta};
use rt::Instant;

use crate::words::Say;

/// As often as an object's budget of events allows for ever. Upstream says it every fifteen seconds, and then drops it.
pub(crate) const REPEAT: Duration = Duration::from_secs(300);

/// A hint: what is lost of it is said once more.
#[derive(Default)]
pub(crate) struct Told(Mutex<BTreeMap<Key, Last>>);

struct Last {
    uid: Box<str>,
    say: Say,
    at: Instant,
}

impl Told {
    /// What was last said about this very object, unless it is time to say it again.
    pub(crate) fn lately(&self, meta: &Meta, now: Instant) -> Option<Say> {
        let told = self.lock();
        let last = told.get(&meta.key)?;
        (last.uid == meta.uid && now.since(last.at) < REPEAT).then(|| last.say.clone())
    }

    pub(crate) fn note(&self, meta: &Meta, say: Say, now: Instant) {
        self.lock().insert(meta.key.clone(), Last { uid: meta.uid.clone(), say, at: now });
    }

    pub(crate) fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Last>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
