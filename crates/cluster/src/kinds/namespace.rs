//! Namespace: where objects live, and may be on their way out together.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::wire::{boxed, slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// A Namespace as controllers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Namespace {
    pub meta: Meta,
    /// `spec.finalizers`: what must be done before it goes; not those of its metadata.
    pub finalizers: Box<[Box<str>]>,
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct NamespaceWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Spec {
    finalizers: Vec<String>,
}

wire!(NamespaceWire = k8s_openapi::api::core::v1::Namespace);

impl Kind for Namespace {
    type Wire = NamespaceWire;
    const PLURAL: &'static str = "namespaces";

    fn compact(wire: NamespaceWire) -> Option<Self> {
        Some(Self { meta: Meta::of(&wire.metadata)?, finalizers: boxed(wire.spec.finalizers) })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// Those of its spec hold it as well.
    fn is_final(&self) -> bool {
        self.meta.deleting && self.meta.finalizers.is_empty() && self.finalizers.is_empty()
    }
}
