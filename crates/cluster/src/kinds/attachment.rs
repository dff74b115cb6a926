//! VolumeAttachment: somebody wants a volume on a node.

use k8s_openapi::api::storage::v1::VolumeAttachment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::wire::{annotation, slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// What is to be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttachmentSource {
    /// A PersistentVolume's name.
    Volume(Box<str>),
    /// A volume written into the attachment itself; only Kubernetes' migration of in-tree volumes makes these. Read it live.
    Inline,
    /// Both were given.
    Both,
    /// Nothing was given.
    Nothing,
}

/// A VolumeAttachment as controllers see it. Its errors are left out: a controller's own report must not wake it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Attachment {
    pub meta: Meta,
    pub attacher: Box<str>,
    pub node: Box<str>,
    pub source: AttachmentSource,
    pub attached: bool,
    /// `csi.alpha.kubernetes.io/node-id`: the CSI node id that was used to publish.
    pub node_id_annotation: Option<Box<str>>,
}

impl Attachment {
    /// Where the node's CSI id is kept for a detach after the node has gone.
    pub const NODE_ID_ANNOTATION: &'static str = "csi.alpha.kubernetes.io/node-id";

    /// The PersistentVolume's name, if there is one.
    pub fn volume(&self) -> Option<&str> {
        match &self.source {
            AttachmentSource::Volume(name) => Some(name),
            _ => None,
        }
    }
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct AttachmentWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    spec: Spec,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    attacher: String,
    node_name: String,
    #[serde(default)]
    source: Source,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    persistent_volume_name: Option<String>,
    inline_volume_spec: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    attached: bool,
}

wire!(AttachmentWire = VolumeAttachment);

impl Kind for Attachment {
    type Wire = AttachmentWire;
    const PLURAL: &'static str = "volumeattachments";

    fn compact(wire: AttachmentWire) -> Option<Self> {
        let source = match (wire.spec.source.persistent_volume_name, wire.spec.source.inline_volume_spec) {
            (Some(name), None) => AttachmentSource::Volume(name.into()),
            (None, Some(_)) => AttachmentSource::Inline,
            (Some(_), Some(_)) => AttachmentSource::Both,
            (None, None) => AttachmentSource::Nothing,
        };
        let status = wire.status.unwrap_or_default();
        Some(Self {
            meta: Meta::of(&wire.metadata)?,
            attacher: wire.spec.attacher.into(),
            node: wire.spec.node_name.into(),
            source,
            attached: status.attached,
            node_id_annotation: annotation(&wire.metadata, Self::NODE_ID_ANNOTATION),
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn index(&self) -> Option<&str> {
        self.volume()
    }
}
