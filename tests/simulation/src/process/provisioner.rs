//! external-provisioner.

use cluster::Caches;
use csi_types::sanitize_driver_name;
use external_provisioner::{Metrics, controller, watches};

use super::{PROVISIONER, Start};
use crate::world::DRIVER;

pub(super) async fn run(start: &Start) {
    let config = PROVISIONER.clone();
    let (surroundings, metrics) = start.sidecar(sanitize_driver_name(DRIVER), config.backoff, config.workers).await;
    let watches = watches(&surroundings.info);
    let caches = Caches::start(&start.ctx, &surroundings.client, watches.clone(), &metrics);
    caches.synced(&watches).await;
    controller(config, Metrics::new(), surroundings, &caches).await;
}
