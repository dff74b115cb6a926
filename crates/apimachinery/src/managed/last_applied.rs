//! What `kubectl apply` wrote down before it applied on the server's side, so that it can be taken over.
//!
//! Upstream: apimachinery managedfields/internal/lastapplied*.go.

use serde_json::Value;

use super::build;
use super::compare::compare;
use super::set::Set;
use crate::{Schema, object};

/// The manager that takes over. Any other is on its own.
pub(super) const KUBECTL: &str = "kubectl";

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How long all annotations may be together, in bytes.
const LONGEST: usize = 256 * 1024;

/// The fields that were applied and that nobody has changed since. `None`: nothing was, or not in this version.
pub(super) fn fields(live: &Value, api_version: &str, schema: &Schema) -> Option<Set> {
    let applied: Value = serde_json::from_str(object::text(live, &["metadata", "annotations", ANNOTATION])).ok()?;
    if object::text(&applied, &["apiVersion"]) != api_version || schema.check_typed(&applied).is_err() {
        return None;
    }
    let changes = compare(&applied, live, schema);
    let fields = build::fields(&applied, Some(schema));
    Some(fields.difference(&changes.set()).difference(&changes.removed))
}

/// Writes down the configuration where one is written down already.
pub(super) fn update(object: &mut Value, config: &Value) {
    if object::text(object, &["metadata", "annotations", ANNOTATION]).is_empty() {
        return;
    }
    let mut config = config.clone();
    if let Some(Value::Object(annotations)) = object::metadata(&mut config).get_mut("annotations") {
        annotations.remove(ANNOTATION);
    }
    // Go's encoder escapes what HTML would read, and ends the line.
    let text = config.to_string().replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e") + "\n";
    let Some(Value::Object(annotations)) = object::metadata(object).get_mut("annotations") else { return };
    annotations.insert(ANNOTATION.to_owned(), text.into());
    let length: usize = annotations.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    if length > LONGEST {
        annotations.remove(ANNOTATION);
    }
}
