//! What a container asks for, and what it may use at most.

use apimachinery::FieldError;
use csi_types::Quantity;
use serde_json::Value;

use super::super::validation::values::{fractional, quantity, quantity_text, texts};
use super::super::validation::{NEGATIVE, invalid, names};

const HUGE: &str = "hugepages-";

pub(super) fn validate(resources: &Value, field: &str) -> Vec<FieldError> {
    let (limits, requests) = (resources.get("limits"), resources.get("requests"));
    let amount = |list: Option<&Value>, name: &str| list.and_then(|list| list.get(name)).cloned().unwrap_or(Value::Null);
    let mut errors = Vec::new();
    for (name, _) in texts(limits) {
        errors.extend(one(name, &amount(limits, name), &format!("{field}.limits[{name}]")));
    }
    let requests_field = format!("{field}.requests");
    for (name, _) in texts(requests) {
        let request = amount(requests, name);
        let at = format!("{requests_field}[{name}]");
        let mut checked = one(name, &request, &at);
        // Pages are told last.
        let pages: Vec<FieldError> =
            checked.extract_if(.., |error| error.detail.contains(" is not positive integer multiple of ")).collect();
        errors.extend(checked);
        let overcommit = is_native(name) && !name.starts_with(HUGE);
        match quantity(limits.and_then(|limits| limits.get(name))) {
            Some(limit) => {
                let shown = quantity_text(&amount(limits, name));
                let asked = quantity(Some(&request)).unwrap_or_default();
                if asked != limit && !overcommit {
                    let detail = format!("must be equal to {name} limit of {shown}");
                    errors.push(FieldError::invalid(&requests_field, quantity_text(&request), detail));
                } else if asked > limit {
                    let detail = format!("must be less than or equal to {name} limit of {shown}");
                    errors.push(FieldError::invalid(&requests_field, quantity_text(&request), detail));
                }
            }
            None if !overcommit => {
                errors
                    .push(FieldError::required(format!("{field}.limits"), "Limit must be set for non overcommitable resources"));
            }
            None => {}
        }
        errors.extend(pages);
    }
    let all = || texts(limits).chain(texts(requests)).map(|(name, _)| name);
    if all().any(|name| name.starts_with(HUGE)) && !all().any(|name| matches!(name, "cpu" | "memory")) {
        errors.push(FieldError::forbidden(field, "HugePages require cpu or memory"));
    }
    errors
}

/// One amount under its name.
fn one(name: &str, amount: &Value, field: &str) -> Vec<FieldError> {
    let mut errors = name_errors(name, field);
    errors.extend(value_errors(name, amount, field));
    let value = quantity(Some(amount)).unwrap_or_default();
    if let Some(page) = name.strip_prefix(HUGE).and_then(|size| Quantity::parse(size).ok()?.bytes().ok())
        && value.bytes().is_ok_and(|value| page.0 == 0 || value.0 == 0 || value.0 % page.0 != 0)
    {
        let shown = quantity_text(amount);
        errors.push(FieldError::invalid(field, shown.as_str(), format!("{shown} is not positive integer multiple of {name}")));
    }
    errors
}

/// What quotas count in whole objects.
const COUNTED: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// What is wrong with an amount of this resource.
pub(in crate::kinds) fn value_errors(name: &str, amount: &Value, field: &str) -> Vec<FieldError> {
    let value = quantity(Some(amount)).unwrap_or_default();
    let mut errors = Vec::new();
    if value < Quantity::default() {
        errors.push(FieldError::invalid(field, quantity_text(amount), NEGATIVE));
    }
    if (is_extended(name) || COUNTED.contains(&name)) && fractional(value) {
        errors.push(FieldError::invalid(field, quantity_text(amount), "must be an integer"));
    }
    errors
}

fn name_errors(name: &str, field: &str) -> Vec<FieldError> {
    let mut errors = invalid(field, name, names::qualified(name));
    let in_container = matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with(HUGE);
    if name.contains('/') {
        if errors.is_empty() && (is_native(name) || is_extended(name)) {
            return errors;
        }
        if !is_native(name) {
            errors.push(FieldError::invalid(field, name, "doesn't follow extended resource name standard"));
        }
    } else if !in_container {
        if errors.is_empty() && !is_standard(name) {
            errors.push(FieldError::invalid(field, name, "must be a standard resource type or fully qualified"));
        }
        errors.push(FieldError::invalid(field, name, "must be a standard resource for containers"));
    }
    errors
}

/// Names that quotas know, most of which mean nothing for a container.
fn is_standard(name: &str) -> bool {
    let plain = name.strip_prefix("requests.").or(name.strip_prefix("limits.")).unwrap_or(name);
    matches!(plain, "cpu" | "memory" | "ephemeral-storage")
        || matches!(name, "storage" | "requests.storage")
        || COUNTED.contains(&name)
        || plain.starts_with(HUGE)
}

/// Kubernetes' own.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Somebody's device.
fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && names::qualified(&format!("requests.{name}")).is_empty()
}
