//! Why is nothing happening? The last word on every object, kept until the object is gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rt::Instant;

/// The last thing a controller decided about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which controller.
    pub controller: &'static str,
    /// `Do`, `Rest`, `Refuse`, `Failed` or `Standby`.
    pub next: &'static str,
    /// The action, reason or problem, by name.
    pub word: &'static str,
    /// One sentence for a person; empty where the word says it all.
    pub detail: String,
    /// When this was first the answer.
    pub since: Instant,
    /// How often it was the answer in a row.
    pub times: u32,
}

/// One per process, shared by its controllers.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<BTreeMap<(String, &'static str), Entry>>>);

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes down the last word on an object.
    pub fn note(
        &self,
        object: &str,
        now: Instant,
        controller: &'static str,
        next: &'static str,
        word: &'static str,
        detail: String,
    ) {
        let mut entries = self.entries();
        match entries.get_mut(&(object.to_owned(), controller)) {
            Some(entry) if entry.next == next && entry.word == word => {
                entry.times = entry.times.saturating_add(1);
                entry.detail = detail;
            }
            _ => {
                let entry = Entry { controller, next, word, detail, since: now, times: 1 };
                entries.insert((object.to_owned(), controller), entry);
            }
        }
    }

    /// The object is gone, or is none of our business.
    pub fn forget(&self, object: &str, controller: &'static str) {
        self.entries().remove(&(object.to_owned(), controller));
    }

    /// What every controller last said about an object.
    pub fn why(&self, object: &str) -> Vec<Entry> {
        let entries = self.entries();
        entries.range((object.to_owned(), "")..).take_while(|((of, _), _)| of == object).map(|(_, entry)| entry.clone()).collect()
    }

    /// Everything, in the order of the objects.
    pub fn all(&self) -> Vec<(String, Entry)> {
        self.entries().iter().map(|((object, _), entry)| (object.clone(), entry.clone())).collect()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, &'static str), Entry>> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}
