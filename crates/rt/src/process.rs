//! Tasks that belong to one process: they can be killed together, between two polls, as a SIGKILL would.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::draw::Draws;

/// A running task. Dropping the handle lets it run on.
pub struct Task(tokio::task::JoinHandle<()>);

impl Task {
    /// Ends the task at its next await. Nothing that it awaits is told.
    pub fn abort(&self) {
        self.0.abort();
    }

    /// Whether it has ended.
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for its end, however it came. Cancel safe: the task runs on.
    pub async fn ended(&mut self) {
        let _ = (&mut self.0).await;
    }
}

/// The tasks of one simulated process.
#[derive(Default)]
pub(crate) struct Process {
    slots: Mutex<BTreeMap<u64, Option<BoxFuture<'static, ()>>>>,
    next: AtomicU64,
    polls: AtomicU64,
    kill_at: AtomicU64,
    dead: AtomicBool,
    panic: Mutex<Option<String>>,
    /// `Some`: nothing runs, and this is who wanted to.
    frozen: Mutex<Option<Vec<Waker>>>,
    /// `Some`: a task whose turn it is may be sent to the end of the line.
    shuffle: Option<Draws>,
}

impl Process {
    /// Tasks take their turns in another order for each seed.
    pub(crate) fn shuffled(draws: &Draws) -> Self {
        Self { shuffle: Some(draws.of("turns")), ..Self::default() }
    }

    /// Holds every task where it is; what others do for this process goes on.
    pub(crate) fn freeze(&self) {
        self.frozen().get_or_insert_default();
    }

    pub(crate) fn thaw(&self) {
        let waiting = self.frozen().take();
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    /// Whether this turn is not to be taken now; then it comes again.
    fn holds(&self, waker: &Waker) -> bool {
        if let Some(waiting) = &mut *self.frozen() {
            waiting.push(waker.clone());
            return true;
        }
        let later = self.shuffle.as_ref().is_some_and(|draws| draws.draw("turn") % 4 == 0);
        if later {
            waker.wake_by_ref();
        }
        later
    }

    fn frozen(&self) -> std::sync::MutexGuard<'_, Option<Vec<Waker>>> {
        self.frozen.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(crate) fn spawn(self: &Arc<Self>, name: &str, future: BoxFuture<'static, ()>) -> Task {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.slots().insert(id, Some(future));
        Task(tokio::spawn(Slot { process: self.clone(), id, name: name.to_owned() }))
    }

    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::SeqCst);
        // Dropped outside the lock: a future's drop may end up here again.
        let dropped = std::mem::take(&mut *self.slots());
        drop(dropped);
    }

    pub(crate) fn kill_at_poll(&self, nth: u64) {
        self.kill_at.store(nth, Ordering::SeqCst);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::SeqCst)
    }

    pub(crate) fn panic(&self) -> Option<String> {
        self.panic.lock().unwrap_or_else(|e| e.into_inner()).clone()
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Option<BoxFuture<'static, ()>>>> {
        self.slots.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// What tokio polls; the future itself stays in the process's table, where a kill finds it.
struct Slot {
    process: Arc<Process>,
    id: u64,
    name: String,
}

impl Future for Slot {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let process = &self.process;
        if process.is_dead() {
            return Poll::Ready(());
        }
        if process.holds(cx.waker()) {
            return Poll::Pending;
        }
        let tick = process.polls.fetch_add(1, Ordering::SeqCst) + 1;
        if tick == process.kill_at.load(Ordering::SeqCst) {
            process.kill();
            return Poll::Ready(());
        }
        let Some(mut future) = process.slots().get_mut(&self.id).and_then(Option::take) else { return Poll::Ready(()) };
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => {
                if let Some(slot) = process.slots().get_mut(&self.id) {
                    *slot = Some(future);
                }
                Poll::Pending
            }
            Ok(Poll::Ready(())) => {
                process.slots().remove(&self.id);
                Poll::Ready(())
            }
            Err(cause) => {
                let text = format!("task {}: {}", self.name, panic_text(&*cause));
                process.panic.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(text);
                process.kill();
                Poll::Ready(())
            }
        }
    }
}

/// Spawns on the ambient runtime. A panic ends the process: half a controller is worse than a restart.
pub(crate) fn spawn_real(name: &str, future: BoxFuture<'static, ()>) -> Task {
    let name = name.to_owned();
    Task(tokio::spawn(async move {
        if let Err(cause) = AssertUnwindSafe(future).catch_unwind().await {
            tracing::error!(task = name, "task panicked: {}", panic_text(&*cause));
            std::process::exit(101);
        }
    }))
}

fn panic_text(cause: &(dyn Any + Send)) -> &str {
    cause
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| cause.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
