//! Tells a kubelet, or node-mounter, that a CSI driver is here.
//!
//! ```text
//! driver's socket ── GetPluginInfo ──> name ──> <plugin-registration-path>/<name>-reg.sock
//!                                                  │ GetInfo, NotifyRegistrationStatus <── kubelet
//!                                                  └ /healthz asks it, as kubelet would
//! ```
//!
//! There is nothing to plan: two RPC handlers, one file, one health check. Where it differs from upstream: it waits for a driver
//! that is not there yet; it removes and replaces only its own socket; a socket that somebody else deleted comes back after two
//! seconds; a health check ends within `--timeout`; SIGINT is obeyed like SIGTERM; there is no pprof.
#![forbid(unsafe_code)]

mod authority;
mod error;
mod flags;
mod health;
mod registration;
mod serve;
mod socket;
mod watch;

use csi_client::{Address, Client, ConnectOptions, Metrics};
use sidecar::{Exit, Shell};

use error::Error;
pub use flags::{Config, Flags};

/// Waits for the driver, asks its name once, and registers it until asked to stop.
///
/// The connection to the driver ends with the answer: kubelet makes its own, and a driver that restarts stays registered.
///
/// # Errors
/// The driver does not say its name in time, the registration socket cannot be made, or kubelet refused: the restart is the retry.
pub async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    let address = Address::parse(&config.csi_address).map_err(|error| Exit::failed(format!("--csi-address: {error}")))?;
    let options = ConnectOptions { address: address.clone(), timeout: config.timeout, metrics: Metrics::new() };
    let identify = async { csi_client::driver_name(&Client::connect(&shell.ctx, options).await).await };
    let name = tokio::select! {
        biased;
        () = shell.shutdown.requested() => return Ok(()),
        name = identify => name.map_err(|source| Error::Identify { address, source })?,
    };
    serve::serve(config, name.as_str().to_owned(), shell).await
}
