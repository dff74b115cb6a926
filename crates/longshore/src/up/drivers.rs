//! One driver: waits for it, then provisions, attaches and mounts by it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cluster::drive::Engine;
use cluster::{Caches, Events};
use csi_client::{Address, ConnectOptions};
use csi_types::{DriverName, sanitize_driver_name};
use node_mounter::plugins::Ready;
use sidecar::{Program, Surroundings, parse};

use super::host::Parts;

/// What the programs of one driver would be told on their command lines: nothing, so their defaults.
pub(crate) struct Defaults {
    provisioner: external_provisioner::flags::ControllerConfig,
    attacher: external_attacher::Settings,
}

impl Defaults {
    /// Takes each from its own flags, so that there is one place that says them.
    ///
    /// # Errors
    /// Never, as long as the programs start without flags.
    pub(crate) fn new() -> anyhow::Result<Self> {
        type Provisioner = external_provisioner::flags::Flags;
        type Attacher = external_attacher::Flags;
        let provisioner = parse::<Provisioner>(Provisioner::DIALECT, vec!["external-provisioner".into()])?;
        let attacher = parse::<Attacher>(Attacher::DIALECT, vec!["external-attacher".into()])?;
        Ok(Self {
            provisioner: provisioner.config(&mut Vec::new())?.controller,
            attacher: attacher.config(&mut Vec::new())?.settings,
        })
    }
}

/// The deadline of one call. mkfs of a large volume takes its time.
const CALL: Duration = Duration::from_secs(60);

/// Of objects that are our own; every host has it.
const NAMESPACE: &str = "kube-system";

/// Looks, two milliseconds apart.
const STARTING: usize = 250;

/// Serves one driver until the shutdown.
///
/// # Errors
/// The driver calls itself something else than it was said to be.
pub(crate) async fn serve(
    parts: Parts,
    caches: Caches,
    ready: Arc<Ready>,
    name: DriverName,
    socket: PathBuf,
    defaults: Arc<Defaults>,
) -> anyhow::Result<()> {
    let started = tokio::select! {
        biased;
        () = parts.shutdown.requested() => return Ok(()),
        started = connect(&parts, &name, &socket) => started?,
    };
    let (driver, info) = started;
    ready.announce(socket, name);
    control(&parts, &caches, driver, info, &defaults).await;
    Ok(())
}

/// Provisions and attaches by this driver until the shutdown.
pub(crate) async fn control(
    parts: &Parts,
    caches: &Caches,
    driver: csi_client::Client,
    info: csi_types::DriverInfo,
    defaults: &Defaults,
) {
    let name = info.name.clone();
    let surroundings = |component: String, queue: &str, workers: usize, backoff| Surroundings {
        client: parts.client(&component),
        events: Events::new(&parts.ctx, parts.client(&component), component, &parts.node, &parts.metrics),
        driver: Arc::new(driver.clone()),
        info: info.clone(),
        engine: Engine { workers, backoff, ..parts.engine(&format!("{queue}/{name}")) },
        namespace: NAMESPACE.to_owned(),
    };
    let Defaults { provisioner, attacher } = defaults;
    let provisioning = external_provisioner::controller(
        provisioner.clone(),
        parts.provisioner_metrics.clone(),
        surroundings(name.to_string(), "claims", provisioner.workers, provisioner.backoff),
        caches,
    );
    let component = format!("external-attacher-{}", sanitize_driver_name(name.as_str()));
    let attaching = external_attacher::controller(
        attacher.clone(),
        surroundings(component, "attachments", attacher.workers, attacher.backoff),
        caches,
    );
    futures::join!(provisioning, attaching);
}

async fn connect(
    parts: &Parts,
    name: &DriverName,
    socket: &std::path::Path,
) -> anyhow::Result<(csi_client::Client, csi_types::DriverInfo)> {
    // The built-in driver starts beside us and takes a moment; the client's own patience counts in seconds.
    let address = Address::Unix(socket.to_owned());
    for _ in 0..STARTING {
        if csi_client::Client::reach(&parts.ctx, &address).await.is_ok() {
            break;
        }
        parts.ctx.sleep(Duration::from_millis(2)).await;
    }
    let (driver, info) = reach(parts, socket).await?;
    anyhow::ensure!(
        info.name == *name,
        "the driver on {} calls itself {}; --driver says it is {name}",
        socket.display(),
        info.name
    );
    Ok((driver, info))
}

/// Waits for a driver on this socket, whatever it calls itself.
///
/// # Errors
/// It answers, and not as a driver should.
pub(crate) async fn reach(
    parts: &Parts,
    socket: &std::path::Path,
) -> anyhow::Result<(csi_client::Client, csi_types::DriverInfo)> {
    let options = ConnectOptions { address: Address::Unix(socket.to_owned()), timeout: CALL, metrics: parts.calls.clone() };
    let driver = csi_client::Client::connect(&parts.ctx, options).await;
    csi_client::wait_ready(&parts.ctx, &driver).await;
    let info = csi_client::driver_info(&driver).await?;
    Ok((driver, info))
}
