//! Events: of the core group, and the same ones in the words of `events.k8s.io`.
//!
//! ```text
//!  core/v1 ───────────────────────> stored ──> gone an hour after its last write (expiry)
//!  events.k8s.io/v1 ── other names ──┘ │
//!                   <── other names ───┘
//! ```
//!
//! Upstream: `core/validation/events.go`. The core group uses the part that is called legacy: what a change may not touch is
//! checked for the other group alone. Errors have the names that are stored, whichever group is written, but for the reporter.

pub mod expiry;
mod strict;

use apimachinery::object::{namespace, text};
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::get;
use super::validation::{invalid, names};
use crate::{View, Write};

pub(super) const RULES: Rules = Rules { validate_first, validate, ..Rules::NONE };

/// The events of the core group in other words.
const EVENTS: View = View {
    group: "",
    version: "v1",
    stored: "Event",
    shown: "events.Event",
    names: &[
        ("count", "deprecatedCount"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("involvedObject", "regarding"),
        ("lastTimestamp", "deprecatedLastTimestamp"),
        ("message", "note"),
        ("reportingComponent", "reportingController"),
        ("source", "deprecatedSource"),
    ],
};

/// The view that this built-in resource is.
pub(crate) fn view(group: &str, plural: &str) -> Option<&'static View> {
    (group == "events.k8s.io" && plural == "events").then_some(&EVENTS)
}

/// Upstream checks for the strict group what the core group asks, then metadata, then the rest.
fn validate_first(write: &Write<'_>) -> Vec<FieldError> {
    let Some(view) = write.resource.view() else { return Vec::new() };
    common(&view.store(write.new.clone()), "reportingController")
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let Some(view) = write.resource.view() else { return Ok(common(&write.new, "reportingComponent")) };
    let new = view.store(write.new.clone());
    Ok(match write.old() {
        None => strict::create(&new),
        Some(old) => strict::update(&view.store(old.clone()), &new),
    })
}

/// What is asked of events whichever group they come through. `reporter`: what that group calls who reports it.
fn common(new: &Value, reporter_field: &str) -> Vec<FieldError> {
    let (here, about) = (namespace(new), text(new, &["involvedObject", "namespace"]));
    let mismatch = || FieldError::invalid("involvedObject.namespace", about, "does not match event.namespace");
    let mut errors = Vec::new();
    if get(new, "eventTime").is_none() {
        let agrees = if about.is_empty() { matches!(here, "" | "default") } else { about == here };
        if !agrees {
            errors.push(mismatch());
        }
        return errors;
    }
    if about.is_empty() && !matches!(here, "default" | "kube-system") {
        errors.push(mismatch());
    }
    let reporter = text(new, &["reportingComponent"]);
    if reporter.is_empty() {
        errors.push(FieldError::required(reporter_field, ""));
    }
    errors.extend(invalid(reporter_field, reporter, names::qualified(reporter)));
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
    errors
}

#[cfg(test)]
mod tests;
