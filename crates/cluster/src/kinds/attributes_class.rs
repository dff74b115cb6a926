//! VolumeAttributesClass: what of a volume may be changed while it lives. Only what its protection depends on.

use k8s_openapi::api::storage::v1::VolumeAttributesClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::wire::{slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// A VolumeAttributesClass as controllers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct AttributesClass {
    pub meta: Meta,
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct AttributesClassWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
}

wire!(AttributesClassWire = VolumeAttributesClass);

impl Kind for AttributesClass {
    type Wire = AttributesClassWire;
    const PLURAL: &'static str = "volumeattributesclasses";

    fn compact(wire: AttributesClassWire) -> Option<Self> {
        Some(Self { meta: Meta::of(&wire.metadata)? })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}
