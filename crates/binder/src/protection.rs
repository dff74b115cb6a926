//! Finalizers that keep claims, volumes and attributes classes while they are used. Three kinds, one shape: what is used is a
//! question to the kind, everything else is the same.
//!
//! Upstream: pkg/controller/volume/{pvcprotection,pvprotection,vacprotection}. What differs: a class is released as soon as the
//! last reference goes, without the check that is made every so often upstream.

mod claims;
mod classes;
mod volumes;

use std::convert::Infallible;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use cluster::drive::{Controller, Pass, drive};
use cluster::kinds::{AttributesClass, Claim, Volume};
use cluster::patch::{Change, add_finalizer, remove_finalizer};
use cluster::{Key, Keys, Kind, Store, Watch};
use csi_types::{Next, Reason};

use crate::Part;
use crate::error::Error;
use crate::writes::write;

/// What must be cached for this controller.
pub(crate) fn watches() -> Vec<Watch> {
    vec![Watch::Claims, Watch::Volumes, Watch::Pods, Watch::AttributesClasses]
}

/// Runs until the shutdown is requested and every pass under way has ended.
pub(crate) async fn run(part: Part) {
    futures::join!(protect::<Claim>(&part), protect::<Volume>(&part), protect::<AttributesClass>(&part));
}

async fn protect<K: Protected>(part: &Part) {
    let keys = Arc::new(Keys::new(part.around.engine.ctx.clone()));
    let to = keys.clone();
    K::store(part).subscribe(move |change| {
        let rests = |object: &&Arc<K>| object.meta().deleting || !object.meta().has_finalizer(K::FINALIZER);
        if let Some(object) = change.new.as_ref().filter(rests) {
            to.add(object.meta().key.clone());
        }
    });
    K::wake(part, &keys);
    let protection = Arc::new(Protection::<K> { part: part.clone(), of: PhantomData });
    drive(protection, keys, part.engine(K::QUEUE)).await;
}

/// A kind that is kept while it is used.
trait Protected: Kind {
    const FINALIZER: &'static str;
    const QUEUE: &'static str;

    fn store(part: &Part) -> &Arc<Store<Self>>;

    /// As far as the caches know.
    fn is_used(part: &Part, object: &Self) -> bool;

    /// Asked once more before it is let go, where the caches may be behind.
    fn is_used_after_all(_: &Part, _: &Self) -> impl Future<Output = Result<bool, Error>> + Send {
        async { Ok(false) }
    }

    /// Adds the keys of objects that were used and may not be any more.
    fn wake(part: &Part, keys: &Arc<Keys<Key>>);
}

struct Protection<K> {
    part: Part,
    of: PhantomData<fn() -> K>,
}

/// The facts about one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct View {
    exists: bool,
    deleting: bool,
    held: bool,
    used: bool,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Protect,
    Release,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Gone,
    Protected,
    /// It is being deleted, and we do not keep it.
    Going,
    InUse,
}

fn plan(view: &View) -> Next<Action, Why, Infallible> {
    match view {
        View { exists: false, .. } => Next::Rest(Why::Gone),
        View { deleting: false, held: true, .. } => Next::Rest(Why::Protected),
        View { deleting: false, held: false, .. } => Next::Do(Action::Protect),
        View { held: false, .. } => Next::Rest(Why::Going),
        View { used: true, .. } => Next::Rest(Why::InUse),
        _ => Next::Do(Action::Release),
    }
}

impl<K: Protected> Protection<K> {
    async fn protect(&self, object: &K) -> Result<(), Error> {
        match add_finalizer(object.meta(), K::FINALIZER) {
            Some(operations) => self.write(object, "add the protecting finalizer to", Change::operations(operations)).await,
            None => Ok(()),
        }
    }

    async fn release(&self, object: &K) -> Result<(), Error> {
        if K::is_used_after_all(&self.part, object).await? {
            return Err(Error::Behind { object: format!("{} {}", K::PLURAL, object.meta().key) });
        }
        let Some(operations) = remove_finalizer(object.meta(), K::FINALIZER) else { return Ok(()) };
        // Or it may be used again, by a status that we have not seen.
        let change = Change::operations(operations).if_unchanged();
        self.write(object, "remove the protecting finalizer from", change).await
    }

    async fn write(&self, object: &K, attempt: &'static str, change: Change) -> Result<(), Error> {
        write(&self.part.around.client, K::store(&self.part), object.meta(), attempt, change).await
    }
}

impl<K: Protected> Controller for Protection<K> {
    const NAME: &'static str = K::QUEUE;
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Infallible;
    type Error = Error;

    fn observe(&self, key: &Key, _: Pass) -> View {
        let object = K::store(&self.part).get(key.as_str());
        let meta = object.as_ref().map(|object| object.meta());
        let deleting = meta.is_some_and(|meta| meta.deleting);
        View {
            exists: meta.is_some(),
            deleting,
            held: meta.is_some_and(|meta| meta.has_finalizer(K::FINALIZER)),
            used: deleting && object.as_ref().is_some_and(|object| K::is_used(&self.part, object)),
        }
    }

    fn plan(&self, view: &View) -> Next<Action, Why, Infallible> {
        plan(view)
    }

    async fn act(&self, key: &Key, _: &View, action: &Action) -> Result<(), Error> {
        let Some(object) = K::store(&self.part).get(key.as_str()) else { return Ok(()) };
        match action {
            Action::Protect => self.protect(&object).await,
            Action::Release => self.release(&object).await,
        }
    }

    async fn refused(&self, _: &Key, _: &View, problem: &Infallible) {
        match *problem {}
    }

    async fn failed(&self, _: &Key, _: &View, _: &Error) {}

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::Protected)
    }
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::Protect => "protect",
            Action::Release => "release",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::Protected => "Protected",
            Why::Going => "Going",
            Why::InUse => "InUse",
        }
    }
}

#[cfg(test)]
mod tests;
