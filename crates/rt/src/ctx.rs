//! What a piece of the engine is given to reach time, chance, tasks and the disk.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use crate::disk::{Disk, HostDisk, MemoryDisk};
use crate::draw::Draws;
use crate::process::{Process, spawn_real};
use crate::{Elapsed, Instant, Task};

/// Time, chance, tasks and the disk. Cheap to clone; clones are the same context.
#[derive(Clone)]
pub struct Ctx(Arc<Inner>);

struct Inner {
    origin: tokio::time::Instant,
    epoch: jiff::Timestamp,
    draws: Draws,
    disk: Arc<dyn Disk>,
    /// `Some` in simulation.
    process: Option<Arc<Process>>,
}

impl Ctx {
    /// The real thing. Call inside a tokio runtime.
    pub fn real() -> Self {
        Self(Arc::new(Inner {
            origin: tokio::time::Instant::now(),
            epoch: jiff::Timestamp::now(),
            draws: Draws::random(),
            disk: Arc::new(HostDisk),
            process: None,
        }))
    }

    /// The seeded twin: call inside a current-thread runtime that was built with `start_paused(true)`.
    ///
    /// Wall time starts at 2026-01-01T00:00:00Z; the disk is in memory and can be handed on to the next process.
    pub fn seeded(seed: u64, disk: Arc<MemoryDisk>) -> Self {
        Self(Arc::new(Inner {
            origin: tokio::time::Instant::now(),
            epoch: jiff::Timestamp::from_second(1_767_225_600).unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            draws: Draws::seeded(seed),
            disk,
            process: Some(Arc::new(Process::default())),
        }))
    }

    /// Simulation: another process in the run of this one, on its own disk. Same clocks; draws and tasks of its own. Its tasks take
    /// turns in an order that depends on the seed.
    pub fn another(&self, name: &str, disk: Arc<MemoryDisk>) -> Self {
        let draws = self.0.draws.of(name);
        let process = Some(Arc::new(Process::shuffled(&draws)));
        Self(Arc::new(Inner { origin: self.0.origin, epoch: self.0.epoch, draws, disk, process }))
    }

    /// The monotonic clock.
    pub fn now(&self) -> Instant {
        Instant(tokio::time::Instant::now().duration_since(self.0.origin))
    }

    /// The wall clock, for what people and other programs read. Decisions use [`Ctx::now`].
    pub fn timestamp(&self) -> jiff::Timestamp {
        match &self.0.process {
            Some(_) => self.0.epoch + self.now().0,
            None => jiff::Timestamp::now(),
        }
    }

    /// Waits. Cancel safe.
    pub async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Waits until `when`. Returns at once if it has passed. Cancel safe.
    pub async fn sleep_until(&self, when: Instant) {
        tokio::time::sleep_until(self.0.origin + when.0).await;
    }

    /// Gives `future` this much time. On [`Elapsed`] the future is dropped.
    pub async fn timeout<F: Future>(&self, time: Duration, future: F) -> Result<F::Output, Elapsed> {
        tokio::time::timeout(time, future).await.map_err(|_| Elapsed(time))
    }

    /// 64 random bits for this purpose. In simulation they depend on the seed, the key, and how often it was drawn.
    pub fn draw(&self, key: &str) -> u64 {
        self.0.draws.draw(key)
    }

    /// A random fraction in `0.0..1.0`.
    pub fn fraction(&self, key: &str) -> f64 {
        (self.draw(key) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Starts a task. A panic in it ends the process (in simulation: the simulated one).
    pub fn spawn(&self, name: &str, future: impl Future<Output = ()> + Send + 'static) -> Task {
        match &self.0.process {
            Some(process) => process.spawn(name, future.boxed()),
            None => spawn_real(name, future.boxed()),
        }
    }

    /// Runs code that blocks (a mount, a hash of a large file) without holding up other tasks.
    ///
    /// Cancel safety: a dropped call still runs to its end. In simulation it runs inline, between two yields.
    pub async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        if self.0.process.is_some() {
            tokio::task::yield_now().await;
            let result = work();
            tokio::task::yield_now().await;
            return result;
        }
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(cause) => std::panic::resume_unwind(cause),
                // The runtime is going down; nobody waits for an answer any more.
                Err(_) => futures::future::pending().await,
            },
        }
    }

    /// The disk.
    pub fn disk(&self) -> &dyn Disk {
        &*self.0.disk
    }

    /// Simulation: drops every task of this process at once, as SIGKILL would.
    pub fn kill(&self) {
        if let Some(process) = &self.0.process {
            process.kill();
        }
    }

    /// Simulation: stops every task of this process where it is, as SIGSTOP would, until [`Ctx::thaw`].
    pub fn freeze(&self) {
        if let Some(process) = &self.0.process {
            process.freeze();
        }
    }

    /// Simulation: lets a frozen process go on. Its clocks have gone on meanwhile.
    pub fn thaw(&self) {
        if let Some(process) = &self.0.process {
            process.thaw();
        }
    }

    /// Simulation: kills the process at its n-th poll, counted over all its tasks from 1.
    pub fn kill_at_poll(&self, nth: u64) {
        if let Some(process) = &self.0.process {
            process.kill_at_poll(nth);
        }
    }

    /// Simulation: whether the process was killed. Always false in production.
    pub fn is_dead(&self) -> bool {
        self.0.process.as_ref().is_some_and(|process| process.is_dead())
    }

    /// Simulation: polls so far.
    pub fn polls(&self) -> u64 {
        self.0.process.as_ref().map_or(0, |process| process.polls())
    }

    /// Simulation: the first panic of a task of this process.
    pub fn panicked(&self) -> Option<String> {
        self.0.process.as_ref().and_then(|process| process.panic())
    }
}
