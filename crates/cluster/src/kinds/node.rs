//! Node: a place where pods run.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::wire::{slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// A Node as controllers see it. Its heartbeats are no change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Node {
    pub meta: Meta,
    pub labels: BTreeMap<Box<str>, Box<str>>,
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct NodeWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
}

wire!(NodeWire = k8s_openapi::api::core::v1::Node);

impl Kind for Node {
    type Wire = NodeWire;
    const PLURAL: &'static str = "nodes";

    fn compact(wire: NodeWire) -> Option<Self> {
        let labels = wire.metadata.labels.iter().flatten();
        Some(Self {
            meta: Meta::of(&wire.metadata)?,
            labels: labels.map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect(),
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}
