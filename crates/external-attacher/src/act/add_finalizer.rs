//! Keeps the attachment until it is detached, and writes down the node's id: the node may be gone by then.

use cluster::kinds::Attachment;
use csi_types::NodeId;
use kube::api::Patch;
use serde_json::json;

use crate::attachments::Attachments;
use crate::error::Error;

/// One write for both. The version guards the list of finalizers, which a merge patch replaces.
pub(super) async fn act(on: &Attachments, attachment: &Attachment, node: &NodeId) -> Result<(), Error> {
    let mut finalizers: Vec<&str> = attachment.meta.finalizers.iter().map(|finalizer| &**finalizer).collect();
    if !attachment.meta.has_finalizer(&on.finalizer) {
        finalizers.push(&on.finalizer);
    }
    let patch = json!({"metadata": {
        "uid": attachment.meta.uid,
        "resourceVersion": attachment.meta.version.to_string(),
        "finalizers": finalizers,
        "annotations": {Attachment::NODE_ID_ANNOTATION: node.as_str()},
    }});
    super::patch(on, attachment, "add the finalizer to VolumeAttachment", false, Patch::Merge(patch)).await
}
