//! Tells the external provisioner that a volume is wanted. Both names of the annotation, since older provisioners know only one.

use cluster::kinds::Claim;
use cluster::patch::Change;
use serde_json::json;

use super::{Claims, patch};
use crate::error::Error;

pub(in crate::claims) const ATTEMPT: &str = "ask the provisioner in PersistentVolumeClaim";

pub(super) async fn act(on: &Claims, claim: &Claim, provisioner: &str) -> Result<(), Error> {
    let body = json!({"metadata": {"annotations": {
        Claim::PROVISIONER_ANNOTATION: provisioner,
        Claim::BETA_PROVISIONER_ANNOTATION: provisioner,
    }}});
    patch(on, claim, ATTEMPT, Change::merge(body)).await
}
