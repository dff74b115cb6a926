//! Gives the pod back to the scheduler, by taking the selected node off the claim.
//!
//! Upstream's role grants `update` on claims and not `patch`: the claim is read whole, changed, and put back at the version it
//! was read at. Idempotent: another node than the one that was meant is left alone.

use cluster::kinds::Claim;
use cluster::live::{Changed, change};
use cluster::{EventType, Kind};
use csi_types::NodeName;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::Api;
use kube::core::{ApiResource, DynamicObject};
use tracing::info;

use super::Act;
use crate::error::Error;
use crate::observe::ClaimKey;
use crate::plan::claim::Unfit;

impl Act {
    pub(super) async fn reschedule(&self, key: &ClaimKey, node: &NodeName, why: Unfit) -> Result<(), Error> {
        let (attempt, object) = ("take the selected node off claim", key.object.to_string());
        let failed = |source| Error::Api { attempt, object: object.clone(), source };
        let resource = ApiResource::erase::<PersistentVolumeClaim>(&());
        let namespace = key.object.namespace().unwrap_or_default();
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &resource);
        let edit = |claim: &mut DynamicObject| {
            let Some(annotations) = &mut claim.metadata.annotations else { return false };
            if annotations.get(Claim::SELECTED_NODE_ANNOTATION).map(String::as_str) != Some(node.as_str()) {
                return false;
            }
            annotations.remove(Claim::SELECTED_NODE_ANNOTATION).is_some()
        };
        let Changed::Written(written) = change(&api, key.object.name(), &key.uid, edit).await.map_err(failed)? else {
            return Err(Error::Overtaken { attempt, object });
        };
        self.memory.rescheduled(&key.uid);
        info!(pvc = %key.object, %node, ?why, "pod given back to the scheduler");
        if why == Unfit::Gone {
            let message = format!("selected node {node} has no CSINode; the pod goes back to the scheduler");
            self.tell_claim(key, EventType::Warning, "ProvisioningFailed", message);
        }
        let wire = serde_json::to_value(*written).and_then(serde_json::from_value::<<Claim as Kind>::Wire>);
        if let Some(claim) = Claim::compact(wire.map_err(|error| failed(kube::Error::SerdeError(error)))?) {
            self.caches.claims.put_answer(claim);
        }
        Ok(())
    }
}
