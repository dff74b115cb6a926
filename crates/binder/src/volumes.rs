//! The controller of PersistentVolumes: how its parts fit into `cluster::drive`. Read `volumes/plan.rs` first.

pub(crate) mod plan;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use cluster::drive::{Controller, Pass, drive};
use cluster::kinds::{Claim, Phase};
use cluster::patch::Change;
use cluster::{Key, Keys};
use serde_json::json;

use crate::error::Error;
use crate::part::resync;
use crate::told::{REPEAT, Told};
use crate::writes::{look, mark_phase, write};
use crate::{Part, words};
use plan::{Action, Next, View, Why, plan};

pub(crate) async fn run(part: Part) {
    let engine = part.engine("volumes");
    let keys = Arc::new(Keys::new(engine.ctx.clone()));
    let volumes = Arc::new(Volumes { part: part.clone(), told: Told::default() });
    volumes.subscribe(&keys);
    let all = || part.caches.volumes.all().iter().map(|volume| volume.meta.key.clone()).collect();
    futures::join!(drive(volumes, keys.clone(), engine), resync(&part, &keys, all));
}

struct Volumes {
    part: Part,
    told: Told,
}

impl Volumes {
    /// A volume is looked at when it changes, and when a claim does that it is for or that names it.
    fn subscribe(&self, keys: &Arc<Keys<Key>>) {
        keys.follow(&self.part.caches.volumes);
        let (to, part) = (keys.clone(), self.part.clone());
        self.part.caches.claims.subscribe(move |change| {
            let Some(key) = change.key() else { return };
            part.index.volumes_of(key.as_str()).iter().for_each(|volume| to.add(volume.meta.key.clone()));
            let named = change.old.iter().chain(&change.new).filter_map(|claim| claim.volume.as_deref());
            named.filter(|name| part.caches.volumes.get(name).is_some()).for_each(|name| to.add(Key::cluster(name)));
        });
    }

    async fn act(&self, view: &View, action: &Action) -> Result<(), Error> {
        let Some(volume) = &view.volume else { return Ok(()) };
        let (client, caches) = (&self.part.around.client, &self.part.caches);
        match action {
            Action::MarkAvailable => mark_phase(&self.part, volume, Phase::Available, "").await,
            Action::MarkBound => mark_phase(&self.part, volume, Phase::Bound, "").await,
            Action::Release => {
                // That our cache has not heard of the claim is no reason to give its volume away.
                let Some(of) = &volume.claim else { return Ok(()) };
                let key = Key::namespaced(&of.namespace, &of.name);
                let claim = look(client, &caches.claims, &key).await?;
                let holds = |claim: &Claim| claim.meta.uid == of.uid && claim.volume.as_deref() == Some(volume.meta.key.name());
                let unheard = |claim: &Claim| claim.meta.uid == of.uid && view.claim.is_none();
                if claim.is_some_and(|claim| holds(&claim) || unheard(&claim)) {
                    return Err(Error::Behind { object: format!("PersistentVolumeClaim {key}") });
                }
                mark_phase(&self.part, volume, Phase::Released, "").await
            }
            Action::Unbind => {
                let body = if volume.bound_by_controller {
                    json!({
                        "metadata": {"annotations": {Claim::BOUND_BY_CONTROLLER_ANNOTATION: null}},
                        "spec": {"claimRef": null},
                    })
                } else {
                    json!({"spec": {"claimRef": {"uid": null}}})
                };
                let attempt = "take from its claim PersistentVolume";
                write(client, &caches.volumes, &volume.meta, attempt, Change::merge(body).if_unchanged()).await
            }
            Action::MarkFailed(say) => {
                mark_phase(&self.part, volume, Phase::Failed, &say.message).await?;
                self.part.events.volumes.publish(say.clone().about(words::volume(volume)));
                Ok(())
            }
            Action::TellMode => {
                let Some(claim) = &view.claim else { return Ok(()) };
                let (of_volume, of_claim) = plan::mode_words(volume, claim);
                self.told.note(&volume.meta, of_volume.clone(), self.part.around.engine.ctx.now());
                self.part.events.volumes.publish(of_volume.about(words::volume(volume)));
                self.part.events.volumes.publish(of_claim.about(words::claim(claim)));
                Ok(())
            }
        }
    }
}

impl Controller for Volumes {
    const NAME: &'static str = "binder-volumes";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Infallible;
    type Error = Error;

    fn observe(&self, key: &Key, pass: Pass) -> View {
        let Some(volume) = self.part.caches.volumes.get(key.as_str()) else {
            self.told.forget(key);
            return View::default();
        };
        let of = volume.claim.as_ref().map(|claim| Key::namespaced(&claim.namespace, &claim.name));
        View {
            claim: of.and_then(|key| self.part.caches.claims.get(key.as_str())),
            told: self.told.lately(&volume.meta, pass.now),
            volume: Some(volume),
        }
    }

    fn plan(&self, view: &View) -> Next {
        plan(view)
    }

    async fn act(&self, _: &Key, view: &View, action: &Action) -> Result<(), Error> {
        self.act(view, action).await
    }

    async fn refused(&self, _: &Key, _: &View, problem: &Infallible) {
        match *problem {}
    }

    async fn failed(&self, _: &Key, _: &View, _: &Error) {}

    fn look_again(&self, why: &Why) -> Option<Duration> {
        (*why == Why::ModeMismatch).then_some(REPEAT)
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::Bound)
    }
}
