//! Whether this process may act.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rt::{Ctx, Instant};
use tokio::sync::Notify;

/// Whether this process may act. Cheap to ask and to clone.
#[derive(Clone)]
pub struct Leadership(Arc<Inner>);

struct Inner {
    ctx: Ctx,
    held: Mutex<Held>,
    gained: Notify,
    on_gain: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
    lease: String,
    lease_duration: Duration,
}

#[derive(Clone, Copy)]
struct Held {
    state: State,
    /// How often it was gained.
    term: u64,
}

#[derive(Clone, Copy)]
enum State {
    /// There is no election.
    Always,
    Standby,
    /// The lease is ours, and nobody else can take it before `until`.
    Leading {
        until: Instant,
    },
}

impl State {
    fn may_act(self, now: Instant) -> bool {
        match self {
            State::Always => true,
            State::Standby => false,
            State::Leading { until } => now < until,
        }
    }
}

impl Leadership {
    /// Without an election everybody may act.
    pub fn always(ctx: &Ctx) -> Self {
        Self::new(ctx, State::Always, String::new(), Duration::ZERO)
    }

    /// With an election: nobody leads before [`Leadership::renewed`].
    pub(crate) fn standby(ctx: &Ctx, lease: String, lease_duration: Duration) -> Self {
        Self::new(ctx, State::Standby, lease, lease_duration)
    }

    fn new(ctx: &Ctx, state: State, lease: String, lease_duration: Duration) -> Self {
        Self(Arc::new(Inner {
            ctx: ctx.clone(),
            held: Mutex::new(Held { state, term: u64::from(matches!(state, State::Always)) }),
            gained: Notify::new(),
            on_gain: Mutex::default(),
            lease,
            lease_duration,
        }))
    }

    /// Whether acting is allowed right now. A process that was frozen past its lease is told no, before it notices itself.
    pub fn is_leader(&self) -> bool {
        self.held().state.may_act(self.0.ctx.now())
    }

    /// Which time of leading this is, or was last: it counts how often the lease was gained. What was learned in another term may
    /// have been overtaken by whoever led in between.
    pub fn term(&self) -> u64 {
        self.held().term
    }

    /// Whether acting is allowed right now, and has been all the time since this term began. Once false, never true again.
    pub fn leads(&self, term: u64) -> bool {
        let held = self.held();
        held.term == term && held.state.may_act(self.0.ctx.now())
    }

    /// Waits until acting is allowed. Cancel safe.
    pub async fn leading(&self) {
        loop {
            let gained = self.0.gained.notified();
            if self.is_leader() {
                return;
            }
            gained.await;
        }
    }

    /// Calls this each time the lease is gained, and now if it is held already.
    pub fn on_gain(&self, call: impl Fn() + Send + Sync + 'static) {
        let mut calls = self.0.on_gain.lock().unwrap_or_else(|e| e.into_inner());
        if self.is_leader() {
            call();
        }
        calls.push(Box::new(call));
    }

    /// What `/healthz/leader-election` answers: an error when the lease is held but was not renewed in lease-duration + 20 s.
    ///
    /// # Errors
    /// The text that upstream serves with status 500.
    pub fn health(&self) -> Result<(), String> {
        match self.held().state {
            State::Leading { until } if self.0.ctx.now() > until + Duration::from_secs(20) => {
                Err(format!("failed election to renew leadership on lease {}", self.0.lease))
            }
            _ => Ok(()),
        }
    }

    #[cfg(test)]
    pub(crate) fn standby_for_tests(ctx: &Ctx) -> Self {
        Self::new(ctx, State::Standby, String::new(), Duration::ZERO)
    }

    #[cfg(test)]
    pub(crate) fn lead_for_tests(&self, time: Duration) {
        self.set(State::Leading { until: self.0.ctx.now() + time });
    }

    /// The lease is ours, by a write that was sent at `asked`: nobody else can take it for its duration since then.
    pub(crate) fn renewed(&self, asked: Instant) {
        self.set(State::Leading { until: asked + self.0.lease_duration });
    }

    /// It is not ours any more.
    pub(crate) fn step_down(&self) {
        self.set(State::Standby);
    }

    /// `namespace/name`; empty without an election.
    pub(crate) fn lease(&self) -> &str {
        &self.0.lease
    }

    fn held(&self) -> Held {
        *self.0.held.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn set(&self, state: State) {
        let gained = {
            // In one step: a worker that found the lease expired just before a renewal, and set its key aside, must be woken by it.
            let mut have = self.0.held.lock().unwrap_or_else(|e| e.into_inner());
            let now = self.0.ctx.now();
            let gained = !std::mem::replace(&mut have.state, state).may_act(now) && state.may_act(now);
            have.term += u64::from(gained);
            gained
        };
        if gained {
            self.0.gained.notify_waiters();
            for call in self.0.on_gain.lock().unwrap_or_else(|e| e.into_inner()).iter() {
                call();
            }
        }
    }
}
