//! A watch: a place in the log of one resource. It keeps no queue, so a slow watcher costs nothing; when the log has moved past
//! its place it is told so, and lists anew.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rt::{Ctx, Instant};
use tokio::sync::Notify;

use super::log::{Done, Entry};
use super::{Event, EventType, Shared};
use crate::{Object, WatchRequest};

/// How often a bookmark comes.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// How long before the end the last one comes.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);

/// The events of a watch, in order, until its time is over. Cancel safe.
pub struct WatchStream {
    store: Arc<Shared>,
    resource: Arc<str>,
    changed: Arc<Notify>,
    request: WatchRequest,
    /// What was there when the watch began, still to be told.
    initial: VecDeque<Object>,
    /// Whether the end of it is still to be told.
    initial_end: bool,
    /// Everything up to this version was looked at.
    seen: u64,
    end: Option<Instant>,
    bookmark: Option<Instant>,
    /// The bookmark before the end is still to come.
    last_bookmark: Option<Instant>,
    over: bool,
}

impl WatchStream {
    pub(super) fn new(store: Arc<Shared>, request: WatchRequest) -> Self {
        let now = store.ctx.now();
        let resource: Arc<str> = request.resource.storage_key().into();
        let changed = store.changed(&resource);
        let (initial, seen) = match request.since {
            Some(version) => (VecDeque::new(), version),
            None => store.snapshot(&resource, &request),
        };
        let end = request.timeout.map(|timeout| now + timeout);
        let bookmark = request.bookmarks.then(|| now + BOOKMARK_EVERY);
        let last_bookmark = match request.timeout {
            Some(timeout) if request.bookmarks && timeout > BOOKMARK_BEFORE_END => {
                Some(now + timeout.saturating_sub(BOOKMARK_BEFORE_END))
            }
            _ => None,
        };
        let initial_end = request.bookmarks && request.since.is_none();
        Self { store, resource, changed, request, initial, initial_end, seen, end, bookmark, last_bookmark, over: false }
    }

    /// The next event; `None` when the watch is over.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            // Made before looking, so that no change in between is missed.
            let changed = self.changed.clone();
            let changed = changed.notified();
            if let Some(event) = self.ready() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let due = [self.end, self.bookmark, self.last_bookmark].into_iter().flatten().min();
            let ctx: Ctx = self.store.ctx.clone();
            tokio::select! { biased;
                () = changed => {}
                () = sleep_until(&ctx, due) => {}
            }
        }
    }

    /// What can be told without waiting.
    fn ready(&mut self) -> Option<Event> {
        let now = self.store.ctx.now();
        if self.over || self.end.is_some_and(|end| now >= end) {
            self.over = true;
            return None;
        }
        if let Some(object) = self.initial.pop_front() {
            let version = object.version();
            return Some(Event { kind: EventType::Added, object: Some(object), version });
        }
        if std::mem::take(&mut self.initial_end) {
            return Some(self.bookmark(true));
        }
        if let Some(event) = self.logged() {
            return Some(event);
        }
        if self.last_bookmark.is_some_and(|due| now >= due) {
            self.last_bookmark = None;
            return Some(self.bookmark(false));
        }
        if self.bookmark.is_some_and(|due| now >= due) {
            self.bookmark = Some(now + BOOKMARK_EVERY);
            return Some(self.bookmark(false));
        }
        None
    }

    fn bookmark(&self, initial_end: bool) -> Event {
        Event { kind: EventType::Bookmark { initial_end }, object: None, version: self.seen }
    }

    /// The next change that concerns this watch.
    fn logged(&mut self) -> Option<Event> {
        let store = self.store.clone();
        let state = store.read_state();
        let log = &state.find(&self.resource)?.log;
        if !log.covers(self.seen) {
            self.over = true;
            return Some(Event { kind: EventType::Expired, object: None, version: log.floor() });
        }
        for entry in log.since(self.seen) {
            self.seen = entry.version();
            if let Some(event) = self.event(entry) {
                return Some(event);
            }
        }
        None
    }

    /// What this watch is told of a change. An object that enters its selection is added, one that leaves it is deleted.
    fn event(&self, entry: &Entry) -> Option<Event> {
        if self.request.namespace.as_ref().is_some_and(|namespace| namespace != entry.object.namespace()) {
            return None;
        }
        let selection = &self.request.selection;
        let selected = |object: &Object| selection.is_empty() || selection.matches(&self.request.resource, object);
        let was = entry.previous.as_ref().is_some_and(selected);
        let is = entry.done != Done::Deleted && selected(&entry.object);
        let version = entry.version();
        let (kind, object) = match (was, is) {
            (false, false) => return None,
            (false, true) => (EventType::Added, entry.object.clone()),
            (true, true) => (EventType::Modified, entry.object.clone()),
            (true, false) if entry.done == Done::Deleted => (EventType::Deleted, entry.object.clone()),
            (true, false) => (EventType::Deleted, entry.previous.as_ref()?.at_version(version)),
        };
        Some(Event { kind, object: Some(object), version })
    }
}

async fn sleep_until(ctx: &Ctx, due: Option<Instant>) {
    match due {
        Some(due) => ctx.sleep_until(due).await,
        None => std::future::pending().await,
    }
}
