//! The controller of PersistentVolumes: observe, plan and act, put together for `cluster::drive`.

use std::sync::Arc;

use cluster::drive::{Controller, Pass};
use cluster::{Key, chain};
use csi_types::Next;

use crate::act::Act;
use crate::error::Error;
use crate::observe::Observer;
use crate::plan::volume::{Action, Problem, Why, plan};
use crate::view::VolumeView;

pub(crate) struct Volumes {
    pub(crate) observer: Arc<Observer>,
    pub(crate) act: Arc<Act>,
}

impl Controller for Volumes {
    const NAME: &'static str = "provisioner-volumes";
    type Key = Key;
    type View = VolumeView;
    type Action = Action;
    type Why = Why;
    type Problem = Problem;
    type Error = Error;

    fn observe(&self, key: &Key, _pass: Pass) -> VolumeView {
        self.observer.volume(key)
    }

    fn plan(&self, view: &VolumeView) -> Next<Action, Why, Problem> {
        plan(view)
    }

    async fn act(&self, key: &Key, view: &VolumeView, action: &Action) -> Result<(), Error> {
        self.act.volume(key, view, action).await
    }

    async fn refused(&self, key: &Key, view: &VolumeView, problem: &Problem) {
        self.tell(key, view, problem.to_string());
    }

    async fn failed(&self, key: &Key, view: &VolumeView, error: &Error) {
        if error.is_news() {
            self.tell(key, view, chain(error));
        }
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::VolumeGone | Why::NotOurs | Why::Kept | Why::InUse)
    }

    fn calls_driver(&self, action: &Action) -> bool {
        matches!(action, Action::DeleteVolume)
    }
}

impl Volumes {
    fn tell(&self, key: &Key, view: &VolumeView, message: String) {
        let cached = self.observer.caches.volumes.get(key.as_str());
        self.act.metrics.delete_failed(cached.as_ref().and_then(|volume| volume.class.as_deref()).unwrap_or_default());
        if let Some(volume) = &view.volume {
            self.act.tell_volume(&volume.name, &volume.uid, "VolumeFailedDelete", message);
        }
    }
}
