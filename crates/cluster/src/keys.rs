//! A queue of keys: each waits once, and no two workers have the same one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rt::{Ctx, Instant};
use tokio::sync::Notify;

use crate::key::Key;
use crate::store::{Kind, Store};

/// A de-duplicating queue with delays. A key that is added while it is being worked on is worked on once more afterwards.
///
/// Bounded by the number of live objects; adding never waits.
pub struct Keys<K> {
    ctx: Ctx,
    state: Mutex<State<K>>,
    wake: Notify,
}

struct State<K> {
    ready: VecDeque<K>,
    queued: BTreeSet<K>,
    running: BTreeSet<K>,
    /// Added while running.
    dirty: BTreeSet<K>,
    delayed: BTreeMap<(Instant, u64), K>,
    due: BTreeMap<K, (Instant, u64)>,
    /// Wait for leadership.
    parked: BTreeSet<K>,
    next: u64,
}

impl Keys<Key> {
    /// Every object of this store is looked at now, and whenever it changes.
    pub fn follow<K: Kind>(self: &Arc<Self>, store: &Store<K>) {
        let to = self.clone();
        store.subscribe(move |change| {
            if let Some(key) = change.key() {
                to.add(key.clone());
            }
        });
    }
}

impl<K: Ord + Clone> Keys<K> {
    /// An empty queue.
    pub fn new(ctx: Ctx) -> Self {
        let state = State {
            ready: VecDeque::new(),
            queued: BTreeSet::new(),
            running: BTreeSet::new(),
            dirty: BTreeSet::new(),
            delayed: BTreeMap::new(),
            due: BTreeMap::new(),
            parked: BTreeSet::new(),
            next: 0,
        };
        Self { ctx, state: Mutex::new(state), wake: Notify::new() }
    }

    /// Works on this key as soon as a worker is free. Ends a delay it was in: something changed.
    pub fn add(&self, key: K) {
        let mut state = self.state();
        state.undelay(&key);
        state.parked.remove(&key);
        if state.enqueue(key) {
            self.wake.notify_one();
        }
    }

    /// Works on this key unless it is already waiting for its time: what a resync does.
    pub fn add_if_idle(&self, key: K) {
        let mut state = self.state();
        let busy = state.due.contains_key(&key) || state.parked.contains(&key);
        if !busy && state.enqueue(key) {
            self.wake.notify_one();
        }
    }

    /// Works on this key after `delay`. The earliest time wins for a key that already waits.
    pub fn add_after(&self, key: K, delay: Duration) {
        let mut state = self.state();
        let at = (self.ctx.now() + delay, state.next);
        if state.queued.contains(&key) || state.due.get(&key).is_some_and(|have| have.0 <= at.0) {
            return;
        }
        state.undelay(&key);
        state.next += 1;
        state.due.insert(key.clone(), at);
        state.delayed.insert(at, key);
        self.wake.notify_one();
    }

    /// Sets a key aside until [`Keys::unpark`].
    pub fn park(&self, key: K) {
        self.state().parked.insert(key);
    }

    /// Works on everything that was set aside.
    pub fn unpark(&self) {
        let parked = std::mem::take(&mut self.state().parked);
        for key in parked {
            self.add(key);
        }
    }

    /// The next key. Give it back with [`Keys::done`]. Cancel safe.
    pub async fn next(&self) -> K {
        loop {
            let notified = self.wake.notified();
            let until = {
                let mut state = self.state();
                state.release_due(self.ctx.now());
                if let Some(key) = state.take() {
                    if !state.ready.is_empty() {
                        self.wake.notify_one();
                    }
                    return key;
                }
                state.delayed.keys().next().map(|(at, _)| *at)
            };
            match until {
                Some(at) => {
                    tokio::select! {
                        biased;
                        () = notified => {}
                        () = self.ctx.sleep_until(at) => {}
                    }
                }
                None => notified.await,
            }
        }
    }

    /// The one who works on this key is about to look: whatever added it until now will be seen, and need not bring it back.
    pub fn looking(&self, key: &K) {
        self.state().dirty.remove(key);
    }

    /// The work on this key is over. Returns whether it was added meanwhile and waits again.
    pub fn done(&self, key: &K) -> bool {
        let mut state = self.state();
        state.running.remove(key);
        let again = state.dirty.remove(key);
        if again {
            state.undelay(key);
            if state.enqueue(key.clone()) {
                self.wake.notify_one();
            }
        }
        again
    }

    /// Keys that wait for a worker now.
    pub fn depth(&self) -> usize {
        self.state().ready.len()
    }

    /// Whether nothing waits, runs or is delayed.
    pub fn is_idle(&self) -> bool {
        let state = self.state();
        state.ready.is_empty() && state.running.is_empty() && state.delayed.is_empty()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

// === impl State ===

impl<K: Ord + Clone> State<K> {
    /// Whether a worker should look.
    fn enqueue(&mut self, key: K) -> bool {
        if self.running.contains(&key) {
            self.dirty.insert(key);
            return false;
        }
        if !self.queued.insert(key.clone()) {
            return false;
        }
        self.ready.push_back(key);
        true
    }

    fn undelay(&mut self, key: &K) {
        if let Some(at) = self.due.remove(key) {
            self.delayed.remove(&at);
        }
    }

    fn release_due(&mut self, now: Instant) {
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now {
                return;
            }
            let key = entry.remove();
            self.due.remove(&key);
            self.enqueue(key);
        }
    }

    fn take(&mut self) -> Option<K> {
        let key = self.ready.pop_front()?;
        self.queued.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }
}

#[cfg(test)]
mod tests;
