//! CSIDrivers.

use std::collections::BTreeSet;

use apimachinery::object::child;
use apimachinery::{FieldError, Status};
use serde_json::{Value, json};

use super::rules::{Rules, bump};
use super::validation::IMMUTABLE;
use super::validation::values::{get, list, optional, same, text};
use crate::{Operation, Write};

pub(super) const RULES: Rules = Rules { defaults, prepare, validate, ..Rules::NONE };

fn defaults(new: &mut Value) {
    let spec = child(new, "spec");
    let defaults = [
        ("attachRequired", json!(true)),
        ("podInfoOnMount", json!(false)),
        ("volumeLifecycleModes", json!(["Persistent"])),
        ("storageCapacity", json!(false)),
        ("fsGroupPolicy", json!("ReadWriteOnceWithFSType")),
        ("requiresRepublish", json!(false)),
        ("seLinuxMount", json!(false)),
    ];
    for (field, value) in defaults {
        if spec.get(field).is_none_or(|known| known.is_null() || known.as_array().is_some_and(Vec::is_empty)) {
            spec.insert(field.to_owned(), value);
        }
    }
}

/// The first change of the spec makes generation 1; until then there is none.
fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    // Belongs to a feature that is off.
    child(&mut write.new, "spec").remove("preventPodSchedulingIfMissing");
    if let Operation::Update(old) = write.operation
        && !same(old.get("spec"), write.new.get("spec"))
    {
        bump(&mut write.new);
    }
    Ok(())
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let null = Value::Null;
    let spec = write.new.get("spec").unwrap_or(&null);
    let old = write.old().map(|old| old.get("spec").unwrap_or(&null));
    let mut errors = Vec::new();
    for (field, name) in
        [("attachRequired", "attachedRequired"), ("podInfoOnMount", "podInfoOnMount"), ("storageCapacity", "storageCapacity")]
    {
        if get(spec, field).is_none() {
            errors.push(FieldError::required(format!("spec.{name}"), ""));
        }
    }
    const POLICIES: [&str; 3] = ["File", "None", "ReadWriteOnceWithFSType"];
    if let Some(policy) = optional(spec, "fsGroupPolicy").filter(|policy| !POLICIES.contains(policy)) {
        errors.push(FieldError::not_supported("spec.fsGroupPolicy", policy, &POLICIES));
    }
    let requests = list(spec.get("tokenRequests"));
    errors.extend(token_requests(requests));
    const MODES: [&str; 2] = ["Persistent", "Ephemeral"];
    for mode in list(spec.get("volumeLifecycleModes")).iter().map(|mode| mode.as_str().unwrap_or_default()) {
        if !MODES.contains(&mode) {
            errors.push(FieldError::not_supported("spec.volumeLifecycleModes", mode, &MODES));
        }
    }
    if get(spec, "seLinuxMount").is_none() {
        errors.push(FieldError::required("spec.seLinuxMount", ""));
    }
    let period = get(spec, "nodeAllocatableUpdatePeriodSeconds").and_then(Value::as_i64);
    if let Some(period) = period.filter(|period| *period < 10) {
        let detail = "must be greater than or equal to 10 seconds";
        errors.push(FieldError::invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, detail));
    }
    if let Some(in_secrets) = get(spec, "serviceAccountTokenInSecrets").filter(|_| requests.is_empty()) {
        let detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
        errors.push(FieldError::invalid("spec.serviceAccountTokenInSecrets", in_secrets.clone(), detail));
    }
    if let Some(old) = old {
        // QUIRK: upstream spells the first one so.
        for (field, name) in [("attachRequired", "attachedRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")] {
            if !same(old.get(field), spec.get(field)) {
                let value = spec.get(field).cloned().unwrap_or_default();
                errors.push(FieldError::invalid(format!("spec.{name}"), value, IMMUTABLE));
            }
        }
    }
    let tokens_are_new = old.is_none_or(|old| !same(old.get("tokenRequests"), spec.get("tokenRequests")));
    let undecided = get(spec, "serviceAccountTokenInSecrets").is_none();
    if errors.is_empty() && tokens_are_new && !requests.is_empty() && undecided {
        write.warnings.push(
            "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging \
             of tokens in volume attributes"
                .to_owned(),
        );
    }
    Ok(errors)
}

/// Each audience once, for at least ten minutes.
fn token_requests(requests: &[Value]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut audiences = BTreeSet::new();
    for (index, request) in requests.iter().enumerate() {
        let field = format!("spec.tokenRequests[{index}]");
        let audience = text(request, "audience");
        if !audiences.insert(audience) {
            errors.push(FieldError::duplicate(format!("{field}.audience"), audience));
            continue;
        }
        let seconds = get(request, "expirationSeconds").and_then(Value::as_i64);
        let wrong = match seconds {
            Some(..600) => "may not specify a duration less than 10 minutes",
            Some(0x1_0000_0001..) => "may not specify a duration larger than 2^32 seconds",
            _ => continue,
        };
        errors.push(FieldError::invalid(format!("{field}.expirationSeconds"), seconds, wrong));
    }
    errors
}

#[cfg(test)]
mod tests;
