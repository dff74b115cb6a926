//! A claim's `status`: how big the volume is, and how far its growing is.

use apimachinery::FieldError;
use serde_json::Value;

use crate::kinds::validation::values::{get, quantity, quantity_text};
use crate::kinds::validation::{invalid, names};

const STATES: [&str; 5] = [
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
];

pub(super) fn validate(new: &Value) -> Vec<FieldError> {
    let Some(status) = new.get("status") else { return Vec::new() };
    let entries = |field: &str| get(status, field).and_then(Value::as_object).into_iter().flatten();
    let mut errors: Vec<FieldError> =
        entries("capacity").filter_map(|(key, amount)| negative(amount, &format!("status.capacity[{key}]"))).collect();
    for (key, state) in entries("allocatedResourceStatuses") {
        let field = "status.allocatedResourceStatuses";
        errors.extend(resource(key, field));
        if !STATES.contains(&state.as_str().unwrap_or_default()) {
            // QUIRK: the key is shown, not the state.
            errors.push(FieldError::not_supported(field, key.as_str(), &STATES));
        }
    }
    for (key, amount) in entries("allocatedResources") {
        let wrong = resource(key, "status.allocatedResources");
        if wrong.is_empty() {
            errors.extend(negative(amount, &format!("status.allocatedResources[{key}]")));
        }
        errors.extend(wrong);
    }
    errors
}

/// `storage`, or something of another domain.
fn resource(key: &str, field: &str) -> Vec<FieldError> {
    let errors = invalid(field, key, names::qualified(key));
    let native = !key.contains('/') || key.contains("kubernetes.io/");
    if errors.is_empty() && native && key != "storage" {
        return vec![FieldError::not_supported(field, key, &["storage"])];
    }
    errors
}

/// An amount below zero, shown in whole bytes.
pub(in crate::kinds) fn negative(amount: &Value, field: &str) -> Option<FieldError> {
    let below = quantity(Some(amount)).is_some_and(|amount| amount < Default::default());
    below.then(|| {
        let size = quantity(Some(&quantity_text(amount).trim_start_matches('-').into()));
        let bytes = size.and_then(|size| size.bytes().ok()).map_or(i64::MIN, |size| -i64::try_from(size.0).unwrap_or(i64::MAX));
        FieldError::invalid(field, bytes, "must be a valid resource quantity")
    })
}
