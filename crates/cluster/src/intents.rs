//! Write-ahead intents: what is about to be made in a backend is written down durably first, and crossed out when the API, or
//! the backend's refusal, makes it superfluous. So a crash between the two leaves a trace that the next leader goes on from.
//!
//! ```text
//!  begin ─┐                                          ┌─> begin returns: the call may be sent
//!  begin ─┼─> State ── commit (one PUT for all) ─────┤
//!  end   ─┘     ^                                    └─> what has ended is gone
//!               └── read: at each term, after a conflict, every 30 s ──> found(record) ──> the owner goes on with it
//! ```
//!
//! - Records are in annotation [`ANNOTATION`] of Lease `<name>`, and of `<name>.1`, `<name>.2`…: what begins together and ends
//!   together is best in one by itself, since all that stands in a Lease is written each time. `packed.rs` has the format.
//!   Upstream's role already grants get, create and update on leases, so an image swap needs no new right.
//! - **Group commit**: what begins and ends while a commit is under way shares the next one. A lone begin is written at once;
//!   under load commits start 20 ms apart. An end waits for a commit, or a second.
//! - **Nobody's record is lost**: a write carries the version that was read; a conflict is read again and merged. A text is only
//!   replaced or removed if it is word for word one that we wrote or took over. Texts must therefore be unique: let each carry who
//!   wrote it and when.
//! - **One term, one memory**: with every gain of leadership everything is read anew, and what another leader has settled is
//!   forgotten. Nothing is begun before that.
//! - **Where the API refuses** (403, or no such namespace), that is said once, `begin` lets everything pass as
//!   [`Begun::Unprotected`], and it is tried again every minute. Any other failure lets nothing pass.

mod committer;
mod leases;
mod metrics;
mod packed;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kube::Client;
use rt::{Ctx, Task};
use tokio::sync::Notify;
use tracing::{info, warn};

use self::committer::Committer;
use self::leases::{Leases, Trouble, fits, is_key};
use self::metrics::Counted;
pub(crate) use self::metrics::Metrics;
use self::packed::canonical;
pub use self::packed::{ANNOTATION, unpack};
use self::state::{Beginning, State};
use crate::leadership::Leadership;

/// Which Leases hold the records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentsConfig {
    /// Where they are; this program's own.
    pub namespace: String,
    /// What the first is called, already fit for Kubernetes; further ones get a number.
    pub name: String,
}

/// A record that somebody else wrote: another leader, or this one in an earlier term.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The term in which it was found.
    pub term: u64,
    /// As it was begun.
    pub key: &'a str,
    /// As it was written.
    pub text: &'a str,
}

/// How a [`Intents::begin`] ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// The record is durable.
    Written,
    /// There is an earlier record under this key, and the owner was told of it (again): nothing was begun.
    Earlier,
    /// Records cannot be written, and this is not held up by it: after a crash nothing will remember.
    Unprotected,
}

/// Why nothing was begun. All of these can be tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IntentError {
    /// Only who leads writes, and only in the term it is in.
    #[error("another term of leadership has begun")]
    NotLeading,
    /// It was ended while it was begun.
    #[error("the intent was ended while it was begun")]
    Ended,
    /// There is no text to write.
    #[error("cannot put it into words: {0}")]
    Text(String),
    /// The API server did not take it.
    #[error("cannot write the intent to Lease {lease}: {cause}")]
    Failed {
        /// `namespace/name`.
        lease: String,
        /// What it said.
        cause: String,
    },
}

/// The records of one owner. Cheap to clone.
#[derive(Clone)]
pub struct Intents {
    inner: Arc<Inner>,
    task: Arc<Mutex<Task>>,
}

/// For a minute or so.
const LEAVE_TRIES: usize = 80;

