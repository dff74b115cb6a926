//! CSIStorageCapacities.

use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::{get, list, quantity, quantity_text, same, text, texts};
use super::validation::{IMMUTABLE, NEGATIVE, invalid, names, selectors};
use super::volume::deprecated_label;
use crate::Write;

pub(super) const RULES: Rules = Rules { validate, ..Rules::NONE };

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let new = &write.new;
    let topology = get(new, "nodeTopology");
    let lenient = write.old().is_some_and(|old| selectors::selector_is_lenient(get(old, "nodeTopology")));
    let mut errors = selectors::label_selector(topology, "nodeTopology", lenient);
    let class = text(new, "storageClassName");
    errors.extend(invalid("storageClassName", class, names::subdomain(class)));
    if let Some(capacity) = get(new, "capacity").filter(|c| quantity(Some(c)).is_some_and(|c| c < Default::default())) {
        errors.push(FieldError::invalid("capacity", quantity_text(capacity), NEGATIVE));
    }
    if let Some(old) = write.old() {
        // What the driver was asked is what the object is.
        let before = get(old, "nodeTopology");
        if before.is_some() != topology.is_some() || !same(before, topology) {
            let shown = selectors::shown_label_selector(topology);
            errors.push(FieldError::invalid_shown("nodeTopology", shown, IMMUTABLE));
        }
        if text(old, "storageClassName") != class {
            errors.push(FieldError::invalid("storageClassName", class, IMMUTABLE));
        }
    }
    let warnings = if errors.is_empty() { warnings(topology.unwrap_or(&Value::Null)) } else { Vec::new() };
    write.warnings.extend(warnings);
    Ok(errors)
}

fn warnings(topology: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, expression) in list(topology.get("matchExpressions")).iter().enumerate() {
        let key = text(expression, "key");
        let why = deprecated_label(key);
        warnings.extend(why.map(|why| format!("nodeTopology.matchExpressions[{index}].key: {key} is {why}")));
    }
    for (key, _) in texts(topology.get("matchLabels")) {
        warnings.extend(deprecated_label(key).map(|why| format!("nodeTopology.matchLabels.{key}: {why}")));
    }
    warnings
}

#[cfg(test)]
mod tests;
