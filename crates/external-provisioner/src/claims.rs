//! The controller of claims: observe, plan and act, put together for `cluster::drive`.

use std::sync::Arc;
use std::time::Duration;

use cluster::EventType;
use cluster::chain;
use cluster::drive::{Controller, Pass};
use csi_types::Next;

use crate::act::Act;
use crate::error::Error;
use crate::observe::{ClaimKey, Observer};
use crate::plan::claim::{Action, Problem, Why, plan};
use crate::view::ClaimView;

pub(crate) struct Claims {
    pub(crate) observer: Arc<Observer>,
    pub(crate) act: Arc<Act>,
}

impl Controller for Claims {
    const NAME: &'static str = "provisioner-claims";
    type Key = ClaimKey;
    type View = ClaimView;
    type Action = Action;
    type Why = Why;
    type Problem = Problem;
    type Error = Error;

    fn observe(&self, key: &ClaimKey, pass: Pass) -> ClaimView {
        self.observer.claim(key, pass.now)
    }

    fn plan(&self, view: &ClaimView) -> Next<Action, Why, Problem> {
        plan(view)
    }

    async fn act(&self, key: &ClaimKey, view: &ClaimView, action: &Action) -> Result<(), Error> {
        self.act.claim(key, view, action).await
    }

    async fn refused(&self, key: &ClaimKey, view: &ClaimView, problem: &Problem) {
        self.tell(key, view, problem.to_string());
    }

    async fn failed(&self, key: &ClaimKey, view: &ClaimView, error: &Error) {
        if error.is_news() {
            self.tell(key, view, chain(error));
        }
    }

    fn look_again(&self, why: &Why) -> Option<Duration> {
        match why {
            Why::SlowRetry { again_in } => Some(*again_in),
            _ => None,
        }
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::ClaimGone | Why::AlreadyBound | Why::NotOurs | Why::ClassOfAnother)
    }

    fn calls_driver(&self, action: &Action) -> bool {
        matches!(action, Action::CreateVolume(_) | Action::DiscardVolume(_))
    }
}

impl Claims {
    /// What was read live is read again for the next attempt: the user may be mending it.
    fn tell(&self, key: &ClaimKey, view: &ClaimView, message: String) {
        self.act.metrics.provision_failed(view.claim.as_ref().map_or("", |claim| &claim.class));
        self.act.memory.forget_live(&key.uid);
        self.act.tell_claim(key, EventType::Warning, "ProvisioningFailed", message);
    }
}
