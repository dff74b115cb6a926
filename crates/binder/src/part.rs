//! What each controller of this crate is given.

use std::sync::Arc;
use std::time::Duration;

use cluster::drive::Engine;
use cluster::{Backoff, Caches, Events, Keys, Locks};

use crate::garbage::Objects;
use crate::index::Index;
use crate::{Config, Surroundings};

/// Shared by all controllers; cheap to clone.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) config: Arc<Config>,
    pub(crate) around: Surroundings,
    pub(crate) caches: Caches,
    /// Who refers to what.
    pub(crate) index: Arc<Index>,
    /// Who owns whom, of every kind.
    pub(crate) objects: Arc<Objects>,
    pub(crate) events: Lanes,
    /// One claim at a time takes a volume.
    pub(crate) volumes: Locks,
}

/// One lane for each of upstream's event sources.
#[derive(Clone)]
pub(crate) struct Lanes {
    pub(crate) volumes: Events,
    pub(crate) scheduler: Events,
    pub(crate) expand: Events,
    pub(crate) ephemeral: Events,
    pub(crate) attach: Events,
    pub(crate) garbage: Events,
}

impl Part {
    pub(crate) fn new(config: Config, around: Surroundings, caches: Caches) -> Self {
        let lane = |component| around.lane(component, &config.node);
        let events = Lanes {
            volumes: lane("persistentvolume-controller"),
            scheduler: lane("default-scheduler"),
            expand: lane("volume_expand"),
            ephemeral: lane("ephemeral_volume"),
            attach: lane("attachdetach-controller"),
            garbage: lane("garbage-collector-controller"),
        };
        let index = Index::new(&caches);
        let objects = Objects::new(&around.engine.ctx, around.client.clone());
        Self { config: Arc::new(config), around, caches, index, objects, events, volumes: Locks::new() }
    }

    /// The engine of one controller, by the name of its queue.
    pub(crate) fn engine(&self, queue: &str) -> Engine {
        Engine { queue: queue.to_owned(), ..self.around.engine.clone() }
    }

    /// The same with another backoff, for what has a rhythm of its own.
    pub(crate) fn engine_with(&self, queue: &str, backoff: Backoff) -> Engine {
        Engine { backoff, ..self.engine(queue) }
    }

    /// Waits until every event is delivered or given up, for a moment.
    pub(crate) async fn flush(&self) {
        let Lanes { volumes, scheduler, expand, ephemeral, attach, garbage } = &self.events;
        let lanes = [volumes, scheduler, expand, ephemeral, attach, garbage];
        let flushed = futures::future::join_all(lanes.map(Events::flush));
        let _ = self.around.engine.ctx.timeout(Duration::from_secs(2), flushed).await;
    }
}

/// As rarely as nobody notices: every change wakes what it concerns, and this is for the one that did not.
const RESYNC: Duration = Duration::from_secs(600);

/// Looks at everything again from time to time; what waits for its time goes on waiting.
pub(crate) async fn resync<K: Ord + Clone>(part: &Part, keys: &Keys<K>, all: impl Fn() -> Vec<K>) {
    let engine = &part.around.engine;
    loop {
        tokio::select! {
            biased;
            () = engine.shutdown.requested() => return,
            () = engine.ctx.sleep(RESYNC) => {}
        }
        all().into_iter().for_each(|key| keys.add_if_idle(key));
    }
}
