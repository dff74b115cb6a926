//! Owner references: each once, complete, and one controller among them.

use apimachinery::FieldError;
use apimachinery::object::{at, metadata};
use serde_json::Value;

use crate::kinds::validation::values::{list, listed, members, same, text};

const FIELD: &str = "metadata.ownerReferences";
const ORDER: [&str; 6] = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];

/// Drops references that are there already. Answers with the warning, if there were any.
pub(super) fn dedup(object: &mut Value) -> Option<String> {
    let references = list(at(object, &["metadata", "ownerReferences"]));
    let (mut kept, mut dropped) = (Vec::<Value>::new(), Vec::new());
    for reference in references {
        if kept.iter().any(|known| same(Some(known), Some(reference))) {
            dropped.push(text(reference, "uid"));
        } else {
            kept.push(reference.clone());
        }
    }
    if dropped.is_empty() {
        return None;
    }
    let warning = format!(
        ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such \
         requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
        dropped.join(", ")
    );
    metadata(object).insert("ownerReferences".to_owned(), kept.into());
    Some(warning)
}

pub(super) fn validate(object: &Value) -> Vec<FieldError> {
    let references = list(at(object, &["metadata", "ownerReferences"]));
    let mut errors = Vec::new();
    let mut controller: Option<String> = None;
    for reference in references {
        errors.extend(one(reference));
        if reference.get("controller").and_then(Value::as_bool) != Some(true) {
            continue;
        }
        let this = format!("{}/{}", text(reference, "kind"), text(reference, "name"));
        match &controller {
            Some(first) => {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                );
                errors.push(FieldError::invalid_shown(FIELD, listed(references.iter().map(shown)), detail));
            }
            None => controller = Some(this),
        }
    }
    errors
}

fn one(reference: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (api_version, kind) = (text(reference, "apiVersion"), text(reference, "kind"));
    let group_version = match api_version.split('/').collect::<Vec<_>>()[..] {
        [version] => ("", version),
        [group, version] => (group, version),
        _ => ("", ""),
    };
    if group_version.1.is_empty() {
        errors.push(FieldError::invalid(format!("{FIELD}.apiVersion"), api_version, "version must not be empty"));
    }
    for field in ["kind", "name", "uid"] {
        if text(reference, field).is_empty() {
            errors.push(FieldError::invalid(format!("{FIELD}.{field}"), "", "must not be empty"));
        }
    }
    if (group_version, kind) == (("", "v1"), "Event") {
        let detail = "/v1, Kind=Event is disallowed from being an owner";
        errors.push(FieldError::invalid_shown(FIELD, shown(reference), detail));
    }
    errors
}

fn shown(reference: &Value) -> String {
    members(reference, &ORDER)
}
