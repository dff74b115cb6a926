//! Lets go of an attachment that is detached, and says so in its status if it stays.

use cluster::kinds::Attachment;
use cluster::patch::remove_finalizer;
use serde_json::json;

use super::operations;
use crate::attachments::Attachments;
use crate::error::Error;

/// The finalizer first: a crash after the other order made upstream unpublish twice. Upstream: external-attacher 4.9.
pub(super) async fn act(on: &Attachments, attachment: &Attachment) -> Result<(), Error> {
    const RELEASE: &str = "remove the finalizer from VolumeAttachment";
    const MARK: &str = "mark as detached VolumeAttachment";
    let key = &attachment.meta.key;
    if let Some(patch) = remove_finalizer(&attachment.meta, &on.finalizer) {
        super::patch(on, attachment, RELEASE, false, operations(RELEASE, key, patch)?).await?;
        // It was the last: there is nothing left to be marked.
        if attachment.meta.deleting && attachment.meta.finalizers.len() == 1 {
            return Ok(());
        }
    }
    let patch = json!([
        {"op": "test", "path": "/metadata/uid", "value": attachment.meta.uid},
        {"op": "add", "path": "/status", "value": {"attached": false}},
    ]);
    super::patch(on, attachment, MARK, true, operations(MARK, key, patch)?).await
}
