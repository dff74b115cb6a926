//! Objects whose owners are gone, and owners whose deletion waits for what they own.
//!
//! ```text
//!  discovery ─> a watch of metadata per kind ─> Graph ─ who may be concerned ─> Verify: the object and its owners, read live
//!                                                                              └─ judge ─> keep, drop references, delete
//! ```
//!
//! The graph only says where to look; nothing is deleted without having been read, with its owners, just before, and the deletion
//! holds for that version alone. What owners were lost while nobody looked is found at the start, when everything is listed.
//! CustomResourceDefinitions' kinds are taken up when they appear. Upstream: pkg/controller/garbagecollector.
//!
//! What differs from it: an owner of a kind that is not served keeps its dependents (upstream retries that too, and for ever),
//! and is looked for once a minute; and a ring of owners that are all deleted in the foreground, each waiting for the next, is let
//! go (upstream marks one of them as not blocking, and can miss the moment). Events are not collected, as upstream.

#[cfg(test)]
pub(crate) mod world;

mod act;
mod graph;
mod kinds;
mod objects;
mod plan;
mod watch;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use cluster::drive::{Controller, Pass, drive};
use cluster::{Events, Watch};

use crate::Part;
use crate::error::Error;
use act::act;
use objects::{Subject, asked_again};
use plan::{Action, Next, View, Why, plan};

pub(crate) use kinds::Served;
pub(crate) use objects::{Objects, Seen};
pub(crate) use watch::Slim;

/// What must be cached for this controller: it has watches of its own.
pub(crate) fn watches() -> Vec<Watch> {
    Vec::new()
}

/// Runs until the shutdown is requested and every pass under way has ended.
pub(crate) async fn run(part: Part) {
    let engine = part.engine("garbage_collector_attempt_to_delete");
    let objects = part.objects.clone();
    let garbage = Arc::new(Garbage { objects: objects.clone(), events: part.events.garbage.clone() });
    let driven = drive(garbage, objects.keys.clone(), engine.clone());
    futures::join!(driven, watch::run(objects, engine.shutdown));
}

/// The collector.
struct Garbage {
    objects: Arc<Objects>,
    events: Events,
}

impl Controller for Garbage {
    const NAME: &'static str = "garbage";
    type Key = Subject;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Infallible;
    type Error = Error;

    fn observe(&self, key: &Subject, pass: Pass) -> View {
        self.objects.look(key.uid, pass.now)
    }

    fn plan(&self, view: &View) -> Next {
        plan(view)
    }

    async fn act(&self, key: &Subject, _: &View, action: &Action) -> Result<(), Error> {
        let why = act(self, key.uid, *action).await?;
        self.objects.keep(key.uid, why, self.objects.ctx.now());
        Ok(())
    }

    async fn refused(&self, _: &Subject, _: &View, problem: &Infallible) {
        match *problem {}
    }

    async fn failed(&self, _: &Subject, _: &View, _: &Error) {}

    fn look_again(&self, why: &Why) -> Option<Duration> {
        asked_again(*why)
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::NoOwners | Why::Owned | Why::Going)
    }
}

#[cfg(test)]
mod tests;
