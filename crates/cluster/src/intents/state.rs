//! What is open, what the Leases are known to hold, and what has to be written: plain data, no waiting, no API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rt::Instant;
use tokio::sync::oneshot;

use super::packed::Records;
use super::{Begun, IntentError};

/// Commits start at least this far apart, so that what begins at the same time shares one.
pub(super) const APART: Duration = Duration::from_millis(20);
/// An end that no begin takes along is written by itself after this long.
pub(super) const LAZY: Duration = Duration::from_secs(1);

type Reply = oneshot::Sender<Result<Begun, IntentError>>;

/// One record of the Lease with this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) place: usize,
    pub(super) key: Box<str>,
    pub(super) text: Arc<str>,
}

/// What a commit does to one key: the text that is to be there, or nothing.
pub(super) type Sent = (Box<str>, Option<Arc<str>>);

/// One key that is open, or not yet known to be gone.
struct Entry {
    /// `None`: it has ended, and is to be removed.
    want: Option<Arc<str>>,
    /// Texts that are ours or were taken over and may stand in the Lease. Only these are ever replaced or removed.
    known: Vec<Arc<str>>,
    /// `want` stands in the Lease.
    durable: bool,
    /// The number of its Lease.
    place: Option<usize>,
    begun: Timestamp,
    waiters: Vec<Reply>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) term: u64,
    entries: BTreeMap<Box<str>, Entry>,
    /// Have to be written.
    begins: BTreeSet<Box<str>>,
    ends: BTreeSet<Box<str>>,
    /// Since when the first of them waits.
    ends_since: Option<Instant>,
    /// Records that the owner cannot read. They stay where they are.
    unreadable: BTreeSet<(usize, Box<str>, Arc<str>)>,
    flushes: Vec<oneshot::Sender<()>>,
    /// Nothing can be written, and is not tried before this.
    pub(super) refused_until: Option<Instant>,
}

/// How a [`State::begin`] goes on.
pub(super) enum Beginning {
    Over(Begun),
    /// Somebody else's record stands there; its text.
    Earlier(Arc<str>),
    Waits(oneshot::Receiver<Result<Begun, IntentError>>),
}

impl State {
    /// Everything that was known belongs to another term.
    pub(super) fn enter(&mut self, term: u64) {
        if self.term < term {
            self.leave();
            self.term = term;
        }
    }

    /// Nothing is open for us any more; whoever leads next reads it in the Lease.
    pub(super) fn leave(&mut self) {
        for entry in std::mem::take(&mut self.entries).into_values() {
            answer(entry.waiters, || Err(IntentError::NotLeading));
        }
        self.begins.clear();
        self.ends.clear();
        self.ends_since = None;
        self.flushed();
    }

    pub(super) fn begin(&mut self, key: &str, text: &str, now: Instant, begun: Timestamp) -> Beginning {
        let unprotected = self.refused_until.is_some_and(|until| now < until);
        let entry = self.entries.entry(key.into()).or_insert_with(|| Entry::new(begun));
        match &entry.want {
            Some(want) if **want != *text => return Beginning::Earlier(want.clone()),
            Some(_) if entry.durable => return Beginning::Over(Begun::Written),
            Some(_) => {}
            None => {
                entry.want = Some(text.into());
                (entry.durable, entry.begun) = (false, begun);
            }
        }
        self.ends.remove(key);
        self.begins.insert(key.into());
        if unprotected {
            return Beginning::Over(Begun::Unprotected);
        }
        let (reply, answered) = oneshot::channel();
        entry.waiters.push(reply);
        Beginning::Waits(answered)
    }

    /// Returns whether there is something to write.
    pub(super) fn end(&mut self, key: &str, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        self.begins.remove(key);
        answer(std::mem::take(&mut entry.waiters), || Err(IntentError::Ended));
        if entry.known.is_empty() {
            self.entries.remove(key);
            return false;
        }
        (entry.want, entry.durable) = (None, false);
        self.ends.insert(key.into());
        self.ends_since.get_or_insert(now);
        true
    }

