//! PersistentVolumeClaims.
//!
//! What admission does is here as well: the protection finalizer, the default class, and that a claim grows only where its
//! class allows it.
//!
//! Upstream: `registry/core/persistentvolumeclaim/strategy.go`, `api/persistentvolumeclaim/util.go`,
//! `plugin/pkg/admission/storage/*`; `core/validation` from `ValidatePersistentVolumeClaim` on.

mod class;
mod sources;
mod status;
mod update;

use apimachinery::object::{at, child};
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::{fractional, get, list, optional, quantity, quantity_text, text};
use super::validation::{self, NOT_POSITIVE, invalid, names, selectors};
use crate::{Operation, Subresource, Write};

pub(super) const RULES: Rules = Rules { defaults, prepare, validate, ..Rules::NONE };

pub(super) use status::negative;

/// Where a claim's class was written before it had a field.
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";
const REQUEST: [&str; 4] = ["spec", "resources", "requests", "storage"];

fn defaults(new: &mut Value) {
    spec_defaults(new);
    if text(new.get("status").unwrap_or(&Value::Null), "phase").is_empty() {
        child(new, "status").insert("phase".to_owned(), "Pending".into());
    }
    // Times that are not known are written as null.
    let conditions = new.get_mut("status").and_then(|status| status.get_mut("conditions")).and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        for time in ["lastProbeTime", "lastTransitionTime"] {
            condition.entry(time).or_insert(Value::Null);
        }
    }
}

/// The defaults of a claim's `spec`, wherever it stands: in a claim, or in a pod's template for one.
pub(super) fn spec_defaults(claim: &mut Value) {
    let spec = child(claim, "spec");
    if spec.get("volumeMode").is_none_or(Value::is_null) {
        spec.insert("volumeMode".to_owned(), "Filesystem".into());
    }
}

fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    match (write.subresource, write.operation) {
        (Subresource::Main, Operation::Create) => {
            child(&mut write.new, "status").insert("phase".to_owned(), "Pending".into());
            super::metadata::add_finalizer(&mut write.new, "kubernetes.io/pvc-protection");
            class::assign_default(write);
            sources::prepare(&mut write.new, None);
        }
        (Subresource::Main, Operation::Update(old)) => sources::prepare(&mut write.new, Some(old)),
        _ => {}
    }
    Ok(())
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    if write.subresource == Subresource::Status {
        return Ok(status::validate(&write.new));
    }
    let new = &write.new;
    let old = write.old();
    let lenient = old.is_some_and(|old| selectors::selector_is_lenient(at(old, &["spec", "selector"])));
    let any_group = old.is_some_and(sources::names_a_group);
    let spec = new.get("spec").unwrap_or(&Value::Null);
    let mut errors = validate_spec(spec, "spec", lenient, any_group);
    if let Some(old) = old {
        errors.extend(update::validate(old, new));
        // Admission comes after validation upstream: what is wrong is said first.
        if errors.is_empty() && super::metadata::validate(write).is_empty() {
            class::may_grow(write, old)?;
        }
    }
    if errors.is_empty() {
        let warnings = warnings(new);
        write.warnings.extend(warnings);
    }
    Ok(errors)
}

/// What is wrong with a claim's `spec`. `any_selector`, `any_group`: what is stored already need not pass today's rules.
pub(super) fn validate_spec(spec: &Value, field: &str, any_selector: bool, any_group: bool) -> Vec<FieldError> {
    let at_field = |name: &str| format!("{field}.{name}");
    let modes = list(spec.get("accessModes"));
    let mut errors = Vec::new();
    if modes.is_empty() {
        errors.push(FieldError::required(at_field("accessModes"), "at least 1 access mode is required"));
    }
    errors.extend(selectors::label_selector(get(spec, "selector"), &at_field("selector"), any_selector));
    errors.extend(validation::access_modes(modes, &at_field("accessModes")));
    let size = at_field("resources[storage]");
    match at(spec, &["resources", "requests", "storage"]).filter(|request| !request.is_null()) {
        Some(request) if quantity(Some(request)).is_none_or(|size| size <= Default::default()) => {
            errors.push(FieldError::invalid(size, quantity_text(request), NOT_POSITIVE));
        }
        Some(_) => {}
        None => errors.push(FieldError::required(size, "")),
    }
    if let Some(class) = optional(spec, "storageClassName").filter(|class| !class.is_empty()) {
        errors.extend(invalid(&at_field("storageClassName"), class, names::subdomain(class)));
    }
    errors.extend(validation::volume_mode(optional(spec, "volumeMode"), &at_field("volumeMode")));
    errors.extend(sources::validate(spec, field, any_group));
    if let Some(class) = optional(spec, "volumeAttributesClassName").filter(|class| !class.is_empty()) {
        errors.extend(invalid(&at_field("volumeAttributesClassName"), class, names::subdomain(class)));
    }
    errors
}

fn warnings(new: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    if at(new, &["metadata", "annotations", CLASS_ANNOTATION]).is_some() {
        warnings.push(format!(
            "metadata.annotations[{CLASS_ANNOTATION}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    warnings.extend(spec_warnings(new.get("spec").unwrap_or(&Value::Null), "spec"));
    warnings
}

/// What is said about a claim's `spec` that is accepted.
pub(super) fn spec_warnings(spec: &Value, field: &str) -> Vec<String> {
    let fraction = |list: &str| {
        let amount = at(spec, &["resources", list, "storage"])?;
        quantity(Some(amount)).filter(|amount| fractional(*amount))?;
        let amount = quantity_text(amount);
        Some(format!("{field}.resources.{list}[storage]: fractional byte value {amount:?} is invalid, must be an integer"))
    };
    ["requests", "limits"].into_iter().filter_map(fraction).collect()
}

#[cfg(test)]
mod tests;
