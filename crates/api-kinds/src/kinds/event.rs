//! Events of the core group.
//!
//! Upstream: `core/validation/events.go`, of which the core group uses the part that is called legacy: what a change may not
//! touch is checked for the other group alone.

use apimachinery::object::{namespace, text};
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::get;
use super::validation::{invalid, names};
use crate::Write;

pub(super) const RULES: Rules = Rules { validate, ..Rules::NONE };

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let new = &write.new;
    let (here, about) = (namespace(new), text(new, &["involvedObject", "namespace"]));
    let mismatch = || FieldError::invalid("involvedObject.namespace", about, "does not match event.namespace");
    let mut errors = Vec::new();
    if get(new, "eventTime").is_none() {
        let agrees = if about.is_empty() { matches!(here, "" | "default") } else { about == here };
        if !agrees {
            errors.push(mismatch());
        }
        return Ok(errors);
    }
    if about.is_empty() && !matches!(here, "default" | "kube-system") {
        errors.push(mismatch());
    }
    let reporter = text(new, &["reportingComponent"]);
    if reporter.is_empty() {
        errors.push(FieldError::required("reportingComponent", ""));
    }
    errors.extend(invalid("reportingComponent", reporter, names::qualified(reporter)));
    for (field, most, needed) in
        [("reportingInstance", 128, true), ("action", 128, true), ("reason", 128, true), ("message", 1024, false)]
    {
        let value = text(new, &[field]);
        if needed && value.is_empty() {
            errors.push(FieldError::required(field, ""));
        }
        if value.len() > most {
            errors.push(FieldError::invalid(field, Value::from(""), format!("can have at most {most} characters")));
        }
    }
    Ok(errors)
}

#[cfg(test)]
mod tests;
