//! Leases.

use apimachinery::object::child;
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::NEGATIVE;
use super::validation::values::get;
use crate::Write;

pub(super) const RULES: Rules = Rules { defaults, prepare, validate, ..Rules::NONE };

/// There is always a spec, be it empty.
fn defaults(new: &mut Value) {
    child(new, "spec");
}

/// How a lease is to be won belongs to a feature that is off.
fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    let spec = child(&mut write.new, "spec");
    spec.remove("strategy");
    spec.remove("preferredHolder");
    Ok(())
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let spec = write.new.get("spec").unwrap_or(&Value::Null);
    let number = |field: &str| get(spec, field).and_then(Value::as_i64);
    let mut errors = Vec::new();
    if let Some(seconds) = number("leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
        errors.push(FieldError::invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
    }
    if let Some(transitions) = number("leaseTransitions").filter(|transitions| *transitions < 0) {
        errors.push(FieldError::invalid("spec.leaseTransitions", transitions, NEGATIVE));
    }
    Ok(errors)
}

#[cfg(test)]
mod tests;
