//! Says in the status that the volume is attached, and what the driver wants the node to know.

use std::collections::BTreeMap;

use cluster::kinds::Attachment;
use cluster::patch::Change;
use serde_json::json;

use super::write_attachment;
use crate::attachments::Attachments;
use crate::error::Error;

/// The whole status is replaced, so that no key of an earlier publish context stays behind, and an earlier error goes.
pub(super) async fn act(
    on: &Attachments,
    attachment: &Attachment,
    context: Option<BTreeMap<String, String>>,
) -> Result<(), Error> {
    const ATTEMPT: &str = "mark as attached VolumeAttachment";
    let mut status = json!({"attached": true});
    if let Some(context) = context.filter(|context| !context.is_empty()) {
        status["attachmentMetadata"] = json!(context);
    }
    let change = Change::operations(json!([{"op": "add", "path": "/status", "value": status}])).status();
    let marked = write_attachment(on, attachment, ATTEMPT, change).await;
    marked.map_err(|error| match error {
        Error::Api { object, source, .. } => Error::MarkAttached { attachment: object, source },
        other => other,
    })
}
