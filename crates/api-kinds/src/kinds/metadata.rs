//! The metadata of any object: what the server owns of it, and what a name, label or finalizer may be.
//!
//! A new object gets its uid, creationTimestamp, resourceVersion and generated name where it is stored. Here, what a client may
//! not say is dropped from a new object and restored in one that is updated.
//!
//! Upstream: apiserver `rest.BeforeCreate`, `rest.BeforeUpdate`; apimachinery `api/validation/objectmeta.go`.

mod owners;

use std::collections::BTreeSet;

use apimachinery::object::{deleting, finalizers, meta, metadata, set};
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::validation::{IMMUTABLE, NEGATIVE, invalid, names, selectors, values};
use crate::{Operation, Resource, Subresource, Write};

pub(crate) fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    if let Some(warning) = owners::dedup(&mut write.new) {
        write.warnings.push(warning);
    }
    let new = metadata(&mut write.new);
    let Operation::Update(old) = write.operation else {
        // QUIRK: an update may set a selfLink.
        for field in ["selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            new.remove(field);
        }
        return Ok(());
    };
    let stored = |field: &str| old.get("metadata").and_then(|meta| values::get(meta, field)).cloned();
    // Kinds that count their changes do so after this.
    set(new, "generation", stored("generation"));
    if new.get("uid").and_then(Value::as_str).is_none_or(str::is_empty) {
        set(new, "uid", stored("uid"));
    }
    for field in ["creationTimestamp", "deletionTimestamp"] {
        if let Some(value) = stored(field) {
            new.insert(field.to_owned(), value);
        }
    }
    if new.get("deletionGracePeriodSeconds").is_none_or(Value::is_null) {
        set(new, "deletionGracePeriodSeconds", stored("deletionGracePeriodSeconds"));
    }
    Ok(())
}

/// Adds a finalizer that is not there yet.
pub(super) fn add_finalizer(object: &mut Value, name: &str) {
    if finalizers(object).contains(&name) {
        return;
    }
    let list = metadata(object).entry("finalizers").or_insert(Value::Null);
    match list {
        Value::Array(finalizers) => finalizers.push(name.into()),
        _ => *list = vec![name].into(),
    }
}

pub(crate) fn validate(write: &Write<'_>) -> Vec<FieldError> {
    let new = &write.new;
    let prefix = meta(new, "generateName");
    let prefix = match prefix {
        "" => Vec::new(),
        _ => invalid("metadata.generateName", prefix, name_rule(write)(&names::without_dash(prefix))),
    };
    let unqualified = if wants_qualified_finalizers(write.resource) { unqualified_finalizers(new) } else { Vec::new() };
    let named = name(write, new);
    let Some(old) = write.old() else {
        return [prefix, named, common(new), unqualified].concat();
    };
    // The order in which a kind looks at its object once more.
    let change_first = ["configmaps", "persistentvolumeclaims", "secrets", "serviceaccounts", "volumeattributesclasses"];
    let rest = if change_first.contains(&write.resource.plural.as_str()) { [unqualified, prefix] } else { [prefix, unqualified] };
    [named, common(new), changes(old, new), rest.concat()].concat()
}

/// What the name of such an object may be. A name that is stored is looked at again only by kinds that look at all of their
/// object again; it cannot change, but the prefix that it came from can.
fn name_rule(write: &Write<'_>) -> fn(&str) -> Vec<String> {
    let kind = (write.resource.group.as_str(), write.resource.plural.as_str());
    let once = match kind {
        ("storage.k8s.io", "csidrivers") | ("coordination.k8s.io", "leases") | ("events.k8s.io", "events") => true,
        ("", "namespaces" | "nodes" | "pods") => true,
        ("storage.k8s.io", "volumeattachments") => false,
        _ => write.resource.custom.is_some() || write.subresource != Subresource::Main,
    };
    match kind {
        _ if once && write.old().is_some() => names::path_segment,
        ("", "events") => names::path_segment,
        ("", "namespaces") => names::label,
        _ => names::subdomain,
    }
}

