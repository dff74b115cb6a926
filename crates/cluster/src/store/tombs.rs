//! Which objects were seen to go, so that a late answer does not bring one back.
//!
//! Kept per key, because many objects come and go at once: that one is gone says nothing about another that was made just
//! before.

use std::collections::{BTreeMap, VecDeque};

use crate::key::Key;

/// Answers come within the limit of a request; so many deletions do not.
const REMEMBERED: usize = 4096;

#[derive(Default)]
pub(super) struct Tombs {
    /// What is older than this and not there may have gone unseen, or long ago.
    floor: u64,
    gone: BTreeMap<Key, u64>,
    order: VecDeque<Key>,
}

impl Tombs {
    /// An object is gone, at this version.
    pub(super) fn bury(&mut self, key: &Key, version: u64) {
        if self.gone.insert(key.clone(), version).is_none() {
            self.order.push_back(key.clone());
        }
        if self.order.len() > REMEMBERED
            && let Some(version) = self.order.pop_front().and_then(|oldest| self.gone.remove(&oldest))
        {
            self.floor = self.floor.max(version);
        }
    }

    /// A list is in. What is not in it is gone, and when is not known: at the latest with the newest in it.
    pub(super) fn relisted(&mut self, newest: u64) {
        *self = Self { floor: self.floor.max(newest), ..Self::default() };
    }

    /// Whether an answer speaks of an object that has gone since, as far as is known.
    pub(super) fn cover(&self, key: &Key, version: u64) -> bool {
        version <= self.floor || self.buried(key, version)
    }

    /// Whether this very object was seen to go after this version of it.
    pub(super) fn buried(&self, key: &Key, version: u64) -> bool {
        self.gone.get(key).is_some_and(|gone| version <= *gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: usize) -> Key {
        Key::cluster(&format!("object-{n}"))
    }

    #[test]
    fn one_that_is_gone_says_nothing_about_another() {
        let mut tombs = Tombs::default();
        tombs.bury(&key(1), 9);
        assert!(tombs.cover(&key(1), 9) && !tombs.cover(&key(1), 10));
        assert!(!tombs.cover(&key(2), 5));
    }

    #[test]
    fn after_a_list_everything_older_that_is_not_in_it_is_gone() {
        let mut tombs = Tombs::default();
        tombs.relisted(7);
        assert!(tombs.cover(&key(1), 7) && !tombs.cover(&key(1), 8));
        assert!(!tombs.buried(&key(1), 7));
    }

    #[test]
    fn what_is_forgotten_still_counts_as_gone() {
        let mut tombs = Tombs::default();
        for n in 0..=REMEMBERED {
            tombs.bury(&key(n), n as u64 + 1);
        }
        assert!(tombs.cover(&key(0), 1));
        assert!(!tombs.cover(&key(REMEMBERED + 1), 2));
        assert_eq!(tombs.gone.len(), REMEMBERED);
    }
}
