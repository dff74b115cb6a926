//! Next to world: dispatch only. One file per action; those of one line are here.

mod bind_pod;
mod mark_unschedulable;

use cluster::Key;
use cluster::kinds::Claim;
use cluster::patch::Change;
use serde_json::json;

use super::Scheduling;
use super::plan::{Action, View};
use crate::error::Error;
use crate::words::{self, Unfit};
use crate::writes::{hold_volume, look, write};

pub(super) async fn act(on: &Scheduling, view: &View, action: &Action) -> Result<(), Error> {
    let Some(pod) = &view.pod else { return Ok(()) };
    let part = &on.part;
    let now = part.around.engine.ctx.now();
    match action {
        Action::HoldVolume(claim, volume) => hold_volume(part, volume, claim).await,
        Action::SelectNode(claim) => {
            let body = json!({"metadata": {"annotations": {Claim::SELECTED_NODE_ANNOTATION: part.config.node}}});
            let change = Change::merge(body).if_unchanged();
            let attempt = "select the node of PersistentVolumeClaim";
            write(&part.around.client, &part.caches.claims, &claim.meta, attempt, change).await
        }
        Action::Wait(wait) => {
            on.waits.begin(&pod.meta, wait.clone(), now);
            Ok(())
        }
        Action::Abort(aborted) => {
            on.waits.abort(&pod.meta, now);
            // Somebody put it on the node already: to say that it is not scheduled would be wrong.
            if !pod.node.is_empty() {
                return Ok(());
            }
            mark_unschedulable::act(on, pod, words::SCHEDULER_ERROR, &aborted.message()).await
        }
        Action::MarkUnschedulable(unfit) => {
            if let Unfit::ClaimMissing(name) = unfit {
                // Often made together with its pod: that our cache has not heard of it is nothing to tell people.
                let key = Key::namespaced(pod.meta.key.namespace().unwrap_or_default(), name);
                if look(&part.around.client, &part.caches.claims, &key).await?.is_some() {
                    let heard = part.caches.claims.get(key.as_str()).is_some();
                    return if heard { Ok(()) } else { Err(Error::Behind { object: format!("PersistentVolumeClaim {key}") }) };
                }
            }
            on.waits.forget(&pod.meta.key);
            mark_unschedulable::act(on, pod, unfit.reason(), &unfit.message()).await
        }
        Action::BindPod => bind_pod::act(on, pod).await,
    }
}
