//! Puts into the attachment's status why it cannot be attached or detached: kubelet and the attach/detach controller show it.

use cluster::patch::Change;
use cluster::{Key, chain};
use csi_types::Code;
use serde_json::json;

use super::write_attachment;
use crate::attachments::Attachments;
use crate::plan::View;

/// Best effort: what cannot be reported is in the log.
pub(crate) async fn report(on: &Attachments, key: &Key, view: &View, message: &str, code: Option<Code>) {
    let (Some(attachment), Some(facts)) = (on.caches.attachments.get(key.as_str()), &view.attachment) else { return };
    let mut error = json!({
        "message": message,
        "time": on.around.engine.ctx.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    let field = if facts.deleting { "detachError" } else { "attachError" };
    if let Some(code) = code.filter(|_| !facts.deleting && on.settings.error_codes) {
        error["errorCode"] = json!(code.number());
    }
    let change = Change::merge(json!({"status": {field: error}})).status();
    if let Err(error) = write_attachment(on, &attachment, "report an error in VolumeAttachment", change).await {
        tracing::debug!("{}", chain(&error));
    }
}
