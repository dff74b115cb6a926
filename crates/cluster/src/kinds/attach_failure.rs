//! A VolumeAttachment whose last attempt failed, with the words of its attacher.
//!
//! Watched apart from the attachments themselves: an attacher must not be woken by its own report, and whoever wants volumes
//! attached must be. Attachments without an error cost nothing here.

use k8s_openapi::api::storage::v1::VolumeAttachment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::wire::{slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// What went wrong with an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct AttachFailure {
    pub meta: Meta,
    /// The PersistentVolume.
    pub volume: Box<str>,
    /// `status.attachError.message`.
    pub message: Box<str>,
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct AttachFailureWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    spec: Spec,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Debug, Clone, Deserialize)]
struct Spec {
    #[serde(default)]
    source: Source,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    persistent_volume_name: Option<Box<str>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    attached: bool,
    attach_error: Option<Problem>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    message: Box<str>,
}

wire!(AttachFailureWire = VolumeAttachment);

impl Kind for AttachFailure {
    type Wire = AttachFailureWire;
    const PLURAL: &'static str = "volumeattachments.failed";

    fn compact(wire: AttachFailureWire) -> Option<Self> {
        let status = wire.status.filter(|status| !status.attached)?;
        Some(Self {
            meta: Meta::of(&wire.metadata)?,
            volume: wire.spec.source.persistent_volume_name?,
            message: status.attach_error?.message,
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}
