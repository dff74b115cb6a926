//! The task that reads and writes the Leases: everything at the start of each term, then a commit whenever one is due, and a
//! look every now and then for what a former leader has written late.

use std::sync::Arc;
use std::time::Duration;

use rt::Instant;
use tracing::{debug, error, info, warn};

use super::leases::{Leases, Trouble};
use super::packed::{ANNOTATION, Records};
use super::state::Record;
use super::{Found, Inner, IntentError};

/// How often to look for records of others while leading.
const LOOK: Duration = Duration::from_secs(30);
/// How often writing is tried again that was refused.
const REFUSED: Duration = Duration::from_secs(60);
/// Commits that meet another writer are repeated so many times in a row.
const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Committer {
    inner: Arc<Inner>,
    leases: Leases,
    /// When the last commit was begun.
    last: Option<Instant>,
    /// Which right was missing when it was last tried.
    lacks: Option<&'static str>,
}

/// Why an attempt came to nothing.
enum Stop {
    /// Another term may have begun.
    Lost,
    Trouble(Trouble),
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Committer {
    pub(super) fn new(inner: Arc<Inner>, leases: Leases) -> Self {
        Self { inner, leases, last: None, lacks: None }
    }

    pub(super) async fn run(mut self) {
        let inner = self.inner.clone();
        loop {
            inner.leadership.leading().await;
            let term = inner.leadership.term();
            inner.state().enter(term);
            self.lead(term).await;
            let mut state = inner.state();
            if state.term == term {
                state.leave();
            }
        }
    }

    /// Until this term is over.
    async fn lead(&mut self, term: u64) {
        let inner = self.inner.clone();
        self.leases.forget();
        let (mut next_look, mut not_before, mut failures) = (inner.ctx.now(), Instant::default(), 0u32);
        let mut loaded = false;
        while inner.leadership.leads(term) {
            self.until_due(next_look, not_before).await;
            let looks = !loaded || inner.ctx.now() >= next_look;
            let done = self.attempt(term, looks).await;
            let now = inner.ctx.now();
            match done {
                Ok(wrote) => {
                    (loaded, failures) = (true, 0);
                    self.worked(wrote);
                    if looks {
                        next_look = now + LOOK;
                    }
                }
                Err(Stop::Lost) => return,
                Err(Stop::Trouble(Trouble::Refused { verb, lease, cause })) => {
                    self.refused(verb, &lease, &cause);
                    next_look = now + REFUSED;
                    inner.state().refused(now + REFUSED);
                }
                Err(Stop::Trouble(Trouble::Conflict { lease })) => {
                    inner.state().failed(&failed(lease, "others keep writing to it".to_owned()), now);
                    not_before = now + PAUSE;
                }
                Err(Stop::Trouble(Trouble::Failed { lease, cause })) => {
                    warn!(lease, "cannot read or write intents; nothing new is begun until that works: {cause}");
                    not_before = now + PAUSE.saturating_mul(1 << failures.min(8)).min(LONGEST_PAUSE);
                    failures += 1;
                    inner.state().failed(&failed(lease, cause), now);
                }
            }
            let mut state = inner.state();
            state.flushed();
            let (open, oldest, unreadable) = state.counts();
            inner.counted.open(open, oldest, unreadable);
        }
    }

    async fn until_due(&self, next_look: Instant, not_before: Instant) {
        loop {
            let woken = self.inner.wake.notified();
            let due = self.inner.state().due(self.last);
            let at = due.map_or(next_look, |due| due.min(next_look)).max(not_before);
            if at <= self.inner.ctx.now() {
                return;
            }
            tokio::select! {
                biased;
                () = woken => {}
                () = self.inner.ctx.sleep_until(at) => {}
            }
        }
    }

    /// Reads what has to be read, and writes what has to be written. Returns whether anything was.
    async fn attempt(&mut self, term: u64, looks: bool) -> Result<bool, Stop> {
        if looks {
            self.leases.doubt();
        }
        let mut met = None;
        for _ in 0..TRIES {
            self.read(looks).await?;
            self.last = Some(self.inner.ctx.now());
            match self.commit(term).await {
                Ok(wrote) => return Ok(wrote),
                Err(Stop::Trouble(Trouble::Conflict { lease })) => {
                    debug!(lease, "somebody else wrote; reading again");
                    met = Some(lease);
                }
                Err(stop) => return Err(stop),
            }
        }
        Err(Trouble::Conflict { lease: met.unwrap_or_default() }.into())
    }

    /// Reads the Leases that may have changed, and with `on` those that others may have made since.
    async fn read(&mut self, on: bool) -> Result<(), Trouble> {
        while let Some(place) = self.leases.unread(on) {
            if !self.leases.read(place).await? {
                break;
            }
            let none = Records::new();
            let now = self.inner.ctx.timestamp();
            let records = self.inner.state().read(place, now, self.leases.records(place).unwrap_or(&none));
            for record in records {
                self.take_over(record);
            }
        }
        Ok(())
    }

    /// A record that is not ours: its owner goes on with what it says.
    fn take_over(&self, record: Record) {
        let found = Found { term: self.inner.state().term, key: &record.key, text: &record.text };
        let begun = match (self.inner.found)(found) {
            Ok(begun) => {
                info!(intent = &*record.key, "an intent of an earlier process or leader is taken over");
                self.inner.counted.found();
                Some(begun)
            }
            Err(cause) => {
                error!(
                    lease = self.leases.name(record.place),
                    annotation = ANNOTATION,
                    intent = &*record.key,
                    "an intent cannot be read and is left where it is; what it announced may exist without a name in Kubernetes: \
                     look for it in the backend, then take it out of the annotation: {cause}"
                );
                None
            }
        };
        self.inner.state().judged(record, begun);
    }

    async fn commit(&mut self, term: u64) -> Result<bool, Stop> {
        let writes = {
            let mut state = self.inner.state();
            let all = state.ends_are_due(self.inner.ctx.now());
            self.leases.writes(&mut state, all)
        };
        let any = !writes.is_empty();
        for write in writes {
            if !self.inner.leadership.leads(term) {
                return Err(Stop::Lost);
            }
            self.leases.write(&write).await?;
            self.inner.counted.committed();
            let begun = self.inner.state().written(write.sent);
            self.inner.counted.begun(begun);
        }
        Ok(any)
    }

    fn worked(&mut self, wrote: bool) {
        // That reading works says nothing of writing.
        match self.lacks {
            Some("get") => {}
            Some(_) if !wrote => return,
            _ => {}
        }
        if self.lacks.take().is_some() {
            info!(lease = self.leases.name(0), "intents can be written again");
        }
        self.inner.state().refused_until = None;
        self.inner.counted.writable(true);
    }

    fn refused(&mut self, verb: &'static str, lease: &str, cause: &str) {
        self.inner.counted.writable(false);
        if self.lacks.replace(verb).is_none() {
            warn!(
                lease,
                verb,
                "cannot {verb} Lease {lease}, so nothing is written down before it is asked of the driver: if this process dies during \
                 such a call and the object it is for is deleted meanwhile, what the driver makes is left behind. Give its service \
                 account get, create and update on leases in that namespace; it is tried again every minute: {cause}"
            );
        }
    }
}

fn failed(lease: String, cause: String) -> IntentError {
    IntentError::Failed { lease, cause }
}
