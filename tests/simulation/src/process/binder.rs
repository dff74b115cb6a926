//! The binder: what kube-controller-manager and the scheduler would do.

use std::time::Duration;

use binder::{Config, Surroundings, controller, watches};
use cluster::{Backoff, Caches, Leadership, Metrics};
use rt::Shutdown;

use super::Start;
use crate::world::NODE;

const BACKOFF: Backoff = Backoff { start: Duration::from_millis(100), max: Duration::from_secs(30) };

pub(super) async fn run(start: &Start) {
    let (client, metrics, shutdown) = (start.client(), Metrics::new(), Shutdown::new());
    let watches = watches();
    let caches = Caches::start(&start.ctx, &client, watches.clone(), &metrics);
    caches.synced(&watches).await;
    let engine = start.engine(Leadership::always(&start.ctx), &metrics, &shutdown, BACKOFF, 4);
    controller(Config::new(NODE), Surroundings { client, engine }, &caches).await;
}
