//! CSINodes.

use std::collections::BTreeSet;

use apimachinery::object::{at, child};
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::{get, list, ordered, same, text};
use super::validation::{self, IMMUTABLE, NEGATIVE, invalid, names};
use crate::Write;

pub(super) const RULES: Rules = Rules { defaults, validate, ..Rules::NONE };

/// QUIRK: no drivers, and no keys, are written as null.
fn defaults(new: &mut Value) {
    let blank = |value: &Value| value.as_array().is_none_or(Vec::is_empty);
    let drivers = child(new, "spec").entry("drivers").or_insert(Value::Null);
    if blank(drivers) {
        *drivers = Value::Null;
    }
    for driver in drivers.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let keys = driver.entry("topologyKeys").or_insert(Value::Null);
        if blank(keys) {
            *keys = Value::Null;
        }
    }
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let drivers = |node| list(at(node, &["spec", "drivers"]));
    let new = drivers(&write.new);
    let mut errors = Vec::new();
    let mut names = BTreeSet::new();
    for (index, driver) in new.iter().enumerate() {
        errors.extend(one(driver, &format!("spec.drivers[{index}]"), &mut names));
    }
    for old in write.old().map(drivers).into_iter().flatten() {
        for new in new.iter().filter(|new| text(new, "name") == text(old, "name")) {
            if ["nodeID", "topologyKeys"].iter().any(|field| !same(old.get(field), new.get(field))) {
                errors.push(FieldError::invalid_shown("spec.drivers", shown(new), IMMUTABLE));
            }
        }
    }
    Ok(errors)
}

fn one<'a>(driver: &'a Value, field: &str, known: &mut BTreeSet<&'a str>) -> Vec<FieldError> {
    const LONGEST_ID: usize = 256;
    let (name, id) = (text(driver, "name"), text(driver, "nodeID"));
    let mut errors = validation::driver_name(name, &format!("{field}.name"));
    let id_field = format!("{field}.nodeID");
    if id.is_empty() {
        errors.push(FieldError::required(id_field, ""));
    } else if id.len() > LONGEST_ID {
        errors.push(FieldError::invalid(id_field, id, format!("must be {LONGEST_ID} characters or less")));
    }
    let count = at(driver, &["allocatable", "count"]).and_then(Value::as_i64);
    if let Some(count) = count.filter(|count| *count < 0) {
        errors.push(FieldError::invalid(format!("{field}.allocatable.count"), count, NEGATIVE));
    }
    if !known.insert(name) {
        errors.push(FieldError::duplicate(format!("{field}.name"), name));
    }
    let mut keys = BTreeSet::new();
    for key in list(driver.get("topologyKeys")).iter().map(|key| key.as_str().unwrap_or_default()) {
        if key.is_empty() {
            errors.push(FieldError::required(field, ""));
        }
        if !keys.insert(key) {
            errors.push(FieldError::duplicate(field, key));
        }
        errors.extend(invalid(field, key, names::qualified(key)));
    }
    errors
}

/// As Go writes the struct, which has no names for JSON. What may change is left out of it.
fn shown(driver: &Value) -> String {
    let keys = get(driver, "topologyKeys").filter(|keys| !list(Some(keys)).is_empty());
    ordered([
        ("Name", Value::from(text(driver, "name")).to_string()),
        ("NodeID", Value::from(text(driver, "nodeID")).to_string()),
        ("TopologyKeys", keys.unwrap_or(&Value::Null).to_string()),
        ("Allocatable", "null".to_owned()),
    ])
}

#[cfg(test)]
mod tests;
