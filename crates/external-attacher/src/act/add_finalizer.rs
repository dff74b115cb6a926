//! Keeps the attachment until it is detached, and writes down the node's id: the node may be gone by then.

use cluster::kinds::Attachment;
use cluster::patch::Change;
use csi_types::NodeId;
use serde_json::json;

use super::write_attachment;
use crate::attachments::Attachments;
use crate::error::Error;

/// One write for both. The version guards the list of finalizers, which a merge patch replaces.
pub(super) async fn act(on: &Attachments, attachment: &Attachment, node: &NodeId) -> Result<(), Error> {
    let mut finalizers: Vec<&str> = attachment.meta.finalizers.iter().map(|finalizer| &**finalizer).collect();
    if !attachment.meta.has_finalizer(&on.finalizer) {
        finalizers.push(&on.finalizer);
    }
    let fields = json!({"metadata": {
        "finalizers": finalizers,
        "annotations": {Attachment::NODE_ID_ANNOTATION: node.as_str()},
    }});
    let change = Change::merge(fields).if_unchanged();
    write_attachment(on, attachment, "add the finalizer to VolumeAttachment", change).await
}
