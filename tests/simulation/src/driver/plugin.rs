//! The driver's process on one node. It can stop, and start again; it works on one call per volume at a time, as drivers that
//! lock their volumes do: another one is answered Aborted. Without that, a call that comes late could undo a later one, and no
//! caller could help it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use csi_client::CallError;
use fake_driver::{Code, Place, Refusal, Request, Response};
use node_mounter::mounter::FakeMounter;
use rt::{Ctx, Shutdown};
use tokio::sync::oneshot;

use super::SimDriver;
use super::backend::Backend;
use super::hooks::{CallFault, DriverCall, DriverEvent, Stage};
use super::host::Host;

/// An effect comes at most so many milliseconds after its request, without a fault.
const EFFECT_MS: u64 = 20;
/// And an answer after the effect.
const ANSWER_MS: u64 = 5;

/// One plugin. Clones are the same.
#[derive(Clone)]
pub struct Plugin(Arc<Inner>);

struct Inner {
    backend: Arc<Backend>,
    node: Arc<str>,
    state: Mutex<State>,
}

struct State {
    /// `None`: there is no kernel to mount in, only the backend's books.
    host: Option<Host>,
    /// `None`: it does not run.
    life: Option<Arc<Life>>,
}

/// From a start to a stop.
#[derive(Default)]
struct Life {
    over: Shutdown,
    /// Ids of volumes with a call under way.
    busy: Mutex<BTreeSet<String>>,
}

/// What the caller gets in place of an answer.
pub(super) enum Failure {
    Refused(Refusal),
    /// No connection, or not any more.
    Unreachable(&'static str),
}

type Answer = Result<Response, Failure>;

impl Plugin {
    /// A plugin that runs on a node, which it tells the backend of.
    pub fn new(backend: &Arc<Backend>, node: &str, place: Place, host: Option<Host>) -> Self {
        backend.world().add_node(node, place);
        let state = Mutex::new(State { host, life: Some(Arc::default()) });
        Self(Arc::new(Inner { backend: backend.clone(), node: node.into(), state }))
    }

    /// The driver for one process, every call of which has this deadline. `ctx` is that process's.
    pub fn connect(&self, who: &str, ctx: &Ctx, timeout: Duration) -> SimDriver {
        SimDriver { plugin: self.clone(), who: who.into(), ctx: ctx.clone(), timeout }
    }

    /// Kills it: calls under way find nobody any more, and what they have not done yet is never done. Mounts stay.
    pub fn stop(&self) {
        if let Some(life) = self.state().life.take() {
            life.over.request();
        }
    }

    /// Starts it, if it does not run.
    pub fn start(&self) {
        self.state().life.get_or_insert_default();
    }

    /// The node loses its power: the plugin stops, and what was mounted is mounted no more. Attachments and folders stay.
    pub fn power_off(&self) {
        self.stop();
        self.0.backend.world().forget_mounts(&self.0.node);
    }

    /// The node is back, with a new table of mounts, and the plugin starts.
    pub fn power_on(&self, mounter: Arc<FakeMounter>) {
        if let Some(host) = &mut self.state().host {
            host.mounter = mounter;
        }
        self.start();
    }

    /// Takes a request. What follows is the world's: the receiver may be dropped.
    pub(super) fn receive(&self, who: &Arc<str>, request: Request) -> (Arc<DriverCall>, oneshot::Receiver<Answer>) {
        let backend = &self.0.backend;
        let volume = backend.volume(&request);
        let subject = volume.as_deref().map_or_else(|| "".into(), |id| backend.name(id));
        let (who, node, rpc) = (who.clone(), self.0.node.clone(), request.rpc());
        let call = Arc::new(DriverCall { id: backend.next_call(), who, node, rpc, subject, request });
        self.tell(&call, Stage::Sent);
        let (answer, receiver) = oneshot::channel();
        let (plugin, told, life) = (self.clone(), call.clone(), self.state().life.clone());
        // Now, and not when its task gets its turn: nobody overtakes it.
        let busy = life.as_ref().zip(volume.as_ref()).is_some_and(|(life, id)| !life.busy().insert(id.clone()));
        let fault = match &life {
            Some(_) if !busy => backend.hooks.fault(&call.who, rpc, &call.subject),
            _ => None,
        };
        let serve = async move {
            let result = match life {
                None => {
                    plugin.wait(&told, "connect", ANSWER_MS).await;
                    Err(Failure::Unreachable("nobody listens at the driver's socket"))
                }
                Some(life) => {
                    let result = tokio::select! {
                        biased;
                        () = life.over.requested() => Err(Failure::lost()),
                        result = plugin.serve(&told, fault, busy) => result,
                    };
                    if let Some(id) = volume.filter(|_| !busy) {
                        life.busy().remove(&id);
                    }
                    result
                }
            };
            plugin.tell(&told, Stage::Answered(result.as_ref().map(drop).map_err(Failure::code)));
            // The caller may be gone.
            let _ = answer.send(result);
        };
        backend.ctx.spawn("driver", serve);
        (call, receiver)
    }

