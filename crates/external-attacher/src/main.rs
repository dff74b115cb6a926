//! The external-attacher program: flags, the process around it, the controller.

use std::process::ExitCode;

use external_attacher::{Config, Flags, WATCHES, controller};
use sidecar::Shell;

fn main() -> ExitCode {
    sidecar::run::<Flags, _>(run)
}

async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    let Some(sidecar) = config.setup.start(&shell).await? else { return Ok(()) };
    if let Some(caches) = sidecar.caches(&WATCHES).await {
        let settings = config.settings;
        let surroundings = sidecar.surroundings("csi-attacher-va", settings.workers, settings.backoff);
        controller(settings, surroundings, &caches).await;
    }
    sidecar.finish().await;
    Ok(())
}
