//! Puts a pod on the node.

use cluster::Kind;
use cluster::kinds::Pod;
use cluster::live::{is_conflict, is_not_found};
use kube::Resource;
use kube::api::PostParams;
use kube::core::Request;
use serde::de::IgnoredAny;
use serde_json::json;

use super::Scheduling;
use crate::error::Error;
use crate::words;
use crate::writes::look;

const ATTEMPT: &str = "bind to the node Pod";

/// The answer says nothing about the pod, so it is read: until our cache knows the node, the plan would be the same again.
pub(super) async fn act(on: &Scheduling, pod: &Pod) -> Result<(), Error> {
    let (part, key) = (&on.part, &pod.meta.key);
    let node = part.config.node.as_str();
    let body = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": key.name(), "namespace": key.namespace(), "uid": pod.meta.uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    });
    let failed = |source| Error::Api { attempt: ATTEMPT, object: key.to_string(), source };
    let request = Request::new(<Pod as Kind>::Wire::url_path(&(), key.namespace()));
    let request = request.create_subresource("binding", key.name(), &PostParams::default(), body.to_string().into_bytes());
    let request = request.map_err(|error| failed(kube::Error::BuildRequest(error)))?;
    match part.around.client.request::<IgnoredAny>(request).await {
        Ok(_) => {
            on.waits.forget(key);
            part.events.scheduler.publish(words::scheduled(pod, node).about(words::pod(pod)));
            look(&part.around.client, &part.caches.pods, key).await.map(drop)
        }
        Err(error) if is_not_found(&error) => Err(Error::Went { object: format!("Pod {key}") }),
        // It has a node already, or goes, and our cache has not heard of it.
        Err(error) if is_conflict(&error) => {
            look(&part.around.client, &part.caches.pods, key).await?;
            Err(failed(error))
        }
        Err(source) => Err(failed(source)),
    }
}
