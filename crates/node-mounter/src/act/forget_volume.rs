//! A volume that was never staged and is published nowhere: nothing to ask of the driver.

use super::tidy;
use crate::agent::Agent;
use crate::error::Error;
use crate::journal::Stage;
use crate::paths::VolumeKey;

/// Crosses the record out.
pub(super) async fn act(agent: &Agent, key: &VolumeKey) -> Result<(), Error> {
    let record = agent.state().records.get(key).cloned();
    let Some(record) = record else { return Ok(()) };
    tidy::staging(agent, &record).await?;
    match record.stage {
        Stage::NotNeeded => agent.let_go(key).await,
        // Never staged in this life: that says nothing of what an earlier record said.
        _ => agent.cross_out(key).await,
    }
}
