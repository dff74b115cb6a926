//! StorageClass: how volumes are made.

use std::collections::BTreeMap;

use csi_types::Segments;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::wire::{annotation, boxed, slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// One term of `allowedTopologies`: all its expressions must hold.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopologyTerm {
    /// `matchLabelExpressions`.
    #[serde(default)]
    pub match_label_expressions: Box<[TopologyExpression]>,
}

/// One key and the values it may have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct TopologyExpression {
    pub key: Box<str>,
    #[serde(default)]
    pub values: Box<[Box<str>]>,
}

/// A StorageClass as controllers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Class {
    pub meta: Meta,
    pub provisioner: Box<str>,
    pub parameters: BTreeMap<String, String>,
    /// `Delete` unless the class says otherwise; the API server fills it in.
    pub reclaim_policy: Option<Box<str>>,
    pub mount_options: Box<[Box<str>]>,
    /// `volumeBindingMode: WaitForFirstConsumer`.
    pub waits_for_consumer: bool,
    /// Claims that name no class get the newest class of which this is true.
    pub is_default: bool,
    /// `metadata.creationTimestamp`, in seconds.
    pub created: i64,
    /// One entry per term, in the order given.
    pub allowed_topologies: Box<[TopologyTerm]>,
}

impl Class {
    /// Says that it is the default one; the second is what it was once called.
    pub const DEFAULT_ANNOTATIONS: [&'static str; 2] =
        ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

    /// The places of one term with each combination of values: `{zone: [a, b]}` is two places.
    pub fn allowed_segments(&self) -> Vec<Segments> {
        self.allowed_topologies.iter().flat_map(combinations).collect()
    }
}

fn combinations(term: &TopologyTerm) -> Vec<Segments> {
    let term = &term.match_label_expressions;
    if term.is_empty() {
        return Vec::new();
    }
    term.iter().fold(vec![Segments::default()], |places, TopologyExpression { key, values }| {
        places
            .iter()
            .flat_map(|place| {
                values.iter().map(|value| {
                    let mut place = place.clone();
                    place.0.insert(key.to_string(), value.to_string());
                    place
                })
            })
            .collect()
    })
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClassWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    provisioner: Box<str>,
    #[serde(default)]
    parameters: Option<BTreeMap<String, String>>,
    reclaim_policy: Option<Box<str>>,
    #[serde(default)]
    mount_options: Option<Vec<String>>,
    volume_binding_mode: Option<String>,
    #[serde(default)]
    allowed_topologies: Option<Box<[TopologyTerm]>>,
}

wire!(ClassWire = StorageClass);

impl Kind for Class {
    type Wire = ClassWire;
    const PLURAL: &'static str = "storageclasses";

    fn compact(wire: ClassWire) -> Option<Self> {
        Some(Self {
            meta: Meta::of(&wire.metadata)?,
            provisioner: wire.provisioner,
            parameters: wire.parameters.unwrap_or_default(),
            reclaim_policy: wire.reclaim_policy,
            mount_options: boxed(wire.mount_options.unwrap_or_default()),
            waits_for_consumer: wire.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer"),
            is_default: Self::DEFAULT_ANNOTATIONS.iter().any(|key| annotation(&wire.metadata, key).as_deref() == Some("true")),
            created: wire.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second()),
            allowed_topologies: wire.allowed_topologies.unwrap_or_default(),
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}
