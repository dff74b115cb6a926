//! What the driver sees, call by call: the trap that strikes the caller at its point, and the rules that no call may break.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use fake_driver::{FakeDriver, Moment, Request, Rpc, Sight, Volume};
use tokio::sync::mpsc::UnboundedSender;

use crate::facts::Wrong;
use crate::plan::{Fault, Plan, Point};
use crate::process::Process;
use crate::server::{Server, Stopped};

/// Somebody was hit.
pub(crate) struct Strike {
    pub(crate) victim: Arc<Process>,
    /// The API server, if it was stopped just before.
    pub(crate) server: Option<Stopped>,
}

/// Looks at every call of one round's driver.
pub(crate) struct Witness {
    plan: Plan,
    server: Server,
    state: Mutex<State>,
    driver: OnceLock<Weak<FakeDriver>>,
    processes: OnceLock<Vec<Arc<Process>>>,
    strikes: UnboundedSender<Strike>,
}

struct State {
    /// Strikes to come.
    left: u32,
    /// Strikes that were begun and are not healed: the process is dead, or about to be.
    open: u32,
    struck: u32,
    under_way: u32,
    last_call: Instant,
    /// Somebody wants the volume.
    wanted: bool,
    broken: Vec<(Wrong, String)>,
}

impl Witness {
    pub(crate) fn new(plan: &Plan, server: Server, strikes: UnboundedSender<Strike>) -> Arc<Self> {
        let state = State {
            left: plan.strikes,
            open: 0,
            struck: 0,
            under_way: 0,
            last_call: Instant::now(),
            wanted: true,
            broken: Vec::new(),
        };
        Arc::new(Self {
            plan: plan.clone(),
            server,
            state: Mutex::new(state),
            driver: OnceLock::new(),
            processes: OnceLock::new(),
            strikes,
        })
    }

    pub(crate) fn introduce_driver(&self, driver: &Arc<FakeDriver>) {
        let _ = self.driver.set(Arc::downgrade(driver));
    }

    pub(crate) fn introduce_processes(&self, processes: Vec<Arc<Process>>) {
        let _ = self.processes.set(processes);
    }

    /// Called by the driver, in the call's own task.
    pub(crate) fn look(self: &Arc<Self>, sight: &Sight<'_>) {
        let rpc = sight.request.rpc();
        if matches!(rpc.service(), "Identity") {
            return;
        }
        self.count(sight.moment);
        self.check(sight);
        let at_point = match self.plan.point {
            Point::Received => sight.moment == Moment::Received,
            // A refusal is no effect: the call that had one is the one to cut off.
            Point::Replying | Point::Replied => sight.moment == Moment::Replying(None),
        };
        if rpc == self.plan.rpc
            && at_point
            && let Some(victim) = sight.caller.and_then(|pid| self.process(pid))
            && self.begin()
        {
            self.strike(victim);
        }
    }

    fn process(&self, pid: u32) -> Option<Arc<Process>> {
        self.processes.get()?.iter().find(|process| process.is(pid)).cloned()
    }

    /// One strike at a time: while a process is down, another replica's calls are not its.
    fn begin(&self) -> bool {
        let mut state = self.state();
        let yes = state.left > 0 && state.open == 0;
        if yes {
            state.left -= 1;
            state.open += 1;
            state.struck += 1;
        }
        yes
    }

    fn strike(self: &Arc<Self>, victim: Arc<Process>) {
        if self.plan.point != Point::Replied {
            return self.hit(victim);
        }
        let witness = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(witness.plan.after).await;
            witness.hit(victim);
        });
    }

    fn hit(&self, victim: Arc<Process>) {
        // The server first: what the process would tell it is lost.
        let server = (self.plan.fault == Fault::ServerStopped).then(|| self.server.stop().ok()).flatten();
        if self.plan.fault == Fault::LeaseLost && self.plan.frozen {
            victim.freeze();
        } else {
            victim.kill();
        }
        // A round that is over has nobody to tell.
        let _ = self.strikes.send(Strike { victim, server });
    }

    fn count(&self, moment: Moment) {
        let mut state = self.state();
        state.last_call = Instant::now();
        match moment {
            Moment::Received => state.under_way += 1,
            Moment::Replying(_) => state.under_way -= 1,
        }
    }

    /// What may never be asked of a driver, and what may never be true.
    fn check(&self, sight: &Sight<'_>) {
        let Some(driver) = self.driver.get().and_then(Weak::upgrade) else { return };
        let volumes = driver.volumes();
        let of = |id: &str| volumes.iter().find(|volume| volume.id == id);
        let in_use = |volume: &Volume, node: &str| {
            volume.staged.iter().any(|staged| staged.node == node) || volume.targets.iter().any(|target| target.node == node)
        };
        let wrong = match (sight.moment, sight.request) {
            (Moment::Received, Request::ControllerUnpublishVolume(r)) => {
                of(&r.volume_id).is_some_and(|v| in_use(v, &r.node_id)).then_some("detached while it was mounted")
            }
            (Moment::Received, Request::NodeUnstageVolume(r)) => {
                let published = |v: &Volume| v.targets.iter().any(|target| target.staging == r.staging_target_path);
                of(&r.volume_id).is_some_and(published).then_some("unstaged while it was published")
            }
            (Moment::Received, Request::DeleteVolume(r)) => match of(&r.volume_id) {
                Some(v) if !v.published.is_empty() => Some("deleted while it was attached"),
                Some(_) if self.state().wanted => Some("deleted under its claim"),
                _ => None,
            },
            (Moment::Replying(None), Request::CreateVolume(_)) => (volumes.len() > 1).then_some("made twice for one claim"),
            (Moment::Replying(None), Request::ControllerPublishVolume(r)) => {
                of(&r.volume_id).is_some_and(|v| v.published.len() > 1).then_some("attached to two nodes")
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.complain(Wrong::Double, format!("{}: the volume was {wrong}", sight.request.rpc().name()));
        }
    }

    /// A rule was broken.
    pub(crate) fn complain(&self, wrong: Wrong, what: String) {
        let mut state = self.state();
        if !state.broken.iter().any(|(_, known)| *known == what) {
            state.broken.push((wrong, what));
        }
    }

    pub(crate) fn broken(&self) -> Vec<(Wrong, String)> {
        self.state().broken.clone()
    }

    /// A victim was healed: it runs again, or what took its place does.
    pub(crate) fn healed(&self) {
        self.state().open -= 1;
    }

    /// Nobody is dead or about to be, and no call is under way.
    pub(crate) fn idle(&self) -> bool {
        let state = self.state();
        state.open == 0 && state.under_way == 0
    }

    pub(crate) fn struck(&self) -> u32 {
        self.state().struck
    }

    /// Since the last call that is about a volume.
    pub(crate) fn quiet_for(&self) -> Duration {
        self.state().last_call.elapsed()
    }

    /// Nobody wants the volume any more.
    pub(crate) fn unwanted(&self) {
        self.state().wanted = false;
    }

    /// From now on nobody is hit.
    pub(crate) fn disarm(&self) {
        self.state().left = 0;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a call is made late.
pub(crate) fn lateness(plan: &Plan) -> Vec<fake_driver::Rule> {
    let rule = |rpc: Rpc| fake_driver::Rule::on(rpc).nth(0);
    match (plan.fault, plan.late_effect) {
        (Fault::Late, true) => vec![rule(plan.rpc).delay(plan.lateness)],
        (Fault::Late, false) => vec![rule(plan.rpc).late(plan.lateness)],
        _ => Vec::new(),
    }
}
