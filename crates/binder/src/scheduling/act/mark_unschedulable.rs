//! Says why a pod has no node: in its condition `PodScheduled`, and as an event.

use cluster::Kind;
use cluster::kinds::Pod;
use cluster::live::is_not_found;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::Scheduling;
use crate::error::Error;
use crate::words;

/// A strategic patch, since it merges conditions by their type. The event even if the condition says so already: it is repeated.
pub(super) async fn act(on: &Scheduling, pod: &Pod, reason: &str, message: &str) -> Result<(), Error> {
    let part = &on.part;
    let now = part.around.engine.ctx.now();
    let has = |condition: &cluster::kinds::Condition| {
        (&*condition.status, &*condition.reason, &*condition.message) == ("False", reason, message)
    };
    if !pod.scheduled.as_ref().is_some_and(|condition| has(condition)) {
        let mut condition = json!({
            "type": "PodScheduled", "status": "False", "reason": reason, "message": message, "lastProbeTime": null,
        });
        if pod.scheduled.as_ref().is_none_or(|condition| &*condition.status != "False") {
            let at = part.around.engine.ctx.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            condition["lastTransitionTime"] = json!(at);
        }
        let patch = Patch::Strategic(json!({"metadata": {"uid": pod.meta.uid}, "status": {"conditions": [condition]}}));
        let namespace = pod.meta.key.namespace().unwrap_or_default();
        let api: Api<<Pod as Kind>::Wire> = Api::namespaced(part.around.client.clone(), namespace);
        match api.patch_status(pod.meta.key.name(), &PatchParams::default(), &patch).await {
            Ok(wire) => {
                if let Some(answer) = Pod::compact(wire) {
                    part.caches.pods.put_answer(answer);
                }
            }
            Err(error) if is_not_found(&error) => return Err(Error::Went { object: format!("Pod {}", pod.meta.key) }),
            Err(source) => {
                return Err(Error::Api { attempt: "mark as unschedulable Pod", object: pod.meta.key.to_string(), source });
            }
        }
    }
    let say = words::failed_scheduling(message);
    on.told.note(&pod.meta, say.clone(), now);
    part.events.scheduler.publish(say.about(words::pod(pod)));
    Ok(())
}
