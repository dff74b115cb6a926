//! Says why a pod has no node: in its condition `PodScheduled`, and as an event.

use cluster::kinds::Pod;
use cluster::patch::Change;
use serde_json::json;

use super::Scheduling;
use crate::error::Error;
use crate::words;
use crate::writes::write;

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
        let change = Change::strategic(json!({"status": {"conditions": [condition]}})).status();
        write(&part.around.client, &part.caches.pods, &pod.meta, "mark as unschedulable Pod", change).await?;
    }
    let say = words::failed_scheduling(message);
    on.told.note(&pod.meta, say.clone(), now);
    part.events.scheduler.publish(say.about(words::pod(pod)));
    Ok(())
}
