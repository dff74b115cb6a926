//! Around the world: what delays, faults, records and saves. A call goes on here although its caller gave up.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{Notify, Semaphore};

use crate::{
    code::{Code, Refusal},
    mounts::Mounts,
    observe::{Busy, Moment, Observer, Sight},
    record::Record,
    rpc::{Request, Response},
    script::{Judge, Rule, When},
    socket::Caller,
    world::{Facts, World},
};

/// A backend that several drivers of one process may share, each on its own node.
pub(crate) type Shared = Arc<Mutex<World>>;

#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) node: String,
    pub(crate) world: Shared,
    pub(crate) judge: Mutex<Judge>,
    pub(crate) record: Mutex<Record>,
    /// Rung after every recorded request and every change.
    pub(crate) heard: Notify,
    /// Closed when the driver stops; a latch.
    pub(crate) running: Semaphore,
    pub(crate) observer: Option<Observer>,
    /// Whether a volume has one call at a time.
    pub(crate) busy: Option<Busy>,
    pub(crate) mounts: Option<Mounts>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) saved: AtomicU64,
}

/// The data behind these locks is whole between any two statements; a panicking test must not hide it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shell {
    /// Answers a call. The effect is a task of its own, so that a caller who gives up stops nothing.
    pub(crate) async fn call(self: &Arc<Self>, caller: Option<Caller>, request: Request) -> Result<Response, tonic::Status> {
        lock(&self.record).add(&self.node, request.clone());
        self.heard.notify_waiters();
        let pid = caller.as_ref().and_then(|caller| caller.pid);
        self.look(Moment::Received, &request, pid);
        let volume = || lock(&self.world).volume_of(&request);
        let turn = match self.busy.as_ref().and_then(|busy| Some(busy.enter(volume()?))).transpose() {
            Ok(turn) => turn,
            Err(refusal) => return self.answered(&request, pid, Err(refusal)).map_err(Into::into),
        };
        let rule = lock(&self.judge).judge(&request);
        let name = request.rpc().name();
        let Some(rule) = rule else { return self.answered(&request, pid, self.effect(&request)).map_err(Into::into) };
        let shell = Arc::clone(self);
        let work = tokio::spawn(async move {
            let answer = tokio::select! {
                biased;
                _ = shell.running.acquire() => Err(stopped()),
                answer = shell.ruled(&rule, caller, &request) => answer,
            };
            drop(turn);
            shell.answered(&request, pid, answer)
        });
        let answer = work.await.unwrap_or_else(|_| Err(Refusal::new(Code::Internal, format!("{name} panicked"))));
        answer.map_err(Into::into)
    }

    fn look(&self, moment: Moment, request: &Request, caller: Option<u32>) {
        if let Some(Observer(look)) = &self.observer {
            look(&Sight { moment, request, caller });
        }
    }

    fn answered(&self, request: &Request, caller: Option<u32>, answer: Result<Response, Refusal>) -> Result<Response, Refusal> {
        self.look(Moment::Replying(answer.as_ref().err().map(|refusal| refusal.code)), request, caller);
        answer
    }

    async fn ruled(&self, rule: &Rule, caller: Option<Caller>, request: &Request) -> Result<Response, Refusal> {
        if let Some(delay) = rule.delay {
            tokio::time::sleep(delay.0).await;
        }
        if rule.when == When::Before {
            self.end(rule, caller.as_ref()).await?;
        }
        if rule.duplicate {
            // The first answer is lost on the way.
            let _ = self.effect(request);
        }
        let mut answer = self.effect(request);
        if let Some(late) = rule.late {
            tokio::time::sleep(late.0).await;
        }
        if rule.when == When::After {
            self.end(rule, caller.as_ref()).await?;
        }
        if let (Some(bytes), Ok(Response::CreateVolume(created))) = (rule.answer_capacity, &mut answer)
            && let Some(volume) = &mut created.volume
        {
            volume.capacity_bytes = bytes;
        }
        answer
    }

    /// What the rule ends the call with, if it does.
    async fn end(&self, rule: &Rule, caller: Option<&Caller>) -> Result<(), Refusal> {
        if rule.die
            && let Some(caller) = caller
        {
            caller.cut();
        }
        if rule.hang || rule.die {
            // Woken only by the driver's end.
            let _ = self.running.acquire().await;
            return Err(stopped());
        }
        rule.refusal().map_or(Ok(()), Err)
    }

    /// The change in the world, on disk and in the mount table: all of it, or a refusal.
    fn effect(&self, request: &Request) -> Result<Response, Refusal> {
        let mut world = lock(&self.world);
        if let Some(mounts) = &self.mounts {
            mounts.before(request)?;
        }
        let answer = world.apply(&self.node, request)?;
        if let Some(mounts) = &self.mounts
            && let Err(refusal) = mounts.after(request)
        {
            // Only NodePublishVolume mounts; take it back, or a retry would find it done.
            if let Some(undo) = Mounts::undo(request) {
                let _ = world.apply(&self.node, &undo);
            }
            return Err(refusal);
        }
        self.save(&world)?;
        drop(world);
        self.heard.notify_waiters();
        Ok(answer)
    }

    fn save(&self, world: &World) -> Result<(), Refusal> {
        let Some(path) = &self.state else { return Ok(()) };
        if self.saved.swap(world.changes(), Ordering::Relaxed) == world.changes() {
            return Ok(());
        }
        save(path, world.facts()).map_err(|error| {
            // Not saved: the next change, or the caller's retry, must try again.
            self.saved.store(u64::MAX, Ordering::Relaxed);
            Refusal::new(Code::Internal, format!("the state could not be saved to {}: {error}", path.display()))
        })
    }
}

fn stopped() -> Refusal {
    Refusal::new(Code::Unavailable, "the driver stopped")
}

/// Replaces the file in one step, so that a kill leaves the old state or the new one.
fn save(path: &Path, facts: &Facts) -> io::Result<()> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, serde_json::to_vec(facts)?)?;
    fs::rename(&fresh, path)
}

/// What an earlier process saved; nothing if there was none.
pub(crate) fn load(path: &Path) -> io::Result<Option<Facts>> {
    match fs::read(path) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
