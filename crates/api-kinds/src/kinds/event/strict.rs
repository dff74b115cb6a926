//! What `events.k8s.io` asks beyond the core group. Objects are as they are stored.

use apimachinery::FieldError;
use apimachinery::object::{at, text};
use serde_json::Value;

use crate::kinds::validation::IMMUTABLE;
use crate::kinds::validation::values::{get, ordered, same};

/// What a new event must have, and the fields of old that it must not have.
pub(super) fn create(new: &Value) -> Vec<FieldError> {
    let mut errors = series(new);
    if get(new, "eventTime").is_none() {
        errors.push(FieldError::required("eventTime", ""));
    }
    let kind = text(new, &["type"]);
    if !matches!(kind, "Normal" | "Warning") {
        errors.push(FieldError::invalid("type", "", format!("has invalid value: {kind}")));
    }
    let source = ["component", "host"].iter().any(|field| !text(new, &["source", field]).is_empty());
    let set = [
        ("firstTimestamp", get(new, "firstTimestamp").is_some()),
        ("lastTimestamp", get(new, "lastTimestamp").is_some()),
        ("count", count(new) != 0),
        ("source", source),
    ];
    errors.extend(set.iter().filter(|(_, set)| *set).map(|(field, _)| FieldError::invalid(*field, "", "needs to be unset")));
    errors
}

/// All but labels, annotations and the series stays as it was.
pub(super) fn update(old: &Value, new: &Value) -> Vec<FieldError> {
    let mut errors = if get(old, "series") == get(new, "series") { Vec::new() } else { series(new) };
    // The reason is looked at twice, and so is told twice.
    const FIELDS: [&str; 14] = [
        "involvedObject",
        "reason",
        "message",
        "source",
        "firstTimestamp",
        "lastTimestamp",
        "count",
        "reason",
        "type",
        "eventTime",
        "action",
        "related",
        "reportingComponent",
        "reportingInstance",
    ];
    for field in FIELDS.into_iter().filter(|field| !same(get(old, field), get(new, field))) {
        let name = if field == "reportingComponent" { "reportingController" } else { field };
        errors.push(FieldError::invalid_shown(name, shown(field, new), IMMUTABLE));
    }
    errors
}

/// A series is two events or more.
fn series(new: &Value) -> Vec<FieldError> {
    let Some(series) = get(new, "series") else { return Vec::new() };
    let mut errors = Vec::new();
    if count(series) < 2 {
        errors.push(FieldError::invalid("series.count", "", "should be at least 2"));
    }
    if get(series, "lastObservedTime").is_none() {
        errors.push(FieldError::required("series.lastObservedTime", ""));
    }
    errors
}

fn count(value: &Value) -> i64 {
    get(value, "count").and_then(Value::as_i64).unwrap_or_default()
}

/// A field's value, as Go writes it.
fn shown(field: &str, event: &Value) -> String {
    let members = |names: &[(&'static str, &str)]| {
        ordered(names.iter().map(|&(go, name)| (go, Value::from(text(event, &[field, name])).to_string())))
    };
    match (field, get(event, field)) {
        ("related", None) | ("firstTimestamp" | "lastTimestamp" | "eventTime", None) => "null".to_owned(),
        ("involvedObject" | "related", _) => members(&[
            ("Kind", "kind"),
            ("Namespace", "namespace"),
            ("Name", "name"),
            ("UID", "uid"),
            ("APIVersion", "apiVersion"),
            ("ResourceVersion", "resourceVersion"),
            ("FieldPath", "fieldPath"),
        ]),
        ("source", _) => members(&[("Component", "component"), ("Host", "host")]),
        ("count", _) => count(event).to_string(),
        _ => at(event, &[field]).cloned().unwrap_or_else(|| "".into()).to_string(),
    }
}
