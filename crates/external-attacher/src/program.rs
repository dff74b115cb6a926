//! The program: flags, the process around it, the controller.

use std::ffi::OsString;
use std::process::ExitCode;

use sidecar::Shell;

use crate::flags::{Config, Flags};
use crate::{WATCHES, controller};

/// Runs until it is told to stop. `argv` begins with the name that usage and log lines call the program by.
pub fn main(argv: Vec<OsString>) -> ExitCode {
    sidecar::run_with::<Flags, _>(argv, run)
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
