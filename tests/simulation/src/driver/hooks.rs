//! What the run decides about a call, and what it is told of it.

use std::sync::Arc;

use fake_driver::{Code, Refusal, Request, Response, Rpc};
use serde::{Deserialize, Serialize};

/// The run, as drivers see it.
pub trait DriverHooks: Send + Sync {
    /// What goes wrong with this call. Asked once per call that arrives, in the order of their arrival; `who` calls, and `subject`
    /// is the name of the volume, its id if it was not created here, or empty.
    fn fault(&self, who: &str, rpc: Rpc, subject: &str) -> Option<CallFault>;

    /// Told at once, with nothing locked: it may look at the backend, which is then as the event says.
    fn event(&self, event: DriverEvent);
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallFault {
    /// The caller finds nobody, and the driver hears nothing.
    Unreachable,
    /// Answered with this code; nothing happens.
    Refused(Code),
    /// It happens, and the connection breaks before the answer is there.
    AnswerLost,
    /// It happens, and is answered with this code. One that says that nothing happened is a lie that no caller can survive:
    /// see [`CallFault::MAY_HAVE_HAPPENED`].
    RefusedAfter(Code),
    /// It happens so much later than usual, and is answered so much later again. Until then the driver is busy with the volume.
    Late {
        /// Before the effect.
        effect_ms: u32,
        /// After it.
        answer_ms: u32,
    },
    /// It happens, and happens again: the way to the driver repeated the request. The second answer is given.
    Twice,
}

impl CallFault {
    /// Codes that, whatever the call, leave it open whether it happened.
    pub const MAY_HAVE_HAPPENED: [Code; 4] = [Code::Cancelled, Code::DeadlineExceeded, Code::Unavailable, Code::Aborted];
}

/// One call.
#[derive(Debug)]
pub struct DriverCall {
    /// Calls of one backend are numbered from 1.
    pub id: u64,
    /// The process that calls.
    pub who: Arc<str>,
    /// The node that the plugin runs on, by its CSI id.
    pub node: Arc<str>,
    /// Which call.
    pub rpc: Rpc,
    /// As in [`DriverHooks::fault`].
    pub subject: Arc<str>,
    /// What was sent, secrets included; `Debug` shows none.
    pub request: Request,
}

/// Something happened to a call.
#[derive(Debug, Clone)]
pub struct DriverEvent {
    /// To which.
    pub call: Arc<DriverCall>,
    /// What.
    pub stage: Stage,
}

/// What can happen to a call, in the order in which it does.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// It was sent. Its effect may come at any time from now on.
    Sent,
    /// The backend has done it, or refused. Not there if it never came so far; twice if the request was repeated.
    Applied(Result<Response, Refusal>),
    /// The caller's deadline passed. It knows nothing of what follows.
    Expired,
    /// The answer, or what the caller gets in its place; whether somebody still waits for it or not.
    Answered(Result<(), Code>),
}
