//! Claims and PersistentVolumes of one pod, read live: a node's credentials may get them and not watch them.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster::Kind;
use cluster::kinds::{Pod, PodVolumeSource, Volume};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::Api;

use super::PodError;
use crate::agent::Agent;
use crate::error::Error;
use crate::pod::{Used, claim_name, used};
use crate::spec::{Spec, Unresolved, bound_volume, of_inline, of_volume};
use crate::state::Wanted;
use cluster::chain;

/// Each volume by itself: one that is missing does not keep the others from the pod.
pub(super) async fn act(agent: &Agent, pod: &Arc<Pod>) -> Result<(), PodError> {
    let mut wants = Vec::new();
    let mut unresolved = BTreeMap::new();
    for used in used(pod) {
        let volume = used.volume.name.to_string();
        match resolve(agent, pod, &used).await {
            Ok(spec) => wants.push(Wanted { volume, spec: Arc::new(spec) }),
            Err(problem) => {
                unresolved.insert(volume, problem);
            }
        }
    }
    let problem = unresolved.iter().map(|(volume, problem)| format!("volume {volume}: {problem}")).next();
    let uid = &*pod.meta.uid;
    let touched = {
        let mut state = agent.state();
        let mut touched = state.volumes_of(uid);
        if let Some(entry) = state.pods.get_mut(uid) {
            entry.wants = Some(wants);
            entry.unresolved = unresolved;
        }
        touched.extend(state.volumes_of(uid));
        touched
    };
    // A volume that is wanted for the first time has to be reported in use before anything else.
    agent.status_due.notify_one();
    agent.wake_volumes(touched);
    match problem {
        Some(problem) => Err(PodError::Unresolved(problem)),
        None => Ok(()),
    }
}

async fn resolve(agent: &Agent, pod: &Pod, used: &Used<'_>) -> Result<Spec, String> {
    if let Some(inline) = of_inline(pod, used) {
        return inline.map_err(|problem| problem.to_string());
    }
    let Some(claim_name) = claim_name(pod, used.volume) else { return Err("it is not a volume of this agent's".to_owned()) };
    let namespace = pod.meta.key.namespace().unwrap_or_default();
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(agent.client.clone(), namespace);
    let full = format!("{namespace}/{claim_name}");
    let read = claims.get_opt(&claim_name).await.map_err(Error::api(format!("read PersistentVolumeClaim {full}")));
    let claim = read.map_err(|error| chain(&error))?;
    let claim = claim.ok_or_else(|| format!("PersistentVolumeClaim {full} does not exist; it has to be created"))?;
    let owner = matches!(used.volume.source, PodVolumeSource::Ephemeral).then_some(&*pod.meta.uid);
    let name = bound_volume(&claim, owner).map_err(|problem| problem.to_string())?;
    let volumes: Api<<Volume as Kind>::Wire> = Api::all(agent.client.clone());
    let read = volumes.get_opt(&name).await.map_err(Error::api(format!("read PersistentVolume {name}")));
    let volume = read.map_err(|error| chain(&error))?.and_then(Volume::compact);
    let volume = volume.ok_or_else(|| format!("PersistentVolume {name}, to which {full} is bound, does not exist"))?;
    let uid = claim.metadata.uid.unwrap_or_default();
    of_volume(&volume, &full, &uid, used).map_err(|problem: Unresolved| problem.to_string())
}
