//! What every wire struct needs: metadata without what nobody reads, and a place in the API.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference, Time};
use serde::{Deserialize, Deserializer};

use super::selector::Labels;

/// Metadata by the fields that are read; managedFields are skipped while parsing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    deletion_timestamp: Option<Time>,
    deletion_grace_period_seconds: Option<i64>,
    finalizers: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
    labels: Option<BTreeMap<String, String>>,
    creation_timestamp: Option<Time>,
    owner_references: Option<Vec<OwnerReference>>,
}

/// `deserialize_with` for the `metadata` of wire structs.
pub fn slim_meta<'de, D: Deserializer<'de>>(from: D) -> Result<ObjectMeta, D::Error> {
    let slim = SlimMeta::deserialize(from)?;
    Ok(ObjectMeta {
        name: slim.name,
        namespace: slim.namespace,
        uid: slim.uid,
        resource_version: slim.resource_version,
        deletion_timestamp: slim.deletion_timestamp,
        deletion_grace_period_seconds: slim.deletion_grace_period_seconds,
        finalizers: slim.finalizers,
        annotations: slim.annotations,
        labels: slim.labels,
        creation_timestamp: slim.creation_timestamp,
        owner_references: slim.owner_references,
        ..ObjectMeta::default()
    })
}

/// An annotation's value, compact.
pub(crate) fn annotation(meta: &ObjectMeta, key: &str) -> Option<Box<str>> {
    meta.annotations.as_ref()?.get(key).map(|value| value.as_str().into())
}

/// Whether an annotation is there, with whatever value.
pub(crate) fn has_annotation(meta: &ObjectMeta, key: &str) -> bool {
    meta.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(key))
}

/// The labels, compact.
pub(crate) fn labels(meta: &ObjectMeta) -> Labels {
    meta.labels.iter().flatten().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect()
}

/// The uid of the controlling owner.
pub(crate) fn controller(meta: &ObjectMeta) -> Option<Box<str>> {
    let owner = meta.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    Some(owner.uid.as_str().into())
}

/// Texts, compact.
pub(crate) fn boxed(texts: Vec<String>) -> Box<[Box<str>]> {
    texts.into_iter().map(String::into_boxed_str).collect()
}

/// Gives a wire struct the API path of a k8s-openapi type.
macro_rules! wire {
    ($wire:ty = $of:ty) => {
        impl kube::Resource for $wire {
            type DynamicType = ();
            type Scope = <$of as k8s_openapi::Resource>::Scope;
            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                <$of as k8s_openapi::Resource>::KIND.into()
            }
            fn group((): &()) -> std::borrow::Cow<'_, str> {
                <$of as k8s_openapi::Resource>::GROUP.into()
            }
            fn version((): &()) -> std::borrow::Cow<'_, str> {
                <$of as k8s_openapi::Resource>::VERSION.into()
            }
            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                <$of as k8s_openapi::Resource>::URL_PATH_SEGMENT.into()
            }
            fn meta(&self) -> &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &self.metadata
            }
            fn meta_mut(&mut self) -> &mut k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}
pub(crate) use wire;
