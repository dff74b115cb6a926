//! StorageClasses.

use apimachinery::object::fields;
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::{get, list, optional, same, same_map, text};
use super::validation::{self, IMMUTABLE, selectors};
use super::volume::deprecated_label;
use crate::Write;

pub(super) const RULES: Rules = Rules { defaults, validate, ..Rules::NONE };

fn defaults(new: &mut Value) {
    let class = fields(new);
    for (field, value) in [("reclaimPolicy", "Delete"), ("volumeBindingMode", "Immediate")] {
        if class.get(field).is_none_or(Value::is_null) {
            class.insert(field.to_owned(), value.into());
        }
    }
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let new = &write.new;
    let mut errors = validation::provisioner(text(new, "provisioner"), "provisioner");
    errors.extend(validation::parameters(new.get("parameters"), false, "parameters"));
    // QUIRK: no policy at all passes.
    errors.extend(one_of(new, "reclaimPolicy", &["Delete", "Retain", ""], &["Delete", "Retain"]));
    if get(new, "volumeBindingMode").is_none() {
        errors.push(FieldError::required("volumeBindingMode", ""));
    }
    let modes = ["Immediate", "WaitForFirstConsumer"];
    errors.extend(one_of(new, "volumeBindingMode", &modes, &modes));
    let topologies = list(new.get("allowedTopologies"));
    errors.extend(selectors::topologies(topologies, "allowedTopologies"));
    if let Some(old) = write.old() {
        for field in ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] {
            let value = new.get(field);
            let same = if field == "parameters" { same_map } else { same };
            if !same(old.get(field), value) {
                let blank = value.and_then(Value::as_object).is_some_and(|map| map.is_empty());
                let shown = value.filter(|_| !blank).cloned();
                let shown = shown.unwrap_or_else(|| if field == "provisioner" { "".into() } else { Value::Null });
                errors.push(FieldError::invalid(field, shown, IMMUTABLE));
            }
        }
    }
    let warnings = if errors.is_empty() { warnings(topologies) } else { Vec::new() };
    write.warnings.extend(warnings);
    Ok(errors)
}

fn one_of(class: &Value, field: &str, accepted: &[&str], named: &[&str]) -> Option<FieldError> {
    let value = optional(class, field)?;
    (!accepted.contains(&value)).then(|| FieldError::not_supported(field, value, named))
}

fn warnings(topologies: &[Value]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, term) in topologies.iter().enumerate() {
        for (number, expression) in list(term.get("matchLabelExpressions")).iter().enumerate() {
            if let Some(why) = deprecated_label(text(expression, "key")) {
                warnings.push(format!("allowedTopologies[{index}].matchLabelExpressions[{number}].key: {why}"));
            }
        }
    }
    warnings
}

#[cfg(test)]
mod tests;
