//! A bound claim that asks for more than it has: who is waited for. Observe, plan and act in one file: there is one thing to
//! decide and one to do; the work itself is the resizer's.
//!
//! Upstream: pkg/controller/volume/expand.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use cluster::drive::{Controller, Pass, drive};
use cluster::kinds::{Claim, Volume};
use cluster::{Key, Keys};
use csi_types::{Quantity, Reason};

use crate::error::Error;
use crate::told::{REPEAT, Told};
use crate::words::Say;
use crate::{Part, matching, words};

pub(crate) async fn run(part: Part) {
    let engine = part.engine("expand");
    let keys = Arc::new(Keys::new(engine.ctx.clone()));
    let expand = Arc::new(Expand { part, told: Told::default() });
    expand.subscribe(&keys);
    drive(expand, keys, engine).await;
}

struct Expand {
    part: Part,
    told: Told,
}

#[derive(Debug, Default)]
struct View {
    claim: Option<Arc<Claim>>,
    volume: Option<Arc<Volume>>,
    told: Option<Say>,
}

#[derive(Debug, PartialEq, Eq)]
enum Action {
    Tell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Gone,
    NotBound,
    LargeEnough,
    /// Its volume is not a CSI driver's, so nobody here could.
    NotCsi,
    WaitingForResizer,
}

type Next = csi_types::Next<Action, Why, Infallible>;

fn plan(v: &View) -> Next {
    let Some(claim) = &v.claim else { return Next::Rest(Why::Gone) };
    let is_its = |volume: &&Arc<Volume>| volume.claim.as_ref().is_some_and(|of| of.uid == claim.meta.uid);
    let Some(volume) = v.volume.as_ref().filter(is_its).filter(|_| &*claim.phase == "Bound") else {
        return Next::Rest(Why::NotBound);
    };
    let has = claim.capacity.as_deref().and_then(|text| Quantity::parse(text).ok());
    if has.is_none_or(|has| matching::request(claim) <= has) && volume.pre_resize_capacity.is_none() {
        return Next::Rest(Why::LargeEnough);
    }
    if volume.csi.is_none() {
        return Next::Rest(Why::NotCsi);
    }
    if v.told.as_ref() == Some(&words::external_expanding()) {
        Next::Rest(Why::WaitingForResizer)
    } else {
        Next::Do(Action::Tell)
    }
}

impl Expand {
    /// A claim is looked at when it or its volume changes; one that nobody wants to grow rests at once.
    fn subscribe(&self, keys: &Arc<Keys<Key>>) {
        keys.follow(&self.part.caches.claims);
        let (to, part) = (keys.clone(), self.part.clone());
        self.part.caches.volumes.subscribe(move |change| {
            let Some(name) = change.key() else { return };
            part.caches.claims.indexed(name.as_str()).iter().for_each(|claim| to.add(claim.meta.key.clone()));
        });
    }
}

impl Controller for Expand {
    const NAME: &'static str = "binder-expand";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Infallible;
    type Error = Error;

    fn observe(&self, key: &Key, pass: Pass) -> View {
        let Some(claim) = self.part.caches.claims.get(key.as_str()) else {
            self.told.forget(key);
            return View::default();
        };
        let volume = claim.volume.as_deref().and_then(|name| self.part.caches.volumes.get(name));
        View { volume, told: self.told.lately(&claim.meta, pass.now), claim: Some(claim) }
    }

    fn plan(&self, view: &View) -> Next {
        plan(view)
    }

    async fn act(&self, _: &Key, view: &View, action: &Action) -> Result<(), Error> {
        let (Action::Tell, Some(claim)) = (action, &view.claim) else { return Ok(()) };
        let say = words::external_expanding();
        self.told.note(&claim.meta, say.clone(), self.part.around.engine.ctx.now());
        self.part.events.expand.publish(say.about(words::claim(claim)));
        Ok(())
    }

    async fn refused(&self, _: &Key, _: &View, problem: &Infallible) {
        match *problem {}
    }

    async fn failed(&self, _: &Key, _: &View, _: &Error) {}

    fn look_again(&self, why: &Why) -> Option<Duration> {
        (*why == Why::WaitingForResizer).then_some(REPEAT)
    }

    /// Only what waits is worth remembering.
    fn forget(&self, why: &Why) -> bool {
        *why != Why::WaitingForResizer
    }
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        "tell"
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::NotBound => "NotBound",
            Why::LargeEnough => "LargeEnough",
            Why::NotCsi => "NotCsi",
            Why::WaitingForResizer => "WaitingForResizer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn view(request: &str, has: &str) -> View {
        let volume = fixtures::volume("pv", |volume| volume.claim = Some(fixtures::reference("c", "uid-c")));
        let claim = fixtures::claim("c", |claim| {
            (claim.volume, claim.phase) = (Some("pv".into()), "Bound".into());
            (claim.request, claim.capacity) = (Some(request.into()), Some(has.into()));
        });
        View { claim: Some(claim), volume: Some(volume), told: None }
    }

    #[test]
    fn a_bound_claim_that_asks_for_more_than_it_has_is_told_whom_it_waits_for() {
        assert_eq!(plan(&view("2Gi", "1Gi")), Next::Do(Action::Tell));
        let told = View { told: Some(words::external_expanding()), ..view("2Gi", "1Gi") };
        assert_eq!(plan(&told), Next::Rest(Why::WaitingForResizer));
        assert_eq!(plan(&view("1Gi", "1Gi")), Next::Rest(Why::LargeEnough));
    }

    #[test]
    fn a_claim_whose_volume_does_not_point_back_is_not_expanded() {
        let mut other = view("2Gi", "1Gi");
        other.volume = Some(fixtures::volume("pv", |volume| volume.claim = Some(fixtures::reference("c", "uid-other"))));
        assert_eq!(plan(&other), Next::Rest(Why::NotBound));
    }
}
