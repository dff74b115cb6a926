//! The controller of volumes: one key is one volume on this node, whoever wants it.

use std::time::Duration;

use cluster::drive::{Controller, Pass};
use csi_types::Next;

use crate::act::act;
use crate::agent::Agent;
use crate::error::Error;
use crate::observe::observe;
use crate::paths::VolumeKey;
use crate::plan::{Action, Problem, View, Why, plan};
use cluster::chain;

/// See `lib.rs` for the picture.
pub(crate) struct Volumes(pub Agent);

/// Nothing is waited for longer than this without looking again: a lost wake-up costs a minute, not a pod.
const RESYNC: Duration = Duration::from_secs(60);

impl Controller for Volumes {
    const NAME: &'static str = "node-mounter";
    type Key = VolumeKey;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Problem;
    type Error = Error;

    fn observe(&self, key: &VolumeKey, pass: Pass) -> View {
        observe(&self.0, key, pass.now)
    }

    fn plan(&self, view: &View) -> Next<Action, Why, Problem> {
        plan(view)
    }

    async fn act(&self, key: &VolumeKey, view: &View, action: &Action) -> Result<(), Error> {
        let concerned = self.0.pods_of(key);
        let started = self.0.ctx.now();
        let driver = view.record.as_ref().map(|record| record.driver.clone());
        let driver =
            driver.or_else(|| self.0.state().wanted_at(key, &view.wants.first()?.place).map(|(_, spec)| spec.driver.clone()));
        let result = act(&self.0, key, action).await;
        if let Some(driver) = driver {
            self.0.metrics.operated(driver.as_str(), action, result.is_ok(), self.0.ctx.now() - started);
        }
        self.0.wake_pods(concerned);
        result
    }

    async fn refused(&self, key: &VolumeKey, view: &View, problem: &Problem) {
        let place = match problem {
            Problem::UsedByAnotherPod { place, .. } | Problem::OtherMode { place, .. } => Some(place.clone()),
            Problem::NodeOutOfService => view.wants.first().map(|want| want.place.clone()),
            Problem::MountedElsewhere(_) => None,
        };
        let pod = place.and_then(|place| self.0.state().wanted_at(key, &place));
        if let Some((pod, spec)) = pod {
            self.0.warn(&pod, "FailedMount", format!("volume {}: {problem}", spec.name));
        }
    }

    async fn failed(&self, key: &VolumeKey, view: &View, error: &Error) {
        let Some(reason) = error.event_reason() else { return };
        let state = self.0.state();
        let wanting =
            view.wants.iter().filter_map(|want| state.wanted_at(key, &want.place).map(|(pod, spec)| (pod, spec.name.clone())));
        let ending = view.record.iter().flat_map(|record| &record.publishes).filter_map(|publish| {
            let entry = state.pods.get(&publish.place.pod_uid)?;
            Some((entry.pod.clone(), publish.place.spec_name.clone()))
        });
        let concerned = if reason == "FailedUnMount" { ending.collect::<Vec<_>>() } else { wanting.collect() };
        drop(state);
        for (pod, name) in concerned {
            self.0.warn(&pod, reason, format!("volume {name}: {}", chain(error)));
        }
    }

    fn look_again(&self, why: &Why) -> Option<Duration> {
        match why {
            Why::BackingOff(at) | Why::AlreadyMounted(Some(at)) => Some(*at - self.0.ctx.now()),
            Why::NothingWanted => None,
            Why::AlreadyMounted(None)
            | Why::StillRunning
            | Why::PodsNotListed
            | Why::NotReportedInUse
            | Why::NotAttached
            | Why::DriverNotRegistered => Some(RESYNC),
        }
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::NothingWanted)
    }

    fn calls_driver(&self, action: &Action) -> bool {
        !matches!(action, Action::ForgetVolume)
    }
}
