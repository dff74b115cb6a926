//! The end of a pod that was deleted: its object goes once none of its volumes is here, as a kubelet does it. Only on a node
//! that we registered, where nobody else would.

use cluster::kinds::Pod;
use cluster::live::is_not_found;
use k8s_openapi::api::core::v1::Pod as PodObject;
use kube::Api;
use kube::api::{DeleteParams, Preconditions};

use crate::agent::Agent;
use crate::error::Error;

/// This pod, not one of the same name that came after it. A conflict may say that there is such a one, or nothing at all: it is
/// tried again until the watch says that this pod is gone.
pub(super) async fn act(agent: &Agent, pod: &Pod) -> Result<(), Error> {
    let pods: Api<PodObject> = Api::namespaced(agent.client.clone(), pod.meta.key.namespace().unwrap_or_default());
    let params = DeleteParams {
        grace_period_seconds: Some(0),
        preconditions: Some(Preconditions { uid: Some(pod.meta.uid.to_string()), resource_version: None }),
        ..DeleteParams::default()
    };
    match pods.delete(pod.meta.key.name(), &params).await {
        Ok(_) => {}
        Err(error) if is_not_found(&error) => {}
        Err(error) => return Err(Error::api(format!("delete Pod {}", pod.meta.key))(error)),
    }
    agent.state().deleted.insert(pod.meta.uid.to_string());
    Ok(())
}
