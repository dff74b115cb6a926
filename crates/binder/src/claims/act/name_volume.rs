//! Writes down in the claim which volume it has, and that binding is complete.

use cluster::kinds::{Claim, Volume};
use cluster::patch::Change;
use serde_json::json;

use super::{Claims, patch};
use crate::error::Error;

pub(super) async fn act(on: &Claims, claim: &Claim, volume: &Volume) -> Result<(), Error> {
    let name = volume.meta.key.name();
    let mut body = json!({"metadata": {"annotations": {}}});
    let annotations = &mut body["metadata"]["annotations"];
    if !claim.bind_completed {
        annotations[Claim::BIND_COMPLETED_ANNOTATION] = json!("yes");
    }
    if claim.volume.as_deref() != Some(name) {
        // The user did not choose it.
        annotations[Claim::BOUND_BY_CONTROLLER_ANNOTATION] = json!("yes");
        body["spec"]["volumeName"] = json!(name);
    }
    patch(on, claim, "name the volume of PersistentVolumeClaim", Change::merge(body)).await
}
