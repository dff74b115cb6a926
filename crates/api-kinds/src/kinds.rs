//! The built-in kinds, one file each.
//!
//! A kind's file says with its [`Rules`] where it differs from the others; what they share (which half of the object a
//! subresource writes, how finalizers hold an object up) is here, and what is true of any metadata is in [`metadata`].

mod claim;
mod config_map;
mod csi_driver;
mod csi_node;
mod csi_storage_capacity;
mod custom_resource_definition;
pub(crate) mod event;
mod lease;
pub(crate) mod metadata;
mod namespace;
mod node;
mod pod;
mod resources;
mod rules;
mod secret;
mod service_account;
mod storage_class;
pub(crate) mod validation;
mod volume;
mod volume_attachment;
mod volume_attributes_class;

use apimachinery::{FieldError, Status};
use jiff::Timestamp;
use serde_json::Value;

use crate::write::Deletion;
use crate::{Resource, Write};

pub(crate) use resources::resources;
use rules::Rules;

/// The rules of a built-in resource.
fn rules(resource: &Resource) -> &'static Rules {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "configmaps") => &config_map::RULES,
        ("" | "events.k8s.io", "events") => &event::RULES,
        ("", "namespaces") => &namespace::RULES,
        ("", "nodes") => &node::RULES,
        ("", "persistentvolumeclaims") => &claim::RULES,
        ("", "persistentvolumes") => &volume::RULES,
        ("", "pods") => &pod::RULES,
        ("", "secrets") => &secret::RULES,
        ("", "serviceaccounts") => &service_account::RULES,
        ("apiextensions.k8s.io", "customresourcedefinitions") => &custom_resource_definition::RULES,
        ("coordination.k8s.io", "leases") => &lease::RULES,
        ("storage.k8s.io", "csidrivers") => &csi_driver::RULES,
        ("storage.k8s.io", "csinodes") => &csi_node::RULES,
        ("storage.k8s.io", "csistoragecapacities") => &csi_storage_capacity::RULES,
        ("storage.k8s.io", "storageclasses") => &storage_class::RULES,
        ("storage.k8s.io", "volumeattachments") => &volume_attachment::RULES,
        ("storage.k8s.io", "volumeattributesclasses") => &volume_attributes_class::RULES,
        _ => &Rules::NONE,
    }
}

pub(crate) fn defaults(resource: &Resource, new: &mut Value) {
    (rules(resource).defaults)(new);
}

pub(crate) fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    let rules = rules(write.resource);
    rules.keep_other_half(write);
    (rules.prepare)(write)
}

/// What is wrong before metadata is looked at.
pub(crate) fn validate_first(write: &Write<'_>) -> Vec<FieldError> {
    (rules(write.resource).validate_first)(write)
}

pub(crate) fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    (rules(write.resource).validate)(write)
}

pub(crate) fn delete(resource: &Resource, object: &Value, grace: Option<i64>, now: Timestamp) -> Result<Deletion, Status> {
    (rules(resource).delete)(resource, object, grace, now)
}
