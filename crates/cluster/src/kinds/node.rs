//! Node: a place where pods run.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::selector::Labels;
use super::wire::{boxed, has_annotation, labels, slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// One entry of `spec.taints`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Taint {
    pub key: Box<str>,
    #[serde(default)]
    pub value: Box<str>,
    pub effect: Box<str>,
}

/// A Node as controllers see it. Its heartbeats are no change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Node {
    pub meta: Meta,
    pub labels: Labels,
    pub taints: Box<[Taint]>,
    pub unschedulable: bool,
    /// Its condition `Ready` is there, and says something else than `True`.
    pub not_ready: bool,
    /// `volumes.kubernetes.io/controller-managed-attach-detach` is there: its volumes are attached by a controller.
    pub attach_managed: bool,
    /// `status.volumesInUse`: what may be mounted there, or is about to be. Unique volume names.
    pub volumes_in_use: Box<[Box<str>]>,
    /// The names in `status.volumesAttached`.
    pub volumes_attached: Box<[Box<str>]>,
}

impl Node {
    /// Whose node it is to attach volumes to.
    pub const ATTACH_MANAGED_ANNOTATION: &'static str = "volumes.kubernetes.io/controller-managed-attach-detach";
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct NodeWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Spec {
    taints: Vec<Taint>,
    unschedulable: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    conditions: Vec<Condition>,
    volumes_in_use: Vec<String>,
    volumes_attached: Vec<AttachedVolume>,
}

#[derive(Debug, Clone, Deserialize)]
struct AttachedVolume {
    name: Box<str>,
}

#[derive(Debug, Clone, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: Box<str>,
    status: Box<str>,
}

wire!(NodeWire = k8s_openapi::api::core::v1::Node);

impl Kind for Node {
    type Wire = NodeWire;
    const PLURAL: &'static str = "nodes";

    fn compact(wire: NodeWire) -> Option<Self> {
        let ready = wire.status.conditions.iter().find(|condition| &*condition.kind == "Ready");
        Some(Self {
            meta: Meta::of(&wire.metadata)?,
            labels: labels(&wire.metadata),
            taints: wire.spec.taints.into(),
            unschedulable: wire.spec.unschedulable,
            not_ready: ready.is_some_and(|ready| &*ready.status != "True"),
            attach_managed: has_annotation(&wire.metadata, Self::ATTACH_MANAGED_ANNOTATION),
            volumes_in_use: boxed(wire.status.volumes_in_use),
            volumes_attached: wire.status.volumes_attached.into_iter().map(|volume| volume.name).collect(),
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}