fn name(write: &Write<'_>, new: &Value) -> Vec<FieldError> {
    let (rule, resource) = (name_rule(write), write.resource);
    let (name, namespace) = (meta(new, "name"), meta(new, "namespace"));
    let mut errors = Vec::new();
    if name.is_empty() {
        errors.push(FieldError::required("metadata.name", "name or generateName is required"));
    } else {
        errors.extend(invalid("metadata.name", name, rule(name)));
    }
    if !resource.namespaced() {
        if !namespace.is_empty() {
            errors.push(FieldError::forbidden("metadata.namespace", "not allowed on this type"));
        }
    } else if namespace.is_empty() {
        errors.push(FieldError::required("metadata.namespace", ""));
    } else {
        errors.extend(invalid("metadata.namespace", namespace, names::label(namespace)));
    }
    errors
}

fn common(new: &Value) -> Vec<FieldError> {
    const ANNOTATIONS: usize = 256 << 10;
    let field = |name: &str| new.get("metadata").and_then(|meta| meta.get(name));
    let mut errors = Vec::new();
    if let Some(generation) = field("generation").and_then(Value::as_i64).filter(|generation| *generation < 0) {
        errors.push(FieldError::invalid("metadata.generation", generation, NEGATIVE));
    }
    errors.extend(selectors::labels(field("labels"), "metadata.labels"));
    let mut size = 0;
    for (key, value) in values::texts(field("annotations")) {
        errors.extend(invalid("metadata.annotations", key, names::qualified(&key.to_lowercase())));
        size += key.len() + value.len();
    }
    if size > ANNOTATIONS {
        errors.push(FieldError::too_long("metadata.annotations", ANNOTATIONS));
    }
    errors.extend(owners::validate(new));
    let finalizers = finalizers(new);
    for name in &finalizers {
        errors.extend(invalid("metadata.finalizers", name, names::qualified(name)));
    }
    if finalizers.contains(&"orphan") && finalizers.contains(&"foregroundDeletion") {
        let both = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid("metadata.finalizers", finalizers, both));
    }
    errors
}

/// What must stay as it was.
fn changes(old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if deleting(old) {
        let before = finalizers(old);
        let added: BTreeSet<&str> = finalizers(new).into_iter().filter(|name| !before.contains(name)).collect();
        if !added.is_empty() {
            let added: Vec<String> = added.into_iter().map(|name| format!("{name:?}")).collect();
            errors.push(FieldError::forbidden(
                "metadata.finalizers",
                format!(
                    "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                    added.join(", ")
                ),
            ));
        }
    }
    for field in ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let of = |object: &Value| object.get("metadata").and_then(|meta| values::get(meta, field)).cloned();
        let (before, after) = (of(old), of(new));
        if !values::same(before.as_ref(), after.as_ref()) {
            errors.push(FieldError::invalid(format!("metadata.{field}"), after.unwrap_or_default(), IMMUTABLE));
        }
    }
    errors
}

/// Leases, core events and everything that a CustomResourceDefinition is behind take any finalizer that could be a label's key.
fn wants_qualified_finalizers(resource: &Resource) -> bool {
    let kind = (resource.group.as_str(), resource.plural.as_str());
    let lenient = [("", "events"), ("apiextensions.k8s.io", "customresourcedefinitions"), ("coordination.k8s.io", "leases")];
    resource.custom.is_none() && !lenient.contains(&kind)
}

fn unqualified_finalizers(new: &Value) -> Vec<FieldError> {
    const STANDARD: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];
    let wrong = |name: &str| !name.contains('/') && !STANDARD.contains(&name);
    let finalizers = finalizers(new).into_iter().enumerate().filter(|(_, name)| wrong(name));
    let detail = "name is neither a standard finalizer name nor is it fully qualified";
    finalizers.map(|(index, name)| FieldError::invalid(format!("metadata.finalizers[{index}]"), name, detail)).collect()
}

#[cfg(test)]
mod tests;
