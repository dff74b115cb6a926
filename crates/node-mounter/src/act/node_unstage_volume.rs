//! The volume, taken from the node. Only then may it be detached.

use csi_types::{NodeUnstageVolumeRequest, Rpc};
use rt::rules::{self, Rule};

use super::{call, tidy};
use crate::agent::Agent;
use crate::error::Error;
use crate::journal::Stage;
use crate::paths::VolumeKey;

/// The record stays until the driver has confirmed, whatever is left of the folders.
pub(super) async fn act(agent: &Agent, key: &VolumeKey) -> Result<(), Error> {
    let record = agent.state().records.get(key).cloned();
    let Some(mut record) = record else { return Ok(()) };
    let driver = agent.driver(&record.driver)?;
    if record.stage == Stage::Yes {
        // From here on it may be half gone: a pod that comes now stages again.
        record.stage = Stage::Maybe;
        agent.save(key, record.clone()).await?;
    }
    if !rules::on(Rule::JournalUntilUnstaged) {
        agent.cross_out(key).await?;
    }
    let request = NodeUnstageVolumeRequest {
        handle: record.handle.clone(),
        staging_target_path: record.staging_path.to_string_lossy().into_owned(),
    };
    driver.node_unstage_volume(request).await.map_err(call(&record.driver, &record.handle))?;
    if tidy::is_mount_point(agent, &record.staging_path).await? {
        let path = record.staging_path;
        return Err(Error::StillMounted { rpc: Rpc::NodeUnstageVolume, driver: record.driver, path });
    }
    tidy::staging(agent, &record).await?;
    agent.let_go(key).await?;
    tracing::info!(volume = %key, "unstaged");
    Ok(())
}