    /// When the next commit is due.
    pub(super) fn due(&self, last: Option<Instant>) -> Option<Instant> {
        let soonest = last.map_or(Instant::default(), |last| last + APART);
        let begins = (!self.begins.is_empty()).then(|| self.refused_until.unwrap_or(soonest));
        let ends = self.ends_since.filter(|_| !self.ends.is_empty()).map(|since| (since + LAZY).max(soonest));
        let ends = ends.map(|at| self.refused_until.map_or(at, |until| at.max(until)));
        let flush = (!self.flushes.is_empty()).then_some(soonest);
        [begins, ends, flush].into_iter().flatten().min()
    }

    /// Resolves when everything that is known now was written, or could not be. `None`: there is nothing.
    pub(super) fn flush(&mut self) -> Option<oneshot::Receiver<()>> {
        if self.begins.is_empty() && self.ends.is_empty() {
            return None;
        }
        let (reply, flushed) = oneshot::channel();
        self.flushes.push(reply);
        Some(flushed)
    }

    pub(super) fn flushed(&mut self) {
        for flush in std::mem::take(&mut self.flushes) {
            // Nobody may be waiting any more.
            let _ = flush.send(());
        }
    }

    /// What the Lease of this number holds was read. Returns the records in it that are new to us, and are taken over.
    pub(super) fn read(&mut self, place: usize, now: Timestamp, held: &Records) -> Vec<Record> {
        let vanished = |key: &str| !held.contains_key(key);
        let gone: Vec<_> = self
            .entries
            .iter()
            .filter(|(key, entry)| entry.place == Some(place) && vanished(key))
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            (entry.place, entry.durable) = (None, false);
            match entry.want {
                // While we lead, what we know to be open is open, whoever removed it.
                Some(_) => drop(self.begins.insert(key)),
                None => {
                    self.ends.remove(&key);
                    self.entries.remove(&key);
                }
            }
        }
        self.unreadable.retain(|(at, key, text)| *at != place || held.get(&**key).is_some_and(|have| **have == **text));
        held.iter().filter_map(|(key, text)| self.read_one(place, now, key, text)).collect()
    }

    fn read_one(&mut self, place: usize, now: Timestamp, key: &str, text: &str) -> Option<Record> {
        let record = Record { place, key: key.into(), text: text.into() };
        if self.unreadable.contains(&(place, record.key.clone(), record.text.clone())) {
            return None;
        }
        if let Some(entry) = self.entries.get_mut(key) {
            if entry.place.is_some_and(|own| own != place) {
                // A second record of one key is taken over when the first has ended.
                return None;
            }
            // What is about to be begun may be what we took over in an earlier term.
            if entry.is_ours(text) || entry.want.as_deref() == Some(text) {
                entry.place = Some(place);
                if !entry.is_ours(text) {
                    entry.known.push(record.text.clone());
                }
                if entry.want.as_deref() == Some(text) {
                    entry.durable = true;
                    self.begins.remove(key);
                    answer(std::mem::take(&mut entry.waiters), || Ok(Begun::Written));
                }
                return None;
            }
        }
        let found = Entry {
            want: Some(record.text.clone()),
            known: vec![record.text.clone()],
            durable: true,
            place: Some(place),
            begun: now,
            waiters: Vec::new(),
        };
        self.begins.remove(key);
        self.ends.remove(key);
        if let Some(overtaken) = self.entries.insert(key.into(), found) {
            answer(overtaken.waiters, || Ok(Begun::Earlier));
        }
        Some(record)
    }

    /// The owner has taken a record over, which was begun at this time, or cannot read it.
    pub(super) fn judged(&mut self, record: Record, begun: Option<Timestamp>) {
        let Some(entry) = self.entries.get_mut(&record.key).filter(|entry| entry.want.as_ref() == Some(&record.text)) else {
            return;
        };
        match begun {
            Some(begun) => entry.begun = begun,
            None => {
                self.entries.remove(&record.key);
                self.unreadable.insert((record.place, record.key, record.text));
            }
        }
    }

    /// What has to be written: the key, its text, and where it stands if it does.
    pub(super) fn begun(&self) -> Vec<(Sent, Option<usize>)> {
        self.sent(&self.begins).map(|(sent, entry)| (sent, entry.place)).collect()
    }

    /// What has to be removed, and from where.
    pub(super) fn ended(&self) -> Vec<(Sent, usize)> {
        self.sent(&self.ends).filter_map(|(sent, entry)| Some((sent, entry.place?))).collect()
    }

    fn sent<'a>(&'a self, keys: &'a BTreeSet<Box<str>>) -> impl Iterator<Item = (Sent, &'a Entry)> {
        keys.iter().filter_map(|key| self.entries.get(key).map(|entry| ((key.clone(), entry.want.clone()), entry)))
    }

    /// Whether what has ended has waited long enough to be written by itself.
    pub(super) fn ends_are_due(&self, now: Instant) -> bool {
        !self.flushes.is_empty() || self.ends_since.is_some_and(|since| since + LAZY <= now)
    }

    /// Whether this record is ours, and is to be removed.
    pub(super) fn has_ended(&self, key: &str, text: &str) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.want.is_none() && entry.is_ours(text))
    }

    /// Whether a text under this key is one of ours.
    pub(super) fn is_ours(&self, key: &str, text: &str) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.is_ours(text))
    }

    /// This is about to be written there, and may be there from now on, whatever the answer.
    pub(super) fn sending(&mut self, place: usize, (key, text): &Sent) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.place = Some(place);
        if let Some(text) = text.as_ref().filter(|text| !entry.known.contains(text)) {
            entry.known.push(text.clone());
        }
    }

    /// This was written. Returns how many of it were begins.
    pub(super) fn written(&mut self, sent: Vec<Sent>) -> usize {
        let mut begun = 0;
        for (key, text) in sent {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            begun += usize::from(text.is_some());
            entry.known = text.iter().cloned().collect();
            if entry.known.is_empty() {
                entry.place = None;
            }
            if entry.want != text {
                continue;
            }
            self.begins.remove(&key);
            self.ends.remove(&key);
            match text {
                None => drop(self.entries.remove(&key)),
                Some(_) => {
                    entry.durable = true;
                    answer(std::mem::take(&mut entry.waiters), || Ok(Begun::Written));
                }
            }
        }
        self.ends_since = self.ends_since.filter(|_| !self.ends.is_empty());
        begun
    }

    /// Nothing can be written for a while: who waits goes on without, and what is open is written when it can be.
    pub(super) fn refused(&mut self, until: Instant) {
        self.refused_until = Some(until);
        for entry in self.entries.values_mut() {
            answer(std::mem::take(&mut entry.waiters), || Ok(Begun::Unprotected));
        }
    }

    /// An attempt failed: whoever waits will try again. What may have been written all the same is taken back.
    pub(super) fn failed(&mut self, error: &IntentError, now: Instant) {
        let waiting: Vec<_> =
            self.entries.iter().filter(|(_, entry)| !entry.waiters.is_empty()).map(|(key, _)| key.clone()).collect();
        for key in waiting {
            let Some(entry) = self.entries.get_mut(&key) else { continue };
            let waiters = std::mem::take(&mut entry.waiters);
            self.end(&key, now);
            answer(waiters, || Err(error.clone()));
        }
    }

    /// How many are open, since when the oldest is, and how many records cannot be read.
    pub(super) fn counts(&self) -> (usize, Option<Timestamp>, usize) {
        let open = self.entries.values().filter(|entry| entry.want.is_some());
        let (count, oldest) = open.fold((0, None), |(count, oldest), entry| {
            (count + 1, Some(oldest.map_or(entry.begun, |oldest: Timestamp| oldest.min(entry.begun))))
        });
        (count, oldest, self.unreadable.len())
    }
}

// === impl Entry ===

impl Entry {
    fn new(begun: Timestamp) -> Self {
        Self { want: None, known: Vec::new(), durable: false, place: None, begun, waiters: Vec::new() }
    }

    fn is_ours(&self, text: &str) -> bool {
        self.known.iter().any(|known| **known == *text)
    }
}

fn answer(waiters: Vec<Reply>, with: impl Fn() -> Result<Begun, IntentError>) {
    for waiter in waiters {
        // Nobody may be waiting any more.
        let _ = waiter.send(with());
    }
}
