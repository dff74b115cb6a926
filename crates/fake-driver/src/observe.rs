//! A look at calls from inside the driver, at the two moments where only the driver can say what has happened and what has not:
//! for tests that kill the caller exactly there.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    code::{Code, Refusal},
    rpc::Request,
};

/// A boundary of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The request is here, and has had no effect. What the observer does is done before it has one.
    Received,
    /// The effect is there (or the call is refused with this code), and the answer has not left. What the observer does is done
    /// before it leaves.
    Replying(Option<Code>),
}

/// A call at one of its moments.
#[derive(Debug, Clone, Copy)]
pub struct Sight<'a> {
    /// Which.
    pub moment: Moment,
    /// The call.
    pub request: &'a Request,
    /// The process at the other end of the socket, if the kernel says.
    pub caller: Option<u32>,
}

/// Who looks.
#[derive(Clone)]
pub(crate) struct Observer(pub(crate) Arc<dyn Fn(&Sight<'_>) + Send + Sync>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}

/// The volumes that calls are under way for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Busy(Arc<Mutex<BTreeSet<String>>>);

/// One call's hold of its volume.
#[derive(Debug)]
pub(crate) struct Turn {
    busy: Busy,
    volume: String,
}

impl Busy {
    /// Aborted if another call is under way for the volume.
    pub(crate) fn enter(&self, volume: String) -> Result<Turn, Refusal> {
        if self.volumes().insert(volume.clone()) {
            return Ok(Turn { busy: self.clone(), volume });
        }
        Err(Refusal::new(Code::Aborted, format!("another call for volume {volume} is under way")))
    }

    fn volumes(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.busy.volumes().remove(&self.volume);
    }
}
