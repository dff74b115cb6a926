//! One HTTP endpoint that turns a GET into a CSI Probe, so that kubelet restarts a driver that does not answer.
//!
//! ```text
//! kubelet ── GET /healthz ──> http (sidecar) ──> probe.rs ── connect, Probe ──> driver
//! ```
//!
//! There is nothing to plan. Where it differs from upstream: an address that cannot be bound ends the process with 1, not 0;
//! while it waits for the driver at start it says so once a minute, not every ten seconds; SIGTERM ends it with 0.
#![forbid(unsafe_code)]

mod flags;
mod probe;

use std::time::Duration;

use anyhow::Context;
use csi_client::{Address, Client, ConnectOptions, Metrics};
use sidecar::{Exit, Http, Shell};

pub use flags::{Config, Flags, MetricsAt};

/// Upstream asks for the name without a deadline; a year is one that gRPC can write down.
const NO_DEADLINE: Duration = Duration::from_secs(365 * 24 * 3600);

/// Waits for the driver, then serves until asked to stop. Until the driver is there nothing listens, which kubelet takes for a
/// failed probe.
///
/// # Errors
/// The driver does not say its name, or an address cannot be bound.
pub async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    let address = Address::parse(&config.csi_address).map_err(|error| Exit::failed(format!("--csi-address: {error}")))?;
    let metrics = Metrics::new();
    shell.metrics.register(|registry| metrics.register(registry));
    let options = ConnectOptions { address: address.clone(), timeout: NO_DEADLINE, metrics: metrics.clone() };
    let identify = async { csi_client::driver_name(&Client::connect(&shell.ctx, options).await).await };
    let name = tokio::select! {
        biased;
        () = shell.shutdown.requested() => return Ok(()),
        name = identify => name.with_context(|| format!("the driver at {address} was asked for its name"))?,
    };
    metrics.set_driver(name.as_str());
    tracing::info!(driver = name.as_str(), "the driver is there");

    let (ctx, budget) = (shell.ctx.clone(), config.probe_timeout);
    let mut health = Http::new().route("/healthz", move |_| {
        let (ctx, address, metrics) = (ctx.clone(), address.clone(), metrics.clone());
        async move { probe::check(&ctx, &address, &metrics, budget).await }
    });
    match &config.metrics {
        MetricsAt::Nowhere => {}
        MetricsAt::Health(path) => health = health.metrics(path, &shell.metrics),
        MetricsAt::Own(address, path) => {
            let own = Http::new().metrics(path, &shell.metrics);
            own.serve(&shell.ctx, "--metrics-address", address).await?;
        }
    }
    let (flag, listen) = &config.health;
    health.serve(&shell.ctx, flag, listen).await?;
    shell.shutdown.requested().await;
    Ok(())
}
