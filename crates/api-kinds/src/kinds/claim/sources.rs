//! `dataSource` and `dataSourceRef`: two spellings of what a volume is filled with.
//!
//! Upstream: KEP 1495.

use apimachinery::FieldError;
use apimachinery::object::child;
use serde_json::{Map, Value};

use crate::kinds::validation::values::{get, text};
use crate::kinds::validation::{invalid, names};

/// Drops what is ignored, and writes what is left in both spellings.
pub(super) fn prepare(claim: &mut Value, old: Option<&Value>) {
    let old = old.and_then(|old| old.get("spec"));
    let had = |field: &str| old.is_some_and(|old| get(old, field).is_some());
    let (had_source, had_ref) = (had("dataSource"), had("dataSourceRef"));
    let spec = child(claim, "spec");
    spec.retain(|field, value| !(value.is_null() && field.starts_with("dataSource")));
    // Other namespaces are a feature that is off.
    if !had_ref && spec.get("dataSourceRef").is_some_and(|source| !text(source, "namespace").is_empty()) {
        spec.remove("dataSourceRef");
    }
    if !had_source && !had_ref && !spec.contains_key("dataSourceRef") && !spec.get("dataSource").is_some_and(is_old_kind) {
        spec.remove("dataSource");
    }
    normalise(spec);
}

/// What `dataSource` alone may name.
fn is_old_kind(source: &Value) -> bool {
    matches!(
        (text(source, "apiGroup"), text(source, "kind")),
        ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
    )
}

/// Each spelling from the other. The core group is written as null.
pub(super) fn normalise(spec: &mut Map<String, Value>) {
    let copy = |source: &Value| {
        let fields = ["apiGroup", "kind", "name"];
        Value::Object(fields.iter().map(|field| ((*field).to_owned(), source.get(*field).cloned().unwrap_or_default())).collect())
    };
    match (spec.get("dataSource"), spec.get("dataSourceRef")) {
        (Some(source), None) => {
            let copy = copy(source);
            spec.insert("dataSourceRef".to_owned(), copy);
        }
        (None, Some(source)) if text(source, "namespace").is_empty() => {
            let copy = copy(source);
            spec.insert("dataSource".to_owned(), copy);
        }
        _ => {}
    }
    for field in ["dataSource", "dataSourceRef"] {
        if let Some(source) = spec.get_mut(field).and_then(Value::as_object_mut) {
            source.entry("apiGroup").or_insert(Value::Null);
        }
    }
}

/// Whether a stored claim's source has a group, which is then not looked at any more.
pub(super) fn names_a_group(claim: &Value) -> bool {
    let named = |field: &str| claim.get("spec").and_then(|spec| get(spec, field)).is_some_and(|s| get(s, "apiGroup").is_some());
    named("dataSource") || named("dataSourceRef")
}

pub(super) fn validate(spec: &Value, field: &str, any_group: bool) -> Vec<FieldError> {
    let (source, reference) = (get(spec, "dataSource"), get(spec, "dataSourceRef"));
    let mut errors = Vec::new();
    for (name, source) in [("dataSource", source), ("dataSourceRef", reference)] {
        if let Some(source) = source {
            errors.extend(one(source, &format!("{field}.{name}"), any_group));
        }
    }
    // Upstream shows the path as the value, and a path has nothing to show.
    let wrong = |detail: &str| FieldError::invalid_shown(field, "{}", detail);
    match (source, reference) {
        (Some(_), Some(reference)) if !text(reference, "namespace").is_empty() => {
            errors.push(wrong("may not be specified when dataSourceRef.namespace is specified"));
        }
        (Some(source), Some(reference)) => {
            let equal = ["apiGroup", "kind", "name"].iter().all(|field| get(source, field) == get(reference, field));
            if !equal {
                errors.push(wrong("must match dataSourceRef"));
            }
        }
        _ => {}
    }
    errors
}

fn one(source: &Value, field: &str, any_group: bool) -> Vec<FieldError> {
    let (group, kind) = (text(source, "apiGroup"), text(source, "kind"));
    let mut errors = Vec::new();
    for name in ["name", "kind"] {
        if text(source, name).is_empty() {
            errors.push(FieldError::required(format!("{field}.{name}"), ""));
        }
    }
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        errors.push(FieldError::invalid(field, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup"));
    }
    if !group.is_empty() && !any_group {
        errors.extend(invalid(&format!("{field}.apiGroup"), group, names::subdomain(group)));
    }
    let namespace = text(source, "namespace");
    if !namespace.is_empty() {
        errors.extend(invalid(&format!("{field}.namespace"), namespace, names::label(namespace)));
    }
    errors
}
