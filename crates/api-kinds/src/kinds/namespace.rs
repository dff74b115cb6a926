//! Namespaces: held by finalizers of their own, in `spec`, until what is in them is gone.
//!
//! Upstream: `registry/core/namespace/strategy.go`, `core/validation`; the lifecycle plugin for what may not be deleted.

use apimachinery::object::{at, child, deleting, metadata, name, set, text, time};
use apimachinery::{FieldError, GroupResource, Status};
use jiff::Timestamp;
use serde_json::Value;

use super::rules::{self, Rules};
use super::validation::values::list;
use super::validation::{invalid, names};
use crate::write::Deletion;
use crate::{Operation, Resource, Subresource, Write};

pub(super) const RULES: Rules = Rules { defaults, prepare, validate, delete, ..Rules::NONE };

const NAME_LABEL: &str = "kubernetes.io/metadata.name";
const FINALIZER: &str = "kubernetes";
/// QUIRK: kube-node-lease is not among them.
const PERMANENT: [&str; 3] = ["default", "kube-system", "kube-public"];

/// The label that network policies select by. The name is not known yet if it will be generated.
fn defaults(new: &mut Value) {
    let name = name(new).to_owned();
    if !name.is_empty() {
        let labels = apimachinery::object::fields(metadata(new).entry("labels").or_insert(Value::Null));
        labels.insert(NAME_LABEL.to_owned(), name.into());
    }
    if text(new, &["status", "phase"]).is_empty() {
        child(new, "status").insert("phase".to_owned(), "Active".into());
    }
}

fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    match (write.subresource, write.operation) {
        (Subresource::Main, Operation::Create) => {
            // A generated name is known by now.
            defaults(&mut write.new);
            let mut finalizers = list(at(&write.new, &["spec", "finalizers"])).to_vec();
            if !finalizers.contains(&FINALIZER.into()) {
                finalizers.push(FINALIZER.into());
            }
            child(&mut write.new, "spec").insert("finalizers".to_owned(), finalizers.into());
        }
        (Subresource::Main, Operation::Update(old)) => {
            let finalizers = at(old, &["spec", "finalizers"]).cloned();
            set(child(&mut write.new, "spec"), "finalizers", finalizers);
        }
        _ => {}
    }
    Ok(())
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let new = &write.new;
    let finalizers = || list(at(new, &["spec", "finalizers"])).iter().map(|name| name.as_str().unwrap_or_default());
    Ok(match (write.subresource, write.operation) {
        (Subresource::Main, Operation::Create) => finalizers().flat_map(|name| finalizer(name, "spec.finalizers")).collect(),
        (Subresource::Finalize, _) => {
            let each = |(index, name)| finalizer(name, &format!("spec.finalizers[{index}]"));
            finalizers().enumerate().flat_map(each).collect()
        }
        (Subresource::Status, _) => phase(new),
        _ => Vec::new(),
    })
}

fn finalizer(name: &str, field: &str) -> Vec<FieldError> {
    let mut errors = invalid(field, name, names::qualified(name));
    if !name.contains('/') && !["kubernetes", "orphan", "foregroundDeletion"].contains(&name) {
        let detail = "name is neither a standard finalizer name nor is it fully qualified";
        errors.push(FieldError::invalid(field, name, detail));
    }
    errors
}

/// QUIRK: the field is called `status.Phase`.
fn phase(new: &Value) -> Vec<FieldError> {
    let phase = text(new, &["status", "phase"]);
    let (only, detail) = if deleting(new) {
        ("Terminating", "may only be 'Terminating' if `deletionTimestamp` is not empty")
    } else {
        ("Active", "may only be 'Active' if `deletionTimestamp` is empty")
    };
    if phase == only { Vec::new() } else { vec![FieldError::invalid("status.Phase", phase, detail)] }
}

fn delete(resource: &Resource, object: &Value, _: Option<i64>, now: Timestamp) -> Result<Deletion, Status> {
    let name = name(object);
    if PERMANENT.contains(&name) {
        let resource = GroupResource { group: String::new(), resource: "namespaces".to_owned() };
        return Err(Status::forbidden(&resource, name, "this namespace may not be deleted"));
    }
    if list(at(object, &["spec", "finalizers"])).is_empty() {
        return Ok(rules::hold(resource, object, now));
    }
    if deleting(object) {
        return Ok(Deletion::Going);
    }
    let mut later = object.clone();
    metadata(&mut later).insert("deletionTimestamp".to_owned(), time(now));
    child(&mut later, "status").insert("phase".to_owned(), "Terminating".into());
    Ok(Deletion::Later(later))
}

#[cfg(test)]
mod tests;
