//! The loop around every controller: observe, plan, act; and what to do when that fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use csi_types::{Next, Reason};
use rt::rules::{Rule, on};
use rt::{Ctx, Instant, Shutdown};
use tracing::{Instrument, debug, error, info, info_span, warn};

use crate::backoff::Backoff;
use crate::client::chain;
use crate::keys::Keys;
use crate::leadership::Leadership;
use crate::ledger::Ledger;
use crate::metrics::Metrics;

/// When a failed key is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requeue {
    /// After the queue's backoff.
    Backoff,
    /// After this long, whatever the backoff says: a request that cannot work as it stands.
    After(Duration),
    /// When something changes.
    OnChange,
}

/// How loud a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Somebody must act.
    Error,
    /// It will be tried again.
    Warn,
    /// Everyday.
    Debug,
}

/// What can go wrong in `act`.
pub trait ActError: std::error::Error + Send + Sync + 'static {
    /// One constant CamelCase word, for `/debug/why` and metrics.
    fn word(&self) -> &'static str;
    /// When to try again.
    fn requeue(&self) -> Requeue;
    /// How loud.
    fn level(&self) -> Level;
    /// Whether the driver could not be reached at all. The first call that gets through wakes all keys that failed so.
    fn driver_unreachable(&self) -> bool {
        false
    }
    /// Whether the driver itself said no: such a call did get through.
    fn driver_answered(&self) -> bool {
        false
    }
}

/// What a pass is told besides the caches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pass {
    /// The time of this pass.
    pub now: Instant,
    /// Failures in a row before this pass.
    pub failures: u32,
}

/// A controller: caches and keys in, changes to the world out.
pub trait Controller: Send + Sync + 'static {
    /// For logs, metrics and the ledger.
    const NAME: &'static str;
    /// What a pass is about.
    type Key: Clone + Ord + fmt::Display + Send + Sync + 'static;
    /// The facts.
    type View: Send + Sync + 'static;
    /// What can be done.
    type Action: Reason + Send + Sync + 'static;
    /// Why nothing is done.
    type Why: Reason + Send + 'static;
    /// What is wrong. `Display` is one sentence for a person.
    type Problem: Reason + fmt::Display + Send + Sync + 'static;
    /// What can go wrong.
    type Error: ActError;

    /// Turns caches into facts. Never waits.
    fn observe(&self, key: &Self::Key, pass: Pass) -> Self::View;

    /// The next step. Pure.
    fn plan(&self, view: &Self::View) -> Next<Self::Action, Self::Why, Self::Problem>;

    /// Does one thing to the world. Only called while leading. Repeating it must be harmless: the facts may be old.
    fn act(
        &self,
        key: &Self::Key,
        view: &Self::View,
        action: &Self::Action,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Tells people of a problem. Only called while leading.
    fn refused(&self, key: &Self::Key, view: &Self::View, problem: &Self::Problem) -> impl Future<Output = ()> + Send;

    /// Tells people of a failure. Only called while leading.
    fn failed(&self, key: &Self::Key, view: &Self::View, error: &Self::Error) -> impl Future<Output = ()> + Send;

    /// A reason to rest that time alone can end: look again after this long.
    fn look_again(&self, _why: &Self::Why) -> Option<Duration> {
        None
    }

    /// Whether there is nothing more to say about this object: it is gone, or was never ours.
    fn forget(&self, _why: &Self::Why) -> bool {
        false
    }

    /// Whether this action calls the driver.
    fn calls_driver(&self, _action: &Self::Action) -> bool {
        false
    }
}

/// What the loop needs besides the controller.
#[derive(Clone)]
pub struct Engine {
    /// Time and tasks.
    pub ctx: Ctx,
    /// Who may act.
    pub leadership: Leadership,
    /// Where the last word on each object is kept.
    pub ledger: Ledger,
    /// Counters.
    pub metrics: Metrics,
    /// Passes at once.
    pub workers: usize,
    /// Between failures of one key.
    pub backoff: Backoff,
    /// Take no new work after this; what is under way is finished.
    pub shutdown: Shutdown,
    /// The queue's name in metrics; upstream's, where it has one.
    pub queue: String,
}

/// A pass ends here at the latest; the key goes to the back of the queue, so that no object can hold a worker for ever.
const STEPS: usize = 8;

/// Runs a controller until the shutdown is requested and every pass under way has ended.
pub async fn drive<C: Controller>(controller: Arc<C>, keys: Arc<Keys<C::Key>>, engine: Engine) {
    let unpark = keys.clone();
    engine.leadership.on_gain(move || unpark.unpark());
    let driver = Arc::new(Driver { controller, keys, failures: Mutex::default(), unreachable: Mutex::default(), engine });
    let mut workers = Vec::new();
    for _ in 0..driver.engine.workers.max(1) {
        let worker = driver.clone();
        workers.push(driver.engine.ctx.spawn(C::NAME, async move { worker.work().await }));
    }
    for mut worker in workers {
        worker.ended().await;
    }
}

struct Driver<C: Controller> {
    controller: Arc<C>,
    keys: Arc<Keys<C::Key>>,
    failures: Mutex<BTreeMap<C::Key, u32>>,
    unreachable: Mutex<BTreeSet<C::Key>>,
    engine: Engine,
}

/// Of the keys that could not reach the driver one is tried at least this often. When it gets through, all are woken.
const SCOUT: Duration = Duration::from_secs(10);

/// What one step came to.
enum Step {
    Again,
    Rested { look_again: Option<Duration> },
    Parked,
    Failed(Requeue),
}

