//! What of a claim can change: almost nothing.

use std::collections::BTreeMap;

use apimachinery::FieldError;
use apimachinery::object::{at, text};
use csi_types::Quantity;
use serde_json::Value;

use super::{CLASS_ANNOTATION, REQUEST, sources};
use crate::kinds::validation::IMMUTABLE;
use crate::kinds::validation::values::{get, quantity, same};

const FROZEN: &str = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

pub(super) fn validate(old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let annotation =
        |claim: &Value| at(claim, &["metadata", "annotations", CLASS_ANNOTATION]).and_then(Value::as_str).map(str::to_owned);
    let (old_annotation, new_annotation) = (annotation(old), annotation(new));
    let class = Classes { old: field(old, "storageClassName"), new: field(new, "storageClassName") };
    let moved = class.moved_from(old_annotation.as_deref(), new_annotation.as_deref());
    if !moved && old_annotation.as_deref().unwrap_or_default() != new_annotation.as_deref().unwrap_or_default() {
        let path = format!("metadata.annotations.{CLASS_ANNOTATION}");
        errors.push(FieldError::invalid(path, new_annotation.clone().unwrap_or_default(), IMMUTABLE));
    }
    let class_may_change = moved || class.given_once(old_annotation.as_deref());
    if !spec_is_kept(old, new, class_may_change) {
        // Upstream shows a diff of Go structs after this, which has no counterpart here.
        errors.push(FieldError::forbidden("spec", FROZEN));
    }
    let size = |claim: &Value, path: &[&str]| quantity(at(claim, path)).unwrap_or_default();
    let wanted = size(new, &REQUEST);
    if wanted < size(old, &REQUEST) && wanted <= size(old, &["status", "capacity", "storage"]) {
        errors.push(FieldError::forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
    }
    if field(old, "volumeMode") != field(new, "volumeMode") {
        errors.push(FieldError::invalid("volumeMode", field(new, "volumeMode").cloned().unwrap_or_default(), IMMUTABLE));
    }
    errors.extend(attributes_class(old, new));
    errors
}

/// Once the volume has attributes of a class, the claim goes on naming one.
fn attributes_class(old: &Value, new: &Value) -> Option<FieldError> {
    const FIELD: &str = "volumeAttributesClassName";
    let applied = old.get("status").is_some_and(|status| get(status, "currentVolumeAttributesClassName").is_some());
    if !applied || field(old, FIELD) == field(new, FIELD) {
        return None;
    }
    let refused = |what: &str| {
        let detail = format!("update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil");
        Some(FieldError::forbidden(format!("spec.{FIELD}"), detail))
    };
    match field(new, FIELD).map(|class| class.as_str().unwrap_or_default()) {
        None => refused("nil"),
        Some("") => refused("empty string"),
        Some(_) => None,
    }
}

fn field<'a>(claim: &'a Value, name: &str) -> Option<&'a Value> {
    claim.get("spec").and_then(|spec| get(spec, name))
}

/// The class before and after.
struct Classes<'a> {
    old: Option<&'a Value>,
    new: Option<&'a Value>,
}

impl Classes<'_> {
    /// From the annotation into the field, unchanged.
    fn moved_from(&self, old: Option<&str>, new: Option<&str>) -> bool {
        let Some(old) = old else { return false };
        self.old.is_none() && self.new.and_then(Value::as_str) == Some(old) && new.is_none_or(|new| new == old)
    }

    /// From none to one.
    fn given_once(&self, annotation: Option<&str>) -> bool {
        self.old.is_none() && self.new.is_some_and(|new| annotation.is_none_or(|old| new.as_str() == Some(old)))
    }
}

/// Whether the spec is as it was, but for what may change: a volume's name once, a class once, and, while the claim is bound,
/// the size and the attributes class.
fn spec_is_kept(old: &Value, new: &Value, class_may_change: bool) -> bool {
    let bound = text(new, &["status", "phase"]) == "Bound";
    let spec = |claim: &Value| {
        let mut spec = claim.get("spec").cloned().unwrap_or_default();
        sources::normalise(apimachinery::object::fields(&mut spec));
        spec
    };
    let (mut before, mut after) = (spec(old), spec(new));
    let mut take = |name: &str| {
        let of = |spec: &mut Value| apimachinery::object::fields(spec).remove(name).filter(|value| !value.is_null());
        (of(&mut before), of(&mut after))
    };
    let volume = take("volumeName");
    let class = take("storageClassName");
    let attributes = take("volumeAttributesClassName");
    let selector = take("selector");
    let resources = take("resources");
    (volume.0.as_ref().and_then(Value::as_str).is_none_or(str::is_empty) || volume.0 == volume.1)
        && (class_may_change || class.0 == class.1)
        && (bound || attributes.0 == attributes.1)
        && selector.0.is_some() == selector.1.is_some()
        && same(selector.0.as_ref(), selector.1.as_ref())
        && same_resources(resources.0.unwrap_or_default(), resources.1.unwrap_or_default(), bound)
        && same(Some(&before), Some(&after))
}

/// Whether as much is asked for, in whatever spelling. Of a bound claim the size may differ, if there is one.
fn same_resources(mut before: Value, mut after: Value, bound: bool) -> bool {
    if bound && get(&after, "requests").is_some() {
        for resources in [&mut before, &mut after] {
            resources.get_mut("requests").and_then(Value::as_object_mut).and_then(|requests| requests.remove("storage"));
        }
    }
    ["requests", "limits"].iter().all(|list| {
        let amounts = |resources: &Value| -> BTreeMap<String, Option<Quantity>> {
            let amounts = resources.get(*list).and_then(Value::as_object).into_iter().flatten();
            amounts.map(|(key, amount)| (key.clone(), quantity(Some(amount)))).collect()
        };
        amounts(&before) == amounts(&after)
    })
}
