//! What every wire struct needs: metadata without what nobody reads, and a place in the API.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::{Deserialize, Deserializer};

/// Metadata by the fields that are read; managedFields and owners are skipped while parsing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlimMeta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    deletion_timestamp: Option<Time>,
    finalizers: Option<Vec<String>>,
    annotations: Option<BTreeMap<String, String>>,
    labels: Option<BTreeMap<String, String>>,
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
        finalizers: slim.finalizers,
        annotations: slim.annotations,
        labels: slim.labels,
        ..ObjectMeta::default()
    })
}

/// An annotation's value, compact.
pub(crate) fn annotation(meta: &ObjectMeta, key: &str) -> Option<Box<str>> {
    meta.annotations.as_ref()?.get(key).map(|value| value.as_str().into())
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
