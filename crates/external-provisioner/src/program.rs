//! The program: flags, the process around it, the controller.

use std::ffi::OsString;
use std::process::ExitCode;

use sidecar::Shell;

use crate::flags::{Config, Flags};
use crate::{Metrics, controller, watches};

/// Runs until it is told to stop. `argv` begins with the name that usage and log lines call the program by.
pub fn main(argv: Vec<OsString>) -> ExitCode {
    sidecar::run_with::<Flags, _>(argv, run)
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
