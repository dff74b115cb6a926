//! Lets go of an attachment that is detached, and says so in its status if it stays.

use cluster::kinds::Attachment;
use cluster::patch::{Change, remove_finalizer};
use serde_json::json;

use super::write_attachment;
use crate::attachments::Attachments;
use crate::error::Error;

/// The finalizer first: a crash after the other order made upstream unpublish twice. Upstream: external-attacher 4.9.
pub(super) async fn act(on: &Attachments, attachment: &Attachment) -> Result<(), Error> {
    const RELEASE: &str = "remove the finalizer from VolumeAttachment";
    const MARK: &str = "mark as detached VolumeAttachment";
    if let Some(operations) = remove_finalizer(&attachment.meta, &on.finalizer) {
        write_attachment(on, attachment, RELEASE, Change::operations(operations)).await?;
        // It was the last: there is nothing left to be marked.
        if attachment.meta.deleting && attachment.meta.finalizers.len() == 1 {
            return Ok(());
        }
    }
    let change = Change::operations(json!([{"op": "add", "path": "/status", "value": {"attached": false}}])).status();
    write_attachment(on, attachment, MARK, change).await
}
