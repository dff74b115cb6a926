//! The Identity service, and what a sidecar asks of it when it starts.

use std::time::Duration;

use csi_proto::csi::v1 as csi;
use csi_types::{DriverInfo, DriverName, PluginCapability, PluginInfo, Rpc};
use rt::Ctx;
use tracing::info;

use crate::connect::Client;
use crate::driver::{Call, Driver};
use crate::error::CallError;
use crate::wire;

pub(crate) fn probe(client: Client) -> Call<bool> {
    let mut service = client.identity();
    Box::pin(async move {
        let send = async |request| service.probe(request).await;
        client.call(Rpc::Probe, csi::ProbeRequest {}, send).await.map(wire::probe_answer)
    })
}

pub(crate) fn get_plugin_info(client: Client) -> Call<PluginInfo> {
    let mut service = client.identity();
    Box::pin(async move {
        let send = async |request| service.get_plugin_info(request).await;
        client.call(Rpc::GetPluginInfo, csi::GetPluginInfoRequest {}, send).await.map(wire::get_plugin_info_answer)
    })
}

pub(crate) fn get_plugin_capabilities(client: Client) -> Call<Vec<PluginCapability>> {
    let mut service = client.identity();
    Box::pin(async move {
        let message = csi::GetPluginCapabilitiesRequest {};
        let send = async |request| service.get_plugin_capabilities(request).await;
        client.call(Rpc::GetPluginCapabilities, message, send).await.map(wire::get_plugin_capabilities_answer)
    })
}

/// Why a driver cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// It answered with an error.
    #[error("cannot learn what the driver is: {0}")]
    Call(#[from] CallError),
    /// It has no name.
    #[error("the driver's name is empty: GetPluginInfo must return one, so the driver must be mended")]
    NoName,
}

/// Probes until the driver says that it is ready. One line at once and one a minute tell what it waits for. Cancel safe.
///
/// Upstream: exits on most errors and is restarted; we wait, which is the same without the crash loop.
pub async fn wait_ready(ctx: &Ctx, driver: &dyn Driver) {
    let mut attempts: u32 = 0;
    loop {
        let reason = match driver.probe().await {
            Ok(true) => return,
            Ok(false) => "it says that it is not ready".to_owned(),
            Err(error) => error.to_string(),
        };
        if attempts.is_multiple_of(60) {
            info!("waiting for the CSI driver to become ready: {reason}");
        }
        attempts += 1;
        ctx.sleep(Duration::from_secs(1)).await;
    }
}

/// The driver's name.
///
/// # Errors
/// The call failed, or the name is empty.
pub async fn driver_name(driver: &dyn Driver) -> Result<DriverName, IdentityError> {
    let info = driver.get_plugin_info().await?;
    if info.name.is_empty() { Err(IdentityError::NoName) } else { Ok(info.name.into()) }
}

/// Name and capabilities. A driver without a controller service is not asked for controller capabilities.
///
/// # Errors
/// A call failed, or the name is empty.
pub async fn driver_info(driver: &dyn Driver) -> Result<DriverInfo, IdentityError> {
    let name = driver_name(driver).await?;
    let plugin: std::collections::BTreeSet<_> = driver.get_plugin_capabilities().await?.into_iter().collect();
    let controller = if plugin.contains(&PluginCapability::ControllerService) {
        driver.controller_get_capabilities().await?.into_iter().collect()
    } else {
        Default::default()
    };
    Ok(DriverInfo { name, plugin, controller })
}
