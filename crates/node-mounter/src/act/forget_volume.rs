//! A volume that was never staged and is published nowhere: nothing to ask of the driver.

use super::tidy;
use crate::agent::Agent;
use crate::error::Error;
use crate::paths::VolumeKey;

/// Crosses the record out.
pub(super) async fn act(agent: &Agent, key: &VolumeKey) -> Result<(), Error> {
    let record = agent.state().records.get(key).cloned();
    let Some(record) = record else { return Ok(()) };
    tidy::staging(agent, &record).await?;
    agent.cross_out(key).await
}