    async fn serve(&self, call: &Arc<DriverCall>, fault: Option<CallFault>, busy: bool) -> Answer {
        self.wait(call, "effect", EFFECT_MS).await;
        if busy {
            let what = format!("an operation on volume {} is under way", call.subject);
            return Err(Failure::Refused(Refusal::new(Code::Aborted, what)));
        }
        match fault {
            Some(CallFault::Unreachable) => return Err(Failure::Unreachable("nobody listens at the driver's socket")),
            // Calls are idempotent: nobody may say for good that there is no volume when there is one.
            Some(CallFault::Refused(code)) if !self.is_made(call) || CallFault::MAY_HAVE_HAPPENED.contains(&code) => {
                return Err(Failure::told(code));
            }
            Some(CallFault::Refused(_)) => return Err(Failure::told(Code::Aborted)),
            Some(CallFault::Late { effect_ms, .. }) => self.sleep(effect_ms.into()).await,
            Some(CallFault::Twice) => {
                let _ = self.apply(call).await;
            }
            Some(CallFault::AnswerLost | CallFault::RefusedAfter(_)) | None => {}
        }
        let answer = self.apply(call).await;
        self.wait(call, "answer", ANSWER_MS).await;
        match fault {
            Some(CallFault::Late { answer_ms, .. }) => self.sleep(answer_ms.into()).await,
            Some(CallFault::AnswerLost) => return Err(Failure::lost()),
            Some(CallFault::RefusedAfter(code)) => return Err(Failure::told(code)),
            _ => {}
        }
        answer.map_err(Failure::Refused)
    }

    /// It is a CreateVolume for what is there.
    fn is_made(&self, call: &DriverCall) -> bool {
        let Request::CreateVolume(request) = &call.request else { return false };
        self.0.backend.world().volumes().any(|volume| volume.name == request.name)
    }

    /// The effect: in the backend and in the kernel at once, in the node's folders a little before or after.
    async fn apply(&self, call: &Arc<DriverCall>) -> Result<Response, Refusal> {
        let host = self.state().host.clone();
        let Some(host) = host else {
            let answer = self.0.backend.world().apply(&call.node, &call.request);
            self.tell(call, Stage::Applied(answer.clone()));
            return answer;
        };
        let mut answer = match host.prepare(&call.request).await {
            Ok(()) => self.0.backend.world().apply(&call.node, &call.request),
            Err(refusal) => Err(refusal),
        };
        if answer.is_ok()
            && let Err(refusal) = host.mount(&call.request)
        {
            answer = Err(refusal);
        }
        self.tell(call, Stage::Applied(answer.clone()));
        host.tidy(&call.request, answer.is_ok()).await?;
        answer
    }

    /// Always suspends, so that everything else can happen before and after an effect.
    async fn wait(&self, call: &DriverCall, what: &str, at_most_ms: u64) {
        let key = format!("driver {what} {} {} {}", call.who, call.rpc.name(), call.subject);
        tokio::task::yield_now().await;
        self.sleep(self.0.backend.ctx.draw(&key) % (at_most_ms + 1)).await;
    }

    async fn sleep(&self, ms: u64) {
        self.0.backend.ctx.sleep(Duration::from_millis(ms)).await;
    }

    pub(super) fn tell(&self, call: &Arc<DriverCall>, stage: Stage) {
        self.0.backend.hooks.event(DriverEvent { call: call.clone(), stage });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Life {
    fn busy(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Failure ===

impl Failure {
    pub(super) fn lost() -> Self {
        Self::Unreachable("the connection to the driver broke")
    }

    fn told(code: Code) -> Self {
        Self::Refused(Refusal::new(code, "the run says so"))
    }

    fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::Unreachable(_) => Code::Unavailable,
        }
    }

    /// As the gRPC client would put it.
    pub(super) fn into_call_error(self, rpc: csi_types::Rpc) -> CallError {
        let code = csi_types::Code::ALL.get(self.code().number()).copied().unwrap_or(csi_types::Code::Unknown);
        match self {
            Self::Refused(refusal) => CallError { rpc, code, message: refusal.message, unreachable: false },
            Self::Unreachable(message) => CallError { rpc, code, message: message.to_owned(), unreachable: true },
        }
    }
}