type OnFound = Box<dyn Fn(Found<'_>) -> Result<Timestamp, String> + Send + Sync>;

struct Inner {
    ctx: Ctx,
    client: Client,
    namespace: String,
    leadership: Leadership,
    found: OnFound,
    lease: String,
    state: Mutex<State>,
    wake: Notify,
    counted: Counted,
}

impl Intents {
    /// Starts the task that reads and writes the Leases.
    ///
    /// `found` is called for every record of others as soon as it is read: the owner goes on with it from then on, and ends it. It
    /// answers when the record was begun, or why it cannot be read; such a record is left where it is. It must not wait.
    pub fn start(
        ctx: &Ctx,
        client: Client,
        leadership: Leadership,
        metrics: &crate::Metrics,
        config: IntentsConfig,
        found: impl Fn(Found<'_>) -> Result<Timestamp, String> + Send + Sync + 'static,
    ) -> Self {
        let inner = Arc::new(Inner {
            ctx: ctx.clone(),
            client: client.clone(),
            namespace: config.namespace.clone(),
            leadership,
            found: Box::new(found),
            lease: config.name.clone(),
            state: Mutex::default(),
            wake: Notify::new(),
            counted: Counted::new(&metrics.intents, &config.name),
        });
        let committer = Committer::new(inner.clone(), Leases::new(client, &config.namespace, &config.name));
        let task = Arc::new(Mutex::new(ctx.spawn("intents", committer.run())));
        Self { inner, task }
    }

    /// Returns when the record is durable: from then on, no crash forgets it. `term` is the term of leadership in which whatever is
    /// begun was decided on. Repeating it with the same text writes nothing.
    ///
    /// Cancel safety: what is dropped may have been written; [`Intents::end`] it.
    ///
    /// # Errors
    /// See [`IntentError`]: do not do what was announced. A record that was written all the same is taken back.
    pub async fn begin(&self, term: u64, key: &str, text: &str) -> Result<Begun, IntentError> {
        let (inner, text) = (&self.inner, &*canonical(text));
        if !is_key(key) || !fits(key, text) {
            warn!(lease = inner.lease, intent = key, bytes = text.len(), "an intent does not fit into a Lease; going on without");
            return Ok(Begun::Unprotected);
        }
        let beginning = {
            let mut state = inner.state();
            if !inner.leadership.leads(term) || state.term > term {
                return Err(IntentError::NotLeading);
            }
            state.enter(term);
            state.begin(key, text, inner.ctx.now(), inner.ctx.timestamp())
        };
        match beginning {
            Beginning::Over(begun) => Ok(begun),
            Beginning::Earlier(text) => {
                // Whether it can be read was judged when it was found.
                let _ = (inner.found)(Found { term, key, text: &text });
                Ok(Begun::Earlier)
            }
            Beginning::Waits(answer) => {
                inner.wake.notify_one();
                answer.await.unwrap_or(Err(IntentError::NotLeading))
            }
        }
    }

    /// What was announced exists in the API, or does not exist at all: the record is removed with one of the next commits.
    /// In another term than it was learned in this does nothing.
    pub fn end(&self, term: u64, key: &str) {
        let mut state = self.inner.state();
        if state.term == term && state.end(key, self.inner.ctx.now()) {
            self.inner.wake.notify_one();
        }
    }

    /// Leaves a record for whoever leads: for one who does not any more, and learns only now that what it began has had an effect.
    /// The leader finds it within the time of a look. Tried for a while; what cannot be written is lost, and logged.
    pub fn leave(&self, key: &str, text: &str) {
        let text = canonical(text);
        if !is_key(key) || !fits(key, &text) {
            return;
        }
        let (inner, key) = (self.inner.clone(), key.to_owned());
        let mut leases = Leases::new(inner.client.clone(), &inner.namespace, &inner.lease);
        self.inner.ctx.spawn("late intent", async move {
            for _ in 0..LEAVE_TRIES {
                match leases.leave(&key, &text).await {
                    Ok(()) => return info!(intent = key, "left an intent for whoever leads"),
                    Err(Trouble::Refused { .. }) => break,
                    Err(Trouble::Conflict { .. } | Trouble::Failed { .. }) => {}
                }
                inner.ctx.sleep(Duration::from_millis(500).mul_f64(1.0 + inner.ctx.fraction("late intent"))).await;
            }
            warn!(lease = inner.lease, intent = key, "cannot leave an intent for whoever leads");
        });
    }

    /// Writes what there is to write, now. Returns when that was tried once.
    pub async fn flush(&self) {
        let Some(flushed) = self.inner.state().flush() else { return };
        self.inner.wake.notify_one();
        // The task ends only with the process.
        let _ = flushed.await;
    }

    /// For a shutdown, when all work has ended: [`Intents::flush`], and no more after that.
    pub async fn close(&self) {
        self.flush().await;
        self.task.lock().unwrap_or_else(PoisonError::into_inner).abort();
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
