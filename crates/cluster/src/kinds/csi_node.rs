//! CSINode: which drivers a node has, and what each calls the node.

use k8s_openapi::api::storage::v1::CSINode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::wire::{boxed, slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// One driver on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct CsiNodeDriver {
    pub name: Box<str>,
    pub node_id: Box<str>,
    pub topology_keys: Box<[Box<str>]>,
    /// `allocatable.count`: how many of its volumes the node takes; `None` without a limit.
    pub limit: Option<i32>,
}

/// A CSINode as controllers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct CsiNode {
    pub meta: Meta,
    pub drivers: Box<[CsiNodeDriver]>,
}

impl CsiNode {
    /// This driver on this node.
    pub fn driver(&self, name: &str) -> Option<&CsiNodeDriver> {
        self.drivers.iter().find(|driver| &*driver.name == name)
    }
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct CsiNodeWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    drivers: Option<Vec<Driver>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: Box<str>,
    #[serde(rename = "nodeID", default)]
    node_id: Box<str>,
    #[serde(default)]
    topology_keys: Option<Vec<String>>,
    allocatable: Option<Allocatable>,
}

#[derive(Debug, Clone, Deserialize)]
struct Allocatable {
    count: Option<i32>,
}

wire!(CsiNodeWire = CSINode);

impl Kind for CsiNode {
    type Wire = CsiNodeWire;
    const PLURAL: &'static str = "csinodes";

    fn compact(wire: CsiNodeWire) -> Option<Self> {
        let driver = |driver: Driver| CsiNodeDriver {
            name: driver.name,
            node_id: driver.node_id,
            topology_keys: boxed(driver.topology_keys.unwrap_or_default()),
            limit: driver.allocatable.and_then(|allocatable| allocatable.count),
        };
        Some(Self {
            meta: Meta::of(&wire.metadata)?,
            drivers: wire.spec.drivers.unwrap_or_default().into_iter().map(driver).collect(),
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}
