//! CSIStorageCapacity: how much room a class has at a place, as its provisioner last said.

use k8s_openapi::api::storage::v1::CSIStorageCapacity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::selector::LabelSelector;
use super::wire::{slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// A CSIStorageCapacity as controllers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct StorageCapacity {
    pub meta: Meta,
    pub class: Box<str>,
    /// `None`: no node reaches it.
    pub nodes: Option<LabelSelector>,
    /// `capacity`, as written.
    pub capacity: Option<Box<str>>,
    /// `maximumVolumeSize`, as written.
    pub maximum_volume_size: Option<Box<str>>,
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageCapacityWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    #[serde(default)]
    storage_class_name: Box<str>,
    node_topology: Option<LabelSelector>,
    capacity: Option<Box<str>>,
    maximum_volume_size: Option<Box<str>>,
}

wire!(StorageCapacityWire = CSIStorageCapacity);

impl Kind for StorageCapacity {
    type Wire = StorageCapacityWire;
    const PLURAL: &'static str = "csistoragecapacities";

    fn compact(wire: StorageCapacityWire) -> Option<Self> {
        Some(Self {
            meta: Meta::of(&wire.metadata)?,
            class: wire.storage_class_name,
            nodes: wire.node_topology,
            capacity: wire.capacity,
            maximum_volume_size: wire.maximum_volume_size,
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn index(&self) -> Option<&str> {
        Some(&self.class)
    }
}
