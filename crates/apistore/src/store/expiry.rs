//! Forgetting events whose time is over, see [`api_kinds::expiry`].
//!
//! The writer does it between two batches: watchers are told as of any other deletion. It wakes up for it when the oldest event
//! ends, at most once a minute, and not at all while there are none.

use std::sync::Arc;
use std::time::Duration;

use api_kinds::expiry::{self, LIFETIME};
use jiff::Timestamp;
use rt::{Ctx, Instant};

use super::log::{Done, Entry};
use super::state::{Change, State};

/// How often it looks at most.
const PAUSE: Duration = Duration::from_secs(60);
/// How many events one commit forgets at most: writes wait behind it.
const AT_ONCE: usize = 512;

/// When to look for events that are over. `None`: there are no events.
pub(super) struct Expiry {
    due: Option<Instant>,
}

/// What a look found.
pub(super) struct Sweep {
    /// The events that are over, deleted.
    pub(super) changes: Vec<Change>,
    /// How long until the next is over; `None`: there is no other.
    next: Option<Duration>,
}

impl Expiry {
    /// Looks at once if there are events: they may have ended while nobody looked.
    pub(super) fn new(ctx: &Ctx, state: &State) -> Self {
        Self { due: has_events(state).then(|| ctx.now()) }
    }

    /// Waits until it is time to look. Cancel safe.
    pub(super) async fn due(&self, ctx: &Ctx) {
        match self.due {
            Some(due) => ctx.sleep_until(due).await,
            None => std::future::pending().await,
        }
    }

    /// Takes notice of events where there were none. None of them is over before its lifetime.
    pub(super) fn notice(&mut self, ctx: &Ctx, state: &State) {
        if self.due.is_none() && has_events(state) {
            self.due = Some(ctx.now() + LIFETIME.unsigned_abs());
        }
    }

    /// Plans the next look. `failed`: what was to be forgotten is still there.
    pub(super) fn plan(&mut self, ctx: &Ctx, sweep: &Sweep, failed: bool) {
        let next = if failed { Some(PAUSE) } else { sweep.next };
        self.due = next.map(|next| ctx.now() + next);
    }
}

impl Sweep {
    /// Looks at every event.
    pub(super) fn of(state: &State, now: Timestamp) -> Self {
        let resource: Arc<str> = expiry::RESOURCE.into();
        let mut changes = Vec::new();
        let mut first: Option<Timestamp> = None;
        for event in state.find(&resource).into_iter().flat_map(|events| events.range("", "")) {
            let ends = expiry::ends(event.json(), now);
            if ends > now {
                first = Some(first.map_or(ends, |first| first.min(ends)));
                continue;
            }
            if changes.len() == AT_ONCE {
                return Self { changes, next: Some(Duration::ZERO) };
            }
            let version = state.version() + 1 + changes.len() as u64;
            let entry = Entry { done: Done::Deleted, object: event.at_version(version), previous: Some(event.clone()) };
            changes.push(Change { resource: resource.clone(), entry });
        }
        let next = first.map(|first| now.duration_until(first).unsigned_abs().max(PAUSE));
        Self { changes, next }
    }
}

fn has_events(state: &State) -> bool {
    state.find(expiry::RESOURCE).is_some_and(|events| events.range("", "").next().is_some())
}
