//! The controller of VolumeAttachments: how its parts fit into `cluster::drive`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use cluster::drive::{Controller, Pass};
use cluster::kinds::{Attachment, CsiNode};
use cluster::{Caches, Change, Key, Keys, Locks};
use csi_types::ControllerCapability;
use sidecar::Surroundings;

use crate::error::Error;
use crate::flags::Settings;
use crate::observe::{Context, observe};
use crate::plan::{Action, Next, Problem, View, Why, plan};
use crate::{act, finalizer};

pub(crate) struct Attachments {
    pub(crate) settings: Settings,
    pub(crate) around: Surroundings,
    pub(crate) caches: Caches,
    pub(crate) finalizer: String,
    /// One call per volume at a time, whichever attachment it is for. Spec: CSI, "no more than one call in-flight per volume".
    pub(crate) volumes: Locks,
    publishes: bool,
    contradicted: Mutex<BTreeSet<Key>>,
}

impl Attachments {
    pub(crate) fn new(settings: Settings, around: Surroundings, caches: Caches, publishes: bool) -> Self {
        let finalizer = finalizer(around.info.name.as_str());
        let contradicted = Mutex::default();
        Self { settings, around, caches, finalizer, volumes: Locks::new(), publishes, contradicted }
    }

    pub(crate) fn driver(&self) -> &str {
        self.around.info.name.as_str()
    }

    /// An attachment is looked at when it changes, when its volume does, and when its node learns of the driver.
    pub(crate) fn subscribe(self: &Arc<Self>, keys: &Arc<Keys<Key>>) {
        keys.follow(&self.caches.attachments);
        let (to, attachments) = (keys.clone(), self.caches.attachments.clone());
        self.caches.volumes.subscribe(move |change| {
            if let Some(name) = change.key() {
                attachments.indexed(name.as_str()).iter().for_each(|attachment| to.add(attachment.meta.key.clone()));
            }
        });
        let (to, attachments, driver) = (keys.clone(), self.caches.attachments.clone(), self.driver().to_owned());
        self.caches.csi_nodes.subscribe(move |change: &Change<CsiNode>| {
            let id = |node: &Option<Arc<CsiNode>>| node.as_ref()?.driver(&driver).map(|entry| entry.node_id.clone());
            let Some(node) = change.key().filter(|_| id(&change.old) != id(&change.new)) else { return };
            let waits = |attachment: &&Arc<Attachment>| *attachment.node == *node.as_str() && *attachment.attacher == *driver;
            attachments.all().iter().filter(waits).for_each(|attachment| to.add(attachment.meta.key.clone()));
        });
    }

    /// Looks at everything again from time to time; what waits for a retry goes on waiting.
    pub(crate) async fn resync(&self, keys: &Keys<Key>) {
        let engine = &self.around.engine;
        if self.settings.resync.is_zero() {
            return engine.shutdown.requested().await;
        }
        loop {
            tokio::select! {
                biased;
                () = engine.shutdown.requested() => return,
                () = engine.ctx.sleep(self.settings.resync) => {}
            }
            self.caches.attachments.all().iter().for_each(|attachment| keys.add_if_idle(attachment.meta.key.clone()));
        }
    }

    /// The driver's list says otherwise than the status.
    pub(crate) fn contradict(&self, key: &Key) {
        self.contradicted().insert(key.clone());
    }

    /// Said once, believed until an act has answered it.
    pub(crate) fn settle(&self, key: &Key) {
        self.contradicted().remove(key);
    }

    fn contradicted(&self) -> std::sync::MutexGuard<'_, BTreeSet<Key>> {
        self.contradicted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Controller for Attachments {
    const NAME: &'static str = "external-attacher";
    type Key = Key;
    type View = View;
    type Action = Action;
    type Why = Why;
    type Problem = Problem;
    type Error = Error;

    fn observe(&self, key: &Key, _: Pass) -> View {
        let context = Context {
            driver: self.driver(),
            finalizer: &self.finalizer,
            default_fs_type: &self.settings.default_fs_type,
            publishes: self.publishes,
            single_node_multi_writer: self.around.info.can(ControllerCapability::SingleNodeMultiWriter),
            contradicted: self.contradicted().contains(key),
        };
        let view = observe(&self.caches, key, &context);
        if view.attachment.is_none() {
            self.settle(key);
        }
        view
    }

    fn plan(&self, view: &View) -> Next {
        plan(view)
    }

    async fn act(&self, key: &Key, view: &View, action: &Action) -> Result<(), Error> {
        act::act(self, key, view, action).await
    }

    async fn refused(&self, key: &Key, view: &View, problem: &Problem) {
        act::report_error::report(self, key, view, &problem.to_string(), None).await;
    }

    async fn failed(&self, key: &Key, view: &View, error: &Error) {
        if error.is_reported() {
            act::report_error::report(self, key, view, &cluster::chain(error), error.code()).await;
        }
    }

    fn forget(&self, why: &Why) -> bool {
        matches!(why, Why::Gone | Why::NotOurs)
    }

    fn calls_driver(&self, action: &Action) -> bool {
        matches!(action, Action::ControllerPublishVolume(_) | Action::ControllerUnpublishVolume(_))
    }
}
