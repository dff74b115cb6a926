//! The controller of PersistentVolumeClaims: how its parts fit into `cluster::drive`. Read `claims/plan.rs` first.

mod act;
mod observe;
pub(crate) mod plan;

use std::sync::Arc;
use std::time::Duration;

use cluster::drive::{Controller, Pass, drive};
use cluster::kinds::{Phase, Volume};
use cluster::{Change, Key, Keys, chain};

use crate::error::Error;
use crate::index::claims_of_pod;
use crate::part::resync;
use crate::told::{REPEAT, Told};
use crate::{Part, words};
use plan::{Action, Next, Problem, View, Why, plan};

pub(crate) async fn run(part: Part) {
    let engine = part.engine("claims");
    let keys = Arc::new(Keys::new(engine.ctx.clone()));
    let claims = Arc::new(Claims { part: part.clone(), told: Told::default() });
    claims.subscribe(&keys);
    let all = || part.caches.claims.all().iter().map(|claim| claim.meta.key.clone()).collect();
    futures::join!(drive(claims, keys.clone(), engine), resync(&part, &keys, all));
}

pub(crate) struct Claims {
    pub(crate) part: Part,
    pub(crate) told: Told,
}

impl Claims {
    /// A claim is looked at when it changes, or its volume, its class, a volume that it might get, or a pod that waits for it.
    fn subscribe(&self, keys: &Arc<Keys<Key>>) {
        keys.follow(&self.part.caches.claims);
        let (to, part) = (keys.clone(), self.part.clone());
        self.part.caches.volumes.subscribe(move |change| concerned(&part, change).into_iter().for_each(|key| to.add(key)));
        let (to, part) = (keys.clone(), self.part.clone());
        self.part.caches.classes.subscribe(move |change| {
            let Some(class) = change.key() else { return };
            let waits = part.index.claims_without_volume().into_iter();
            waits
                .filter(|claim| claim.class.as_deref().is_none_or(|name| name == class.as_str()))
                .for_each(|claim| to.add(claim.meta.key.clone()));
        });
        let (to, part) = (keys.clone(), self.part.clone());
        self.part.caches.pods.subscribe(move |change| {
            let names = change.old.iter().chain(&change.new).flat_map(|pod| claims_of_pod(pod));
            let unbound = |key: &Key| part.caches.claims.get(key.as_str()).is_some_and(|claim| claim.volume.is_none());
            names.filter(unbound).for_each(|key| to.add(key));
        });
    }
}

/// The claims that a volume is or was for, and those that name it.
pub(crate) fn claims_of_volume(part: &Part, change: &Change<Volume>) -> Vec<Key> {
    let volumes = change.old.iter().chain(&change.new);
    let of = volumes.filter_map(|volume| volume.claim.as_ref()).map(|claim| Key::namespaced(&claim.namespace, &claim.name));
    let name = change.key().map_or("", Key::as_str);
    of.chain(part.caches.claims.indexed(name).iter().map(|claim| claim.meta.key.clone())).collect()
}

/// The same, and those that might get it.
fn concerned(part: &Part, change: &Change<Volume>) -> Vec<Key> {
    let mut claims = claims_of_volume(part, change);
    if let Some(volume) = change.new.as_ref().filter(|volume| volume.claim.is_none() && volume.phase == Phase::Available) {
        let same = |class: &Option<Box<str>>| class.as_deref().unwrap_or_default() == volume.class.as_deref().unwrap_or_default();
        let waiting = part.index.claims_without_volume().into_iter().filter(|claim| same(&claim.class));
        claims.extend(waiting.map(|claim| claim.meta.key.clone()));
    }
    claims
}

impl Controller for Claims {
    const NAME: &'static str = "binder-claims";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Problem;
    type Error = Error;

    fn observe(&self, key: &Key, pass: Pass) -> View {
        let view = observe::observe(&self.part, &self.told, key, pass.now);
        // What is bound has nothing left to be told, and there are many of it.
        if view.claim.as_ref().is_none_or(|claim| claim.bind_completed) {
            self.told.forget(key);
        }
        view
    }

    fn plan(&self, view: &View) -> Next {
        plan(view)
    }

    async fn act(&self, _: &Key, view: &View, action: &Action) -> Result<(), Error> {
        act::act(self, view, action).await
    }

    async fn refused(&self, _: &Key, _: &View, _: &Problem) {}

    async fn failed(&self, _: &Key, view: &View, error: &Error) {
        let Error::Api { attempt: act::ask_provisioner::ATTEMPT, source, .. } = error else { return };
        if let Some(claim) = &view.claim {
            self.part.events.volumes.publish(words::cannot_save_claim(&chain(source)).about(words::claim(claim)));
        }
    }

    /// To say again what still holds.
    fn look_again(&self, why: &Why) -> Option<Duration> {
        why.is_told().then_some(REPEAT)
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::Bound)
    }
}
