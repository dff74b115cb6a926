//! external-attacher.

use cluster::Caches;
use csi_types::sanitize_driver_name;
use external_attacher::{WATCHES, controller};

use super::{ATTACHER, Start};
use crate::world::DRIVER;

pub(super) async fn run(start: &Start) {
    let settings = ATTACHER.clone();
    let lease = format!("external-attacher-leader-{}", sanitize_driver_name(DRIVER));
    let (surroundings, metrics) = start.sidecar(lease, settings.backoff, settings.workers).await;
    let caches = Caches::start(&start.ctx, &surroundings.client, WATCHES, &metrics);
    caches.synced(&WATCHES).await;
    controller(settings, surroundings, &caches).await;
}
