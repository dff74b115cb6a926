//! What follows from a write of a CustomResourceDefinition or of the last of its instances: names are accepted, a definition is
//! established, one that is deleted takes its instances along.
//!
//! Upstream does this with controllers that watch; here it is part of the commit of the write that it follows from. So a stored
//! state is always settled, and there is nothing to take up again after a restart: what still waits, waits for finalizers of
//! instances, and their removal is a write. Watchers see the same steps, and nobody has to wait for the third.
//!
//! Upstream: apiextensions-apiserver pkg/controller/{status,establish,finalizer}.

mod names;

use api_kinds::custom::{CLEANUP, resources, set_condition};
use api_kinds::write::{Deletion, delete};
use apimachinery::managed::{Manager, track};
use apimachinery::{Status, object};
use jiff::Timestamp;
use serde_json::Value;

use crate::Object;
use crate::object::key;
use crate::request::{Patch, WriteRequest, WriteVerb};
use crate::store::{Change, DEFINITIONS, Done, Entry, Txn};

const VERSION: &str = "apiextensions.k8s.io/v1";
const KIND: &str = "CustomResourceDefinition";

/// Whether these changes can have consequences.
pub(crate) fn concerned(changes: &[Change], custom: bool) -> bool {
    changes.iter().any(|change| &*change.resource == DEFINITIONS || (custom && change.entry.done == Done::Deleted))
}

/// Refuses a write of a resource that went away, or is about to, since the request was read.
///
/// # Errors
/// 404, or 403 for a create.
pub(crate) fn admit(txn: &Txn<'_>, request: &WriteRequest) -> Result<(), Status> {
    let resource = &request.resource;
    if resource.custom.is_none() {
        return Ok(());
    }
    let storage_key = resource.storage_key();
    let Some(definition) = txn.get(DEFINITIONS, &storage_key) else { return Err(Status::no_such_resource()) };
    let name = match &request.verb {
        WriteVerb::Create(body) => object::name(body),
        WriteVerb::Patch(Patch::Apply { .. }, _) if txn.get(&storage_key, &key(&request.namespace, &request.name)).is_none() => {
            &request.name
        }
        _ => return Ok(()),
    };
    if object::deleting(&definition.value()) {
        let why = "create not allowed while custom resource definition is terminating";
        return Err(Status::forbidden(&resource.group_resource(), name, why));
    }
    Ok(())
}

/// Plans everything that follows, until nothing does.
pub(crate) fn settle(txn: &mut Txn<'_>, now: Timestamp) {
    // Each definition takes a handful of steps, and one that goes lets others have its names.
    let most = 8 * (txn.range(DEFINITIONS, "").len() + 1);
    for _ in 0..most {
        let changes = step(txn, now);
        if changes.is_empty() {
            return;
        }
        txn.stage(changes);
    }
}

/// What is to be done next.
fn step(txn: &Txn<'_>, now: Timestamp) -> Vec<Change> {
    let definitions: Vec<(Object, Value)> = txn
        .range(DEFINITIONS, "")
        .into_iter()
        .map(|stored| {
            let value = full(&stored);
            (stored, value)
        })
        .collect();
    for (stored, definition) in &definitions {
        let changes = if object::deleting(definition) {
            finish(txn, stored, definition, now)
        } else {
            let others = definitions.iter().filter(|(other, _)| other.key() != stored.key()).map(|(_, other)| other);
            match names::accept(definition, others, now) {
                Some(new) => vec![modified(txn.version() + 1, stored, definition, new, now)],
                None => Vec::new(),
            }
        };
        if !changes.is_empty() {
            return changes;
        }
    }
    Vec::new()
}

/// Deletes what a definition that is deleted has left, and then takes off the finalizer that held it.
fn finish(txn: &Txn<'_>, stored: &Object, definition: &Value, now: Timestamp) -> Vec<Change> {
    if !object::finalizers(definition).contains(&CLEANUP) {
        return Vec::new();
    }
    let storage_key = stored.name();
    let instances = txn.range(storage_key, "");
    let mut changes = Vec::new();
    if let Some(resource) = resources(definition).into_iter().next() {
        for instance in &instances {
            let version = txn.version() + 1 + changes.len() as u64;
            // Nothing about a custom resource forbids its deletion.
            let (done, last) = match delete(&resource, &instance.value(), None, now) {
                Ok(Deletion::Now) => (Done::Deleted, instance.value()),
                Ok(Deletion::Later(marked)) => (Done::Modified, marked),
                Ok(Deletion::Going) | Err(_) => continue,
            };
            changes.push(change(storage_key, version, done, instance, last));
        }
    }
    if !changes.is_empty() {
        return changes;
    }
    let mut new = definition.clone();
    let version = txn.version() + 1;
    if !instances.is_empty() {
        let why = "CustomResource deletion is in progress";
        set_condition(&mut new, "Terminating", true, "InstanceDeletionInProgress", why, now);
        return if new == *definition { Vec::new() } else { vec![modified(version, stored, definition, new, now)] };
    }
    set_condition(&mut new, "Terminating", false, "InstanceDeletionCompleted", "removed all instances", now);
    let left: Vec<Value> = object::finalizers(definition).into_iter().filter(|name| *name != CLEANUP).map(Value::from).collect();
    if left.is_empty() {
        // Watchers are told of the state before, with the last finalizer.
        return vec![change(DEFINITIONS, version, Done::Deleted, stored, definition.clone())];
    }
    object::metadata(&mut new).insert("finalizers".to_owned(), left.into());
    vec![modified(version, stored, definition, new, now)]
}

/// A new state of a definition, whose status is the server's own writing.
fn modified(version: u64, stored: &Object, old: &Value, mut new: Value, now: Timestamp) -> Change {
    if let Some(schema) = api_kinds::schema(KIND) {
        let manager = Manager { name: "kube-apiserver", subresource: "status", api_version: VERSION, time: now };
        track(Some(old), &mut new, &schema, manager, &[&["spec"]]);
    }
    change(DEFINITIONS, version, Done::Modified, stored, new)
}

fn change(resource: &str, version: u64, done: Done, previous: &Object, mut value: Value) -> Change {
    object::metadata(&mut value).insert("resourceVersion".to_owned(), version.to_string().into());
    let object = Object::encode(value, version);
    Change { resource: resource.into(), entry: Entry { done, object, previous: Some(previous.clone()) } }
}

fn full(stored: &Object) -> Value {
    let mut value = stored.value();
    let fields = object::fields(&mut value);
    fields.insert("kind".to_owned(), KIND.into());
    fields.insert("apiVersion".to_owned(), VERSION.into());
    value
}

#[cfg(test)]
mod tests;
