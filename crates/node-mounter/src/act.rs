//! Next -> world: dispatch, and what is remembered of the outcome. One file per action.

mod forget_volume;
mod node_publish_volume;
mod node_stage_volume;
mod node_unpublish_volume;
mod node_unstage_volume;
mod tidy;

use csi_client::{CallError, Driver};
use csi_types::{DriverName, NodeCapability, Rpc, Secret, SecretRef, VolumeHandle};
use rt::Instant;

use crate::agent::Agent;
use crate::error::Error;
use crate::journal::Place;
use crate::paths::VolumeKey;
use crate::plan::{Action, Operation};
use crate::spec::Spec;

/// Does one thing. Repeating it is harmless. The wait after a failure is noted per operation and pod.
pub(crate) async fn act(agent: &Agent, key: &VolumeKey, action: &Action) -> Result<(), Error> {
    let result = match action {
        Action::NodeStageVolume(place) => node_stage_volume::act(agent, key, place).await,
        Action::NodePublishVolume(place) => node_publish_volume::act(agent, key, place).await,
        Action::NodeUnpublishVolume(place) => node_unpublish_volume::act(agent, key, place).await,
        Action::NodeUnstageVolume => node_unstage_volume::act(agent, key).await,
        Action::ForgetVolume => forget_volume::act(agent, key).await,
    };
    remember(agent, key, action, &result);
    result
}

fn remember(agent: &Agent, key: &VolumeKey, action: &Action, result: &Result<(), Error>) {
    let (operation, place) = attempt(action);
    let now = agent.ctx.now();
    let mut state = agent.state();
    match result {
        Ok(()) => {
            if !state.records.contains_key(key) {
                state.memory.remove(key);
                return;
            }
            state.note_attempt(key, operation, place, None);
            if let Action::NodePublishVolume(place) = action {
                let spread = agent.config.republish_every.mul_f64(0.5 * agent.ctx.fraction(key.as_str()));
                let memory = state.memory.entry(key.clone()).or_default();
                memory.plan.republish_at.insert(place.clone(), now + agent.config.republish_every + spread);
            }
            if let Action::NodeUnpublishVolume(place) = action
                && let Some(memory) = state.memory.get_mut(key)
            {
                memory.plan.forget_place(place);
                memory.failures.retain(|(_, of), _| of.as_ref() != Some(place));
            }
        }
        // The world has moved on: the next plan will see that.
        Err(Error::NotWanted { .. }) => {}
        Err(_) => {
            let failures = state.count_failure(key, operation, place.clone());
            let at: Instant = now + agent.config.backoff.delay(&agent.ctx, key.as_str(), failures);
            state.note_attempt(key, operation, place, Some(at));
        }
    }
}

fn attempt(action: &Action) -> (Operation, Option<Place>) {
    match action {
        Action::NodeStageVolume(_) => (Operation::NodeStageVolume, None),
        Action::NodePublishVolume(place) => (Operation::NodePublishVolume, Some(place.clone())),
        Action::NodeUnpublishVolume(place) => (Operation::NodeUnpublishVolume, Some(place.clone())),
        Action::NodeUnstageVolume => (Operation::NodeUnstageVolume, None),
        Action::ForgetVolume => (Operation::ForgetVolume, None),
    }
}

/// What the driver can do on a node, asked before each decision as kubelet does: a driver may have been replaced. A failure
/// here leaves everything as it was. Upstream takes some of these failures for the end of an earlier publish, and then never
/// unpublishes it.
async fn capabilities(driver: &dyn Driver, spec: &Spec) -> Result<Vec<NodeCapability>, Error> {
    let asked = driver.node_get_capabilities().await;
    asked.map_err(call(&spec.driver, &spec.handle))
}

/// The secret for one call; read now and dropped after it.
async fn secret(agent: &Agent, rpc: Rpc, reference: Option<&SecretRef>) -> Result<Secret, Error> {
    match reference {
        Some(reference) => cluster::live::secret(&agent.client, reference).await.map_err(|source| Error::Secret { rpc, source }),
        None => Ok(Secret::none()),
    }
}

fn call(driver: &DriverName, handle: &VolumeHandle) -> impl FnOnce(CallError) -> Error {
    let (driver, handle) = (driver.clone(), handle.to_string());
    move |source| Error::Call { driver, handle, source }
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
