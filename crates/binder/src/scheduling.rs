//! The scheduler of one node: how its parts fit into `cluster::drive`. Read `scheduling/plan.rs` first.
//!
//! One worker: of two pods that could not both be placed, the second must see what the first was given.

mod act;
mod fit;
mod observe;
pub(crate) mod plan;
mod waits;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use cluster::drive::{Controller, Engine, Pass, drive};
use cluster::kinds::{Phase, Pod};
use cluster::{Key, Keys};

use crate::Part;
use crate::claims::claims_of_volume;
use crate::error::Error;
use crate::part::resync;
use crate::told::{REPEAT, Told};
use plan::{Action, Next, View, Why, plan};
use waits::Waits;

pub(crate) async fn run(part: Part) {
    let engine = Engine { workers: 1, ..part.engine("scheduling") };
    let keys = Arc::new(Keys::new(engine.ctx.clone()));
    let scheduling = Arc::new(Scheduling { part: part.clone(), told: Told::default(), waits: Waits::default() });
    scheduling.subscribe(&keys);
    let all = || part.index.unscheduled_pods().iter().map(|pod| pod.meta.key.clone()).collect();
    futures::join!(drive(scheduling, keys.clone(), engine), resync(&part, &keys, all));
}

struct Scheduling {
    part: Part,
    told: Told,
    waits: Waits,
}

impl Scheduling {
    /// A pod is looked at when it changes and when a claim of it does. One that has no place yet also when anything changes
    /// that could be the reason: nodes, drivers on it, classes, free room, volumes, and the end of another pod.
    fn subscribe(&self, keys: &Arc<Keys<Key>>) {
        let caches = &self.part.caches;
        let (to, part) = (keys.clone(), self.part.clone());
        caches.pods.subscribe(move |change| {
            if let Some(key) = change.key() {
                to.add(key.clone());
            }
            let makes_room = |pod: &Arc<Pod>| !pod.node.is_empty() && !pod.volumes.is_empty();
            let ended = change.new.as_ref().is_none_or(|pod| pod.is_terminal());
            if ended && change.old.as_ref().is_some_and(makes_room) {
                wake_all(&part, &to);
            }
        });
        let (to, part) = (keys.clone(), self.part.clone());
        caches.claims.subscribe(move |change| {
            let Some(key) = change.key() else { return };
            part.index.pods_of(key.as_str()).iter().for_each(|pod| to.add(pod.meta.key.clone()));
        });
        macro_rules! wakes_all {
            ($($store:ident),*) => {$(
                let (to, part) = (keys.clone(), self.part.clone());
                caches.$store.subscribe(move |_| wake_all(&part, &to));
            )*};
        }
        wakes_all!(nodes, csi_nodes, csi_drivers, classes, storage_capacities);
        let (to, part) = (keys.clone(), self.part.clone());
        caches.volumes.subscribe(move |change| {
            if change.new.as_ref().is_some_and(|volume| volume.claim.is_none() && volume.phase == Phase::Available) {
                return wake_all(&part, &to);
            }
            for claim in claims_of_volume(&part, change) {
                part.index.pods_of(claim.as_str()).iter().for_each(|pod| to.add(pod.meta.key.clone()));
            }
        });
    }
}

fn wake_all(part: &Part, keys: &Keys<Key>) {
    for pod in part.index.unscheduled_pods() {
        keys.add(pod.meta.key.clone());
    }
}

impl Controller for Scheduling {
    const NAME: &'static str = "binder-scheduling";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Infallible;
    type Error = Error;

    fn observe(&self, key: &Key, pass: Pass) -> View {
        let view = observe::observe(self, key, pass.now);
        if view.pod.as_ref().is_none_or(|pod| pod.is_over()) {
            self.told.forget(key);
            self.waits.forget(key);
        }
        view
    }

    fn plan(&self, view: &View) -> Next {
        plan(view)
    }

    async fn act(&self, _: &Key, view: &View, action: &Action) -> Result<(), Error> {
        act::act(self, view, action).await
    }

    async fn refused(&self, _: &Key, _: &View, problem: &Infallible) {
        match *problem {}
    }

    async fn failed(&self, _: &Key, _: &View, _: &Error) {}

    fn look_again(&self, why: &Why) -> Option<Duration> {
        match why {
            Why::Unschedulable => Some(REPEAT),
            Why::WaitingForVolumes(left) | Why::BackingOff(left) => Some(*left),
            // Rare, and too much could end it to be listened for.
            Why::PlacedWithoutVolumes => Some(Duration::from_secs(15)),
            Why::Gone | Why::Over | Why::Deleting | Why::Elsewhere | Why::NotOurs | Why::Gated | Why::Placed => None,
        }
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::Over | Why::Placed | Why::Elsewhere | Why::NotOurs)
    }
}
