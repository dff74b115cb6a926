//! The attach handshake, its last step: is this volume really attached here, now? Read from the API, never from a cache.
//!
//! The attach/detach controller takes a volume out of `volumesAttached` before it looks at `volumesInUse`; we write
//! `volumesInUse` before we look at `volumesAttached`. So one of the two always sees the other.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::api::storage::v1::VolumeAttachment;
use kube::Api;

use crate::agent::Agent;
use crate::error::Error;
use crate::paths::{VolumeKey, attachment_name};
use crate::spec::Spec;
use crate::state::awaits_attachment;

/// `publish_context` for this volume: what the controller plugin said when it attached it. Empty for one that is not attached
/// by anybody. Read again for every operation: a detach and a new attach may have changed it.
pub(crate) async fn publish_context(agent: &Agent, spec: &Spec) -> Result<BTreeMap<String, String>, Error> {
    if !awaits_attachment(&agent.caches.csi_drivers, spec) {
        return Ok(BTreeMap::new());
    }
    let nodes: Api<Node> = Api::all(agent.client.clone());
    let name = agent.config.node.as_str();
    let node = nodes.get(name).await.map_err(Error::api(format!("read Node {name}")))?;
    if !attached_volumes(&node).any(|attached| attached == spec.key) {
        return Err(Error::NotAttached { key: spec.key.clone() });
    }
    let name = attachment_name(&spec.handle, &spec.driver, &agent.config.node);
    let attachments: Api<VolumeAttachment> = Api::all(agent.client.clone());
    let attachment = attachments.get_opt(&name).await.map_err(Error::api(format!("read VolumeAttachment {name}")))?;
    context_of(attachment, &name)
}

/// What the Node's status lists as attached.
pub(crate) fn attached_volumes(node: &Node) -> impl Iterator<Item = VolumeKey> {
    let attached = node.status.iter().flat_map(|status| status.volumes_attached.iter().flatten());
    attached.map(|volume| VolumeKey::parse(&volume.name))
}

/// The name of a VolumeAttachment is used again after a detach, so one that is on its way out is not "attached".
fn context_of(attachment: Option<VolumeAttachment>, name: &str) -> Result<BTreeMap<String, String>, Error> {
    let refuse = |problem: &str| Err(Error::Attachment { name: name.to_owned(), problem: problem.to_owned() });
    let Some(attachment) = attachment else { return refuse("does not exist; the attach/detach controller has to make it") };
    if attachment.metadata.deletion_timestamp.is_some() {
        return refuse("is being deleted; the volume is mounted once it is attached again");
    }
    let Some(status) = attachment.status else { return refuse("has no status yet; the driver's attacher has to set it") };
    match (status.attached, status.attach_error.and_then(|error| error.message)) {
        (true, _) => Ok(status.attachment_metadata.unwrap_or_default()),
        (false, Some(message)) => refuse(&format!("is not attached: {message}")),
        (false, None) => refuse("is not attached yet; the driver's attacher has to do that"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn context(parts: serde_json::Value) -> Result<BTreeMap<String, String>, Error> {
        let mut object = json!({
            "metadata": {"name": "csi-1"},
            "spec": {"attacher": "d", "nodeName": "n", "source": {"persistentVolumeName": "pv-1"}},
        });
        for (key, value) in parts.as_object().expect("parts") {
            object[key] = value.clone();
        }
        context_of(Some(serde_json::from_value(object).expect("an attachment")), "csi-1")
    }

    #[test]
    fn only_an_attachment_that_stays_and_is_attached_counts() {
        let metadata = json!({"attached": true, "attachmentMetadata": {"device": "/dev/x"}});
        assert_eq!(context(json!({"status": metadata})).expect("attached"), BTreeMap::from([("device".into(), "/dev/x".into())]));
        assert!(context(json!({"status": {"attached": true}})).expect("attached").is_empty());
        let going =
            json!({"metadata": {"name": "csi-1", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"attached": true}});
        for refused in [json!({}), json!({"status": {"attached": false}}), going] {
            assert!(matches!(context(refused), Err(Error::Attachment { .. })));
        }
        assert!(matches!(context_of(None, "csi-1"), Err(Error::Attachment { .. })));
    }

    #[test]
    fn the_attachers_words_reach_the_user() {
        let refused = context(json!({"status": {"attached": false, "attachError": {"message": "no such disk"}}}));
        assert!(refused.is_err_and(|error| error.to_string().contains("no such disk")));
    }
}
