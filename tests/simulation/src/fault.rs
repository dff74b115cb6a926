//! What goes wrong on the way to the API and to the driver: drawn by rates, or listed exactly; addressed by what it is about.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fake_driver::Code;
use rt::Ctx;
use serde::{Deserialize, Serialize};

use crate::driver::CallFault;

/// One thing that goes wrong: the `nth` time (from 0) that `key` happens. A key says who does what to what, with names that
/// do not depend on the seed: `provisioner-a CREATE persistentvolumes pv:c1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub key: String,
    pub nth: u64,
    pub kind: FaultKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    Api(ApiFault),
    Call(CallFault),
    /// The caller of the driver dies.
    Death(Deadly),
}

/// What becomes of a request to the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiFault {
    /// Refused before it has an effect.
    Refused(u16),
    /// It takes effect, and is answered 500.
    FailedAfter,
    /// The connection breaks before the request arrives.
    Lost,
    /// It takes effect, and the connection breaks.
    Unanswered,
    /// It takes effect, and no answer ever comes.
    Silent,
    /// It takes this many milliseconds, before and after.
    Slow(u32),
    /// A watch: the connection breaks after this many events.
    Cut(u32),
    /// A watch: each event comes this many milliseconds late.
    Stale(u32),
    /// The API forgets the past: watches that are behind are told 410.
    Compacted,
    /// The sender dies as the request arrives.
    KillBefore,
    /// The sender dies as the answer leaves.
    KillAfter,
}

/// The instant of a call at which its caller dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deadly {
    /// As the call arrives.
    Arrival,
    /// As the effect is done.
    Effect,
    /// As the answer leaves.
    Answer,
}

/// How often things go wrong, in ten thousandths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    pub api: u32,
    pub watch: u32,
    pub call: u32,
    pub kill: u32,
}

/// Decides what goes wrong, and remembers what did.
pub(crate) struct Faults {
    ctx: Ctx,
    rates: Rates,
    exact: Vec<Fault>,
    /// After this, nothing goes wrong by chance.
    until: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    counts: BTreeMap<String, u64>,
    happened: Vec<Fault>,
}

/// A kind of thing that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Read,
    Write,
    Watch,
    Call,
}

impl Faults {
    pub(crate) fn new(ctx: Ctx, rates: Rates, exact: Vec<Fault>, until: Duration) -> Self {
        Self { ctx, rates, exact, until, state: Mutex::default() }
    }

    /// What went wrong so far: listed in a plan, the same goes wrong again.
    pub(crate) fn happened(&self) -> Vec<Fault> {
        self.state().happened.clone()
    }

    /// What goes wrong with this, which happens now.
    pub(crate) fn at(&self, key: &str, place: Place) -> Option<FaultKind> {
        let nth = {
            let mut state = self.state();
            let count = state.counts.entry(key.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        let exact = self.exact.iter().find(|fault| fault.nth == nth && fault.key == key);
        let kind = match exact {
            Some(fault) => fault.kind,
            None => self.draw(key, place)?,
        };
        self.state().happened.push(Fault { key: key.to_owned(), nth, kind });
        Some(kind)
    }

    fn draw(&self, key: &str, place: Place) -> Option<FaultKind> {
        if self.ctx.now().0 >= self.until || self.rates == Rates::default() {
            return None;
        }
        let drawn = self.ctx.draw(&format!("fault {key}"));
        let (chance, which, size) = (drawn % 10_000, (drawn >> 16) % 1000, (drawn >> 32) as u32);
        let rate = match place {
            Place::Read | Place::Write => self.rates.api,
            Place::Watch => self.rates.watch,
            Place::Call => self.rates.call,
        };
        let kill = if place == Place::Watch { 0 } else { self.rates.kill };
        if chance < u64::from(kill) {
            return Some(match (place, which % 3) {
                (Place::Call, 0) => FaultKind::Death(Deadly::Arrival),
                (Place::Call, 1) => FaultKind::Death(Deadly::Effect),
                (Place::Call, _) => FaultKind::Death(Deadly::Answer),
                (_, 0) => FaultKind::Api(ApiFault::KillBefore),
                _ => FaultKind::Api(ApiFault::KillAfter),
            });
        }
        if chance >= u64::from(kill + rate) {
            return None;
        }
        Some(match place {
            Place::Call => FaultKind::Call(call_fault(which, size)),
            Place::Watch => FaultKind::Api(watch_fault(which, size)),
            Place::Write => FaultKind::Api(write_fault(which, size)),
            Place::Read => FaultKind::Api(read_fault(which, size)),
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_fault(which: u64, size: u32) -> ApiFault {
    match which {
        0..300 => ApiFault::Refused(500),
        300..450 => ApiFault::Refused(429),
        450..650 => ApiFault::Lost,
        650..700 => ApiFault::Silent,
        _ => ApiFault::Slow(size % 8_000),
    }
}

fn write_fault(which: u64, size: u32) -> ApiFault {
    match which {
        0..150 => ApiFault::Refused(409),
        150..250 => ApiFault::Refused(500),
        250..320 => ApiFault::Refused(429),
        320..450 => ApiFault::FailedAfter,
        450..550 => ApiFault::Lost,
        550..750 => ApiFault::Unanswered,
        750..850 => ApiFault::Silent,
        _ => ApiFault::Slow(size % 20_000),
    }
}

fn watch_fault(which: u64, size: u32) -> ApiFault {
    match which {
        0..250 => ApiFault::Refused(500),
        250..600 => ApiFault::Cut(size % 10),
        600..800 => ApiFault::Stale(size % 5_000),
        800..900 => ApiFault::Compacted,
        _ => ApiFault::Lost,
    }
}

/// What drivers answer with when something is wrong with them, or with the request.
const CODES: [Code; 7] = [
    Code::Unknown,
    Code::DeadlineExceeded,
    Code::ResourceExhausted,
    Code::FailedPrecondition,
    Code::Aborted,
    Code::Internal,
    Code::Unavailable,
];

fn call_fault(which: u64, size: u32) -> CallFault {
    let after = CallFault::MAY_HAVE_HAPPENED;
    match which {
        0..120 => CallFault::Unreachable,
        120..320 => CallFault::Refused(CODES[size as usize % CODES.len()]),
        320..450 => CallFault::RefusedAfter(after[size as usize % after.len()]),
        450..600 => CallFault::AnswerLost,
        600..750 => CallFault::Late { effect_ms: size % 30_000, answer_ms: 0 },
        750..900 => CallFault::Late { effect_ms: 0, answer_ms: size % 30_000 },
        _ => CallFault::Twice,
    }
}
