//! The driver as the bridge sees it: every call of [`Driver`], and its listing with what it says of each volume.

use csi_client::{CallError, Client, Driver};
use csi_types::{ControllerCapability, CreatedVolume, ListVolumesRequest, NodeCapability, PluginCapability};
use futures::future::BoxFuture;

use crate::plan::Facts;

/// A driver that can list what it has.
pub trait Plugin: Send + Sync + 'static {
    /// Its calls.
    fn driver(&self) -> &dyn Driver;

    /// All its volumes. Only for drivers with LIST_VOLUMES.
    ///
    /// Errors are the call's; there is no partial list.
    fn volumes(&self) -> BoxFuture<'static, Result<Vec<CreatedVolume>, CallError>>;
}

/// More pages than any backend has; a driver whose tokens go in circles ends here.
const MOST_PAGES: usize = 10_000;

impl Plugin for Client {
    fn driver(&self) -> &dyn Driver {
        self
    }

    fn volumes(&self) -> BoxFuture<'static, Result<Vec<CreatedVolume>, CallError>> {
        let client = self.clone();
        Box::pin(async move {
            let (mut all, mut starting_token) = (Vec::new(), String::new());
            for _ in 0..MOST_PAGES {
                let request = ListVolumesRequest { max_entries: 0, starting_token };
                let (page, next) = client.list_volume_details(request).await?;
                all.extend(page);
                if next.is_empty() {
                    return Ok(all);
                }
                starting_token = next;
            }
            Err(CallError::malformed(csi_types::Rpc::ListVolumes, "its pages do not end"))
        })
    }
}

/// Asks the driver what it can.
///
/// # Errors
/// A call failed, or it has no name.
pub async fn facts(driver: &dyn Driver) -> Result<Facts, csi_client::IdentityError> {
    let info = csi_client::driver_info(driver).await?;
    let node = driver.node_get_capabilities().await?;
    let has_places = info.has(PluginCapability::VolumeAccessibilityConstraints);
    let attaches = info.can(ControllerCapability::PublishUnpublishVolume);
    // A driver that needs neither may leave NodeGetInfo out.
    let here = if attaches || has_places { Some(driver.node_get_info().await?) } else { None };
    Ok(Facts {
        creates: info.can(ControllerCapability::CreateDeleteVolume),
        lists: info.can(ControllerCapability::ListVolumes),
        attaches,
        stages: node.contains(&NodeCapability::StageUnstageVolume),
        has_places,
        node_id: here.as_ref().map(|here| here.node_id.clone()),
        place: here.map(|here| here.accessible_topology).unwrap_or_default(),
        driver: info.name,
    })
}
