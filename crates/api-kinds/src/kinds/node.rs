//! Nodes.
//!
//! Not checked: kubelet configuration sources (an empty one is kept), swap status, declared features, and the annotations that taints once were.
//!
//! Upstream: `registry/core/node/strategy.go`, `core/validation` from `ValidateNode` on, `core/v1/conversion.go` for the pod
//! ranges; the taint is the NodeTaintNodesByCondition plugin's.

mod cidr;

use std::collections::BTreeSet;

use apimachinery::object::{at, child};
use apimachinery::{FieldError, Status};
use serde_json::{Value, json};

use super::pod::value_errors;
use super::rules::Rules;
use super::validation::values::{get, list, members, optional, ordered, text, texts};
use super::validation::{invalid, names};
use crate::{Operation, Write};

pub(super) const RULES: Rules = Rules { defaults, prepare, validate, status_on_create: true, ..Rules::NONE };

const NOT_READY: &str = "node.kubernetes.io/not-ready";

fn defaults(new: &mut Value) {
    // One range by its old name is the first of several by the new one.
    let spec = child(new, "spec");
    let first = spec.get("podCIDR").and_then(Value::as_str).filter(|range| !range.is_empty()).map(str::to_owned);
    let ranges = list(spec.get("podCIDRs")).to_vec();
    match (first, ranges.first().and_then(Value::as_str)) {
        (Some(first), known) if known != Some(&first) => {
            spec.insert("podCIDRs".to_owned(), json!([first]));
        }
        (None, Some(known)) => {
            spec.insert("podCIDR".to_owned(), known.into());
        }
        _ => {}
    }
    let status = child(new, "status");
    if status.get("allocatable").is_none_or(Value::is_null)
        && let Some(capacity) = status.get("capacity").cloned()
    {
        status.insert("allocatable".to_owned(), capacity);
    }
}

/// A new node takes no pods until it is known to be ready.
fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    if write.operation != Operation::Create {
        return Ok(());
    }
    let spec = child(&mut write.new, "spec");
    let mut taints = list(spec.get("taints")).to_vec();
    if !taints.iter().any(|taint| text(taint, "key") == NOT_READY && text(taint, "effect") == "NoSchedule") {
        taints.push(json!({"key": NOT_READY, "effect": "NoSchedule"}));
        spec.insert("taints".to_owned(), taints.into());
    }
    Ok(())
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let (new, null) = (&write.new, Value::Null);
    let spec = new.get("spec").unwrap_or(&null);
    let mut changes = Vec::new();
    if let Some(old) = write.old() {
        changes.extend(addresses(new));
        changes.extend(kept(old.get("spec").unwrap_or(&null), spec));
    }
    // QUIRK: taints are told to be in the metadata.
    let taints = taints(list(spec.get("taints")), "metadata.taints");
    let mut errors = taints;
    errors.extend(amounts(new));
    errors.extend(cidr::validate(list(spec.get("podCIDRs")), "spec.podCIDRs"));
    errors.extend(changes);
    Ok(errors)
}

/// The taints of a node.
fn taints(taints: &[Value], field: &str) -> Vec<FieldError> {
    const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for (index, taint) in taints.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let (key, value, effect) = (text(taint, "key"), text(taint, "value"), text(taint, "effect"));
        errors.extend(invalid(&format!("{field}.key"), key, names::qualified(key)));
        let wrong = names::label_value(value);
        if !wrong.is_empty() {
            errors.push(FieldError::invalid(format!("{field}.value"), value, wrong.join(";")));
        }
        if effect.is_empty() {
            errors.push(FieldError::required(format!("{field}.effect"), ""));
        } else if !EFFECTS.contains(&effect) {
            errors.push(FieldError::not_supported(format!("{field}.effect"), effect, &EFFECTS));
        }
        if !seen.insert((key, effect)) {
            let shown =
                [("Key", key), ("Value", value), ("Effect", effect)].map(|(name, text)| (name, Value::from(text).to_string()));
            let time = get(taint, "timeAdded").unwrap_or(&Value::Null).to_string();
            let shown = ordered(shown.into_iter().chain([("TimeAdded", time)]));
            let mut twice = FieldError::duplicate_shown(field, shown);
            twice.detail = "taints must be unique by key and effect pair".to_owned();
            errors.push(twice);
        }
    }
    errors
}

/// What is wrong with the node's amounts.
fn amounts(new: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for list in ["capacity", "allocatable"] {
        for (name, _) in texts(at(new, &["status", list])) {
            let Some(amount) = at(new, &["status", list, name]) else { continue };
            errors.extend(value_errors(name, amount, &format!("status.{list}.{name}")));
        }
    }
    errors
}

fn addresses(new: &Value) -> Vec<FieldError> {
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    for (index, address) in list(at(new, &["status", "addresses"])).iter().enumerate() {
        let (kind, value) = (text(address, "type"), text(address, "address"));
        if !seen.insert((kind, value)) {
            let shown = members(&json!({"Type": kind, "Address": value}), &["Type", "Address"]);
            errors.push(FieldError::duplicate_shown(format!("status.addresses[{index}]"), shown));
        }
    }
    errors
}

/// What of a node is said once.
fn kept(old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (before, after) = (list(old.get("podCIDRs")), list(new.get("podCIDRs")));
    if !before.is_empty() {
        let changed = if before.len() == after.len() { before.iter().zip(after).filter(|(a, b)| a != b).count() } else { 1 };
        let detail = "node updates may not change podCIDR except from \"\" to valid";
        errors.extend((0..changed).map(|_| FieldError::forbidden("spec.podCIDRs", detail)));
    }
    if !text(old, "providerID").is_empty() && text(old, "providerID") != text(new, "providerID") {
        let detail = "node updates may not change providerID except from \"\" to valid";
        errors.push(FieldError::forbidden("spec.providerID", detail));
    }
    if optional(old, "externalID").unwrap_or_default() != optional(new, "externalID").unwrap_or_default() {
        errors.push(FieldError::forbidden("spec.externalID", "may not be updated"));
    }
    errors
}

#[cfg(test)]
mod tests;
