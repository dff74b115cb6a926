//! Lets go of a PersistentVolume that is being deleted, once no attachment of it is left. Observe, plan and act in one file: there
//! is one thing to decide and one to do.

use std::convert::Infallible;
use std::sync::Arc;

use cluster::drive::{Controller, Pass};
use cluster::patch::{Change, remove_finalizer};
use cluster::{Caches, Key, Keys};
use csi_types::{Next, Reason};
use kube::Client;
use sidecar::Surroundings;

use crate::act::write;
use crate::error::Error;
use crate::finalizer;

pub(crate) struct Volumes {
    client: Client,
    caches: Caches,
    finalizer: String,
}

/// The facts about one PersistentVolume.
#[derive(Debug)]
pub(crate) struct View {
    exists: bool,
    deleting: bool,
    held: bool,
    attachments: usize,
}

/// What can be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    ReleaseVolume,
}

/// Why nothing is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Gone,
    NotHeld,
    StillWanted,
    StillAttached,
}

fn plan(view: &View) -> Next<Action, Why, Infallible> {
    match view {
        View { exists: false, .. } => Next::Rest(Why::Gone),
        View { held: false, .. } => Next::Rest(Why::NotHeld),
        View { deleting: false, .. } => Next::Rest(Why::StillWanted),
        // Any attachment, whoever's: its end brings us back here.
        View { attachments: 1.., .. } => Next::Rest(Why::StillAttached),
        _ => Next::Do(Action::ReleaseVolume),
    }
}

impl Volumes {
    pub(crate) fn new(around: &Surroundings, caches: Caches) -> Self {
        Self { client: around.client.clone(), caches, finalizer: finalizer(around.info.name.as_str()) }
    }

    /// A volume is looked at when it changes and when an attachment of it goes.
    pub(crate) fn subscribe(&self, keys: &Arc<Keys<Key>>) {
        let (to, finalizer) = (keys.clone(), self.finalizer.clone());
        self.caches.volumes.subscribe(move |change| {
            if let Some(volume) =
                change.new.as_ref().filter(|volume| volume.meta.deleting && volume.meta.has_finalizer(&finalizer))
            {
                to.add(volume.meta.key.clone());
            }
        });
        let to = keys.clone();
        self.caches.attachments.subscribe(move |change| {
            if let (Some(gone), None) = (&change.old, &change.new)
                && let Some(volume) = gone.volume()
            {
                to.add(Key::cluster(volume));
            }
        });
    }
}

impl Controller for Volumes {
    const NAME: &'static str = "external-attacher-volumes";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Infallible;
    type Error = Error;

    fn observe(&self, key: &Key, _: Pass) -> View {
        let volume = self.caches.volumes.get(key.as_str());
        View {
            exists: volume.is_some(),
            deleting: volume.as_ref().is_some_and(|volume| volume.meta.deleting),
            held: volume.as_ref().is_some_and(|volume| volume.meta.has_finalizer(&self.finalizer)),
            attachments: self.caches.attachments.indexed(key.as_str()).len(),
        }
    }

    fn plan(&self, view: &View) -> Next<Action, Why, Infallible> {
        plan(view)
    }

    async fn act(&self, key: &Key, _: &View, action: &Action) -> Result<(), Error> {
        let Action::ReleaseVolume = action;
        let Some(volume) = self.caches.volumes.get(key.as_str()) else { return Ok(()) };
        let Some(operations) = remove_finalizer(&volume.meta, &self.finalizer) else { return Ok(()) };
        let attempt = "remove the finalizer from PersistentVolume";
        write(&self.client, &self.caches.volumes, &volume.meta, attempt, Change::operations(operations)).await
    }

    async fn refused(&self, _: &Key, _: &View, problem: &Infallible) {
        match *problem {}
    }

    async fn failed(&self, _: &Key, _: &View, _: &Error) {}

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::NotHeld)
    }
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        "release_volume"
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::NotHeld => "NotHeld",
            Why::StillWanted => "StillWanted",
            Why::StillAttached => "StillAttached",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_let_go_only_when_it_is_deleted_and_nothing_attaches_it() {
        let view = |deleting, held, attachments| View { exists: true, deleting, held, attachments };
        assert!(matches!(plan(&view(true, true, 0)), Next::Do(Action::ReleaseVolume)));
        assert!(matches!(plan(&view(true, true, 1)), Next::Rest(Why::StillAttached)));
        assert!(matches!(plan(&view(false, true, 0)), Next::Rest(Why::StillWanted)));
        assert!(matches!(plan(&view(true, false, 0)), Next::Rest(Why::NotHeld)));
    }
}
