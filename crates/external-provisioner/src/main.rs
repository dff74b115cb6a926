//! Provisions and deletes volumes of one CSI driver for PersistentVolumeClaims. What it does is in the library.

use std::process::ExitCode;

use external_provisioner::flags::{Config, Flags};
use external_provisioner::{Metrics, controller, watches};
use sidecar::Shell;

fn main() -> ExitCode {
    sidecar::run::<Flags, _>(run)
}

async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    let Some(sidecar) = config.setup.start(&shell).await? else { return Ok(()) };
    let Some(caches) = sidecar.caches(&watches(&sidecar.info)).await else {
        sidecar.finish().await;
        return Ok(());
    };
    let metrics = Metrics::new();
    shell.metrics.register(|registry| metrics.register(registry));
    let surroundings = sidecar.surroundings("claims", config.controller.workers, config.controller.backoff);
    controller(config.controller, metrics, surroundings, &caches).await;
    sidecar.finish().await;
    Ok(())
}
