//! The rules for one part of a plugin: [`View`] in, [`Next`] out. Read this file first. Pure and total.
//!
//! What runs is kept as long as it is wanted, or as volumes of it are on this host: a plugin that is gone cannot unmount. What
//! is not ready in time, or not any more, is ended and started again, each time later. What runs from another description than
//! today's is started again at once; its socket stays where it is, and mounts do not hang on it.

use std::time::Duration;

use csi_types::{Next, Reason};
use rt::Instant;

/// Everything that the rules look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) now: Instant,
    /// A document asks for it today.
    pub(crate) wanted: bool,
    /// Volumes of its driver are on this host, or that is not known yet.
    pub(crate) in_use: bool,
    /// It is known how to start it. Not so of what an earlier life started, and no document asks for any more.
    pub(crate) startable: bool,
    pub(crate) life: Life,
    /// How long it may be unready.
    pub(crate) health_timeout: Duration,
    /// When the next start may be, after failures.
    pub(crate) not_before: Instant,
}

/// What there is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Life {
    /// Somebody else starts and ends it.
    Theirs(Health),
    /// Nothing of ours runs.
    None,
    /// It runs.
    Ours {
        health: Health,
        /// It runs as today's document says.
        same: bool,
        /// When it was asked to end.
        asked: Option<Instant>,
    },
}

/// Whether it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Health {
    /// `None`: it is ready. Otherwise since when it is not.
    pub(crate) unready_since: Option<Instant>,
    /// When it is asked next.
    pub(crate) probe_at: Instant,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Start,
    /// Ask whether it is ready, and who it is.
    Probe,
    /// Ask it to end, for this reason.
    Terminate(End),
    /// End it.
    Kill,
    /// Clear away what is left of it, and forget it.
    Forget,
}

/// Why something is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// No document asks for it, and no volume needs it.
    Unwanted,
    /// A document describes it otherwise today.
    Changed,
    /// It did not become ready in time, or is no longer.
    Unready,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is ready; asked again at this time.
    Ready(Instant),
    /// It is not ready yet; asked again at this time.
    Awaits(Instant),
    /// It was asked to end, and is killed at this time.
    Grace(Instant),
    /// It ended or failed, and is started again at this time.
    BackingOff(Instant),
}

/// What cannot be mended here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error(
        "it has ended, volumes of it are still mounted, and no file says how to start it; put its file back, and take it away when no pod uses its volumes"
    )]
    Orphaned,
}

/// Between SIGTERM and SIGKILL.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// The next step. Total: any view gets an answer.
pub(crate) fn plan(v: &View) -> Next<Action, Why, Problem> {
    let needed = v.wanted || v.in_use;
    match &v.life {
        Life::Theirs(_) if !needed => Next::Do(Action::Forget),
        Life::Theirs(health) => probe(v, health),
        Life::None if !needed => Next::Do(Action::Forget),
        Life::None if !v.startable => Next::Refuse(Problem::Orphaned),
        Life::None if v.not_before > v.now => Next::Rest(Why::BackingOff(v.not_before)),
        Life::None => Next::Do(Action::Start),
        Life::Ours { asked: Some(asked), .. } => match *asked + GRACE {
            at if at > v.now => Next::Rest(Why::Grace(at)),
            _ => Next::Do(Action::Kill),
        },
        Life::Ours { health, same, asked: None } => {
            if !needed {
                return Next::Do(Action::Terminate(End::Unwanted));
            }
            if v.wanted && !same {
                return Next::Do(Action::Terminate(End::Changed));
            }
            // Who cannot be started again is better slow than gone.
            if v.startable && health.unready_since.is_some_and(|since| since + v.health_timeout <= v.now) {
                return Next::Do(Action::Terminate(End::Unready));
            }
            probe(v, health)
        }
    }
}

fn probe(v: &View, health: &Health) -> Next<Action, Why, Problem> {
    match (health.probe_at > v.now, health.unready_since) {
        (false, _) => Next::Do(Action::Probe),
        (true, None) => Next::Rest(Why::Ready(health.probe_at)),
        // Not later than when it is given up.
        (true, Some(since)) => Next::Rest(Why::Awaits(match &v.life {
            Life::Ours { .. } if v.startable => health.probe_at.min(since + v.health_timeout),
            _ => health.probe_at,
        })),
    }
}

/// How long after its end a part is started again; `failures` counts from 1, `fraction` is drawn in `0.0..1.0`.
pub(crate) fn backoff(failures: u32, fraction: f64) -> Duration {
    let whole = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    // Between half and all of it: plugins that fell together do not rise together.
    whole.mul_f64(0.5 + 0.5 * fraction)
}

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Who was ready this long is not failing in a loop.
pub(crate) const STABLE: Duration = Duration::from_secs(60);

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Probe => "probe",
            Self::Terminate(_) => "terminate",
            Self::Kill => "kill",
            Self::Forget => "forget",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Self::Ready(_) => "Ready",
            Self::Awaits(_) => "Awaits",
            Self::Grace(_) => "Grace",
            Self::BackingOff(_) => "BackingOff",
        }
    }
}

impl Why {
    /// When to look again.
    pub(crate) fn due(&self) -> Instant {
        match self {
            Self::Ready(at) | Self::Awaits(at) | Self::Grace(at) | Self::BackingOff(at) => *at,
        }
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        match self {
            Self::Orphaned => "Orphaned",
        }
    }
}

#[cfg(test)]
mod tests;
