//! The volume, taken from one pod.

use csi_types::{NodeUnpublishVolumeRequest, Rpc};

use super::{call, tidy};
use crate::agent::Agent;
use crate::error::Error;
use crate::journal::Place;
use crate::paths::VolumeKey;

/// Needs nothing but the record: pod, claim and PersistentVolume may all be gone.
pub(super) async fn act(agent: &Agent, key: &VolumeKey, place: &Place) -> Result<(), Error> {
    let record = agent.state().records.get(key).cloned();
    let Some(mut record) = record else { return Ok(()) };
    let Some(target) = record.publish(place).map(|publish| publish.target.clone()) else { return Ok(()) };
    let driver = agent.driver(&record.driver)?;
    tidy::device(agent, &record, place).await?;
    tidy::sub_paths(agent, place).await?;
    let request =
        NodeUnpublishVolumeRequest { handle: record.handle.clone(), target_path: target.to_string_lossy().into_owned() };
    driver.node_unpublish_volume(request).await.map_err(call(&record.driver, &record.handle))?;
    if tidy::is_mount_point(agent, &target).await? {
        return Err(Error::StillMounted { rpc: Rpc::NodeUnpublishVolume, driver: record.driver, path: target });
    }
    tidy::target(agent, &record, place).await?;
    record.remove_publish(place);
    agent.save(key, record).await?;
    agent.wake_pods([place.pod_uid.clone()]);
    tracing::info!(pod = place.pod_uid, volume = place.spec_name, "unmounted");
    Ok(())
}