impl<C: Controller> Driver<C> {
    async fn work(&self) {
        let engine = &self.engine;
        loop {
            let key = tokio::select! {
                biased;
                () = engine.shutdown.requested() => return,
                key = self.keys.next() => key,
            };
            let started = engine.ctx.now();
            engine.metrics.pass_started(&engine.queue, self.keys.depth());
            let span = info_span!("reconcile", controller = C::NAME, object = %key);
            let retried = self.pass(&key).instrument(span).await;
            engine.metrics.pass_ended(&engine.queue, engine.ctx.now() - started, retried);
        }
    }

    /// Returns whether the key will be tried again because of a failure.
    async fn pass(&self, key: &C::Key) -> bool {
        let mut end = Step::Again;
        for _ in 0..STEPS {
            end = self.step(key).await;
            // A shutdown does not end a pass: between making something and writing down that it is there is no place to stop.
            if !matches!(end, Step::Again) {
                break;
            }
        }
        let again = self.keys.done(key);
        match end {
            Step::Again => self.keys.add(key.clone()),
            Step::Rested { look_again } => {
                lock(&self.failures).remove(key);
                if let Some(delay) = look_again.filter(|_| !again) {
                    self.keys.add_after(key.clone(), delay);
                }
            }
            Step::Parked => self.park(key),
            Step::Failed(requeue) => {
                let failures = {
                    let mut failures = lock(&self.failures);
                    let count = failures.entry(key.clone()).or_insert(0);
                    *count = count.saturating_add(1);
                    *count
                };
                let delay = match requeue {
                    Requeue::Backoff => {
                        let delay = self.engine.backoff.delay(&self.engine.ctx, &key.to_string(), failures);
                        if lock(&self.unreachable).first() == Some(key) { delay.min(SCOUT) } else { delay }
                    }
                    Requeue::After(delay) => delay,
                    Requeue::OnChange => return false,
                };
                if !again {
                    self.keys.add_after(key.clone(), delay);
                }
                return true;
            }
        }
        false
    }

    fn park(&self, key: &C::Key) {
        self.keys.park(key.clone());
        // The lease may have been gained between the look and the parking.
        if self.engine.leadership.is_leader() {
            self.keys.unpark();
        }
    }

    async fn step(&self, key: &C::Key) -> Step {
        let failures = lock(&self.failures).get(key).copied().unwrap_or(0);
        // Or our own writes of this pass would bring the key back at once, past its backoff.
        self.keys.looking(key);
        let view = self.controller.observe(key, Pass { now: self.engine.ctx.now(), failures });
        let next = self.controller.plan(&view);
        if !matches!(next, Next::Do(_)) {
            // It will not call the driver, so it is no scout.
            lock(&self.unreachable).remove(key);
        }
        match next {
            Next::Rest(why) => {
                debug!(why = why.name(), "rest");
                if self.controller.forget(&why) {
                    self.engine.ledger.forget(&key.to_string(), C::NAME);
                    self.engine.metrics.decided(C::NAME, "Rest", why.name());
                } else {
                    self.note(key, "Rest", why.name(), String::new());
                }
                Step::Rested { look_again: self.controller.look_again(&why) }
            }
            Next::Refuse(_) | Next::Do(_) if on(Rule::OnlyLeadersAct) && !self.engine.leadership.is_leader() => {
                self.note(key, "Standby", "NotLeading", String::new());
                Step::Parked
            }
            Next::Refuse(problem) => {
                info!(why = problem.name(), "refused: {problem}");
                self.note(key, "Refuse", problem.name(), problem.to_string());
                self.controller.refused(key, &view, &problem).await;
                Step::Failed(Requeue::Backoff)
            }
            Next::Do(action) => {
                debug!(action = action.name(), failures, "act");
                self.note(key, "Do", action.name(), String::new());
                match self.controller.act(key, &view, &action).await {
                    Ok(()) => {
                        if self.controller.calls_driver(&action) {
                            self.driver_answers();
                        }
                        // Failures count until the key rests: one step that works, every time before one that does not, must
                        // not keep the backoff at its start.
                        Step::Again
                    }
                    Err(error) => self.failed(key, &view, &action, error).await,
                }
            }
        }
    }

    async fn failed(&self, key: &C::Key, view: &C::View, action: &C::Action, error: C::Error) -> Step {
        let (action, text) = (action.name(), chain(&error));
        match error.level() {
            Level::Error => error!(action, "{text}"),
            Level::Warn => warn!(action, "{text}"),
            Level::Debug => debug!(action, "{text}"),
        }
        self.note(key, "Failed", error.word(), text);
        if error.driver_unreachable() {
            lock(&self.unreachable).insert(key.clone());
        } else {
            lock(&self.unreachable).remove(key);
        }
        if error.driver_answered() {
            self.driver_answers();
        }
        self.controller.failed(key, view, &error).await;
        Step::Failed(error.requeue())
    }

    /// A call got through: whatever failed because none did need not wait out its backoff.
    fn driver_answers(&self) {
        let woken = std::mem::take(&mut *lock(&self.unreachable));
        if !woken.is_empty() {
            info!(keys = woken.len(), "the driver answers again");
        }
        for key in woken {
            self.keys.add(key);
        }
    }

    fn note(&self, key: &C::Key, next: &'static str, word: &'static str, detail: String) {
        let engine = &self.engine;
        engine.metrics.decided(C::NAME, next, word);
        engine.ledger.note(&key.to_string(), engine.ctx.now(), C::NAME, next, word, detail);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

#[cfg(test)]
mod tests;
