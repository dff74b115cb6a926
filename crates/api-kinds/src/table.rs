//! The columns that `kubectl get` shows, and what stands in them, as upstream's server has them.
//!
//! Cells are computed here, not by kubectl; they do not always have the type that their column declares, as upstream's do not.

pub(crate) mod age;
mod columns;
mod event;
mod node;
mod pod;
mod storage;
#[cfg(test)]
mod tests;
mod volume;

use apimachinery::object::{at, meta, name, text};
use jiff::Timestamp;
use serde_json::Value;

use crate::Resource;

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// `string`, `integer`, `boolean`, `date`, …
    pub type_: String,
    /// `name` for the object's name; usually empty.
    pub format: String,
    /// What it means.
    pub description: String,
    /// 0: always shown; 1: only by `-o wide`.
    pub priority: u8,
}

impl Column {
    /// A column that is always shown.
    pub fn new(name: &str, type_: &str, format: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            type_: type_.to_owned(),
            format: format.to_owned(),
            description: description.to_owned(),
            priority: 0,
        }
    }
}

/// The columns of a kind.
pub fn columns(resource: &Resource) -> Vec<Column> {
    if let Some(custom) = &resource.custom {
        return custom.columns();
    }
    let told = built_in(resource).and_then(columns::of).unwrap_or(columns::GENERIC).iter();
    told.map(|(name, type_, format, priority, description)| Column {
        priority: *priority,
        ..Column::new(name, type_, format, description)
    })
    .collect()
}

/// The cells of one object, one for each of [`columns`]. The object may lack anything: a bookmark has nothing but a version.
pub fn row(resource: &Resource, object: &Value, now: Timestamp) -> Vec<Value> {
    if let Some(custom) = &resource.custom {
        return custom.cells(object, now);
    }
    let created = || Value::from(age::since(meta(object, "creationTimestamp"), now));
    let middle = match built_in(resource).unwrap_or_default() {
        "Event" => return event::row(&resource.group, object, now),
        "Node" => return node::row(object, now),
        "PersistentVolume" => return volume::volume(object, now),
        "PersistentVolumeClaim" => return volume::claim(object, now),
        "Pod" => return pod::row(object, now),
        "StorageClass" => return storage::class(object, now),
        "CSIDriver" => return storage::driver(object, now),
        "VolumeAttachment" => return storage::attachment(object, now),
        "ConfigMap" => vec![(entries(object, "data") + entries(object, "binaryData")).into()],
        "CSINode" => vec![items(object, &["spec", "drivers"]).count().into()],
        "Lease" => vec![text(object, &["spec", "holderIdentity"]).into()],
        "Namespace" => vec![text(object, &["status", "phase"]).into()],
        "Secret" => vec![text(object, &["type"]).into(), entries(object, "data").into()],
        "ServiceAccount" => vec![],
        "VolumeAttributesClass" => vec![text(object, &["driverName"]).into()],
        // Upstream's zero of times is what a bookmark has.
        _ => return vec![name(object).into(), or(meta(object, "creationTimestamp"), "0001-01-01T00:00:00Z").into()],
    };
    [vec![name(object).into()], middle, vec![created()]].concat()
}

/// What a row says of its object besides the cells: `conditions`, for a pod that is over.
pub fn conditions(resource: &Resource, object: &Value) -> Option<Value> {
    if built_in(resource) == Some("Pod") { pod::conditions(object) } else { None }
}

/// The kind, unless a CustomResourceDefinition made it.
fn built_in(resource: &Resource) -> Option<&str> {
    resource.custom.is_none().then_some(resource.kind.as_str())
}

/// How many entries a map has.
fn entries(object: &Value, field: &str) -> usize {
    at(object, &[field]).and_then(Value::as_object).map_or(0, serde_json::Map::len)
}

/// The items of a list; none if there is no list.
fn items<'a>(object: &'a Value, path: &[&str]) -> impl Iterator<Item = &'a Value> {
    at(object, path).and_then(Value::as_array).into_iter().flatten()
}

/// The text, or this if it is empty.
fn or<'a>(text: &'a str, absent: &'a str) -> &'a str {
    if text.is_empty() { absent } else { text }
}
