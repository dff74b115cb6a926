//! Selectors of labels and nodes, and topology terms.

use std::collections::BTreeSet;

use apimachinery::FieldError;
use serde_json::Value;

use super::values::{get, list, listed, members, optional, ordered, text, texts};
use super::{invalid, names};

/// Labels: keys and values.
pub(crate) fn labels(labels: Option<&Value>, field: &str) -> Vec<FieldError> {
    let check = |(key, value)| {
        let mut errors = invalid(field, key, names::qualified(key));
        errors.extend(invalid(field, value, names::label_value(value)));
        errors
    };
    texts(labels).flat_map(check).collect()
}

/// A label selector: `matchLabels` and `matchExpressions`. `any_value`: values are not checked, since the stored ones would not pass.
pub(crate) fn label_selector(selector: Option<&Value>, field: &str, any_value: bool) -> Vec<FieldError> {
    let Some(selector) = selector else { return Vec::new() };
    let mut errors = labels(selector.get("matchLabels"), &format!("{field}.matchLabels"));
    for (index, requirement) in list(selector.get("matchExpressions")).iter().enumerate() {
        let field = format!("{field}.matchExpressions[{index}]");
        let values = list(requirement.get("values"));
        errors.extend(operator(text(requirement, "operator"), values, &field, false));
        errors.extend(key_and_values(requirement, values, &field, any_value));
    }
    errors
}

/// Whether a stored selector has a value that would not pass now.
pub(crate) fn selector_is_lenient(selector: Option<&Value>) -> bool {
    !label_selector(selector, "", false).is_empty()
}

/// A label selector as Go writes it.
pub(crate) fn shown_label_selector(selector: Option<&Value>) -> String {
    let Some(selector) = selector.filter(|value| !value.is_null()) else { return "null".to_owned() };
    let labels = get(selector, "matchLabels").filter(|labels| labels.as_object().is_some_and(|map| !map.is_empty()));
    let expressions = list(selector.get("matchExpressions"));
    let mut shown = Vec::new();
    if let Some(labels) = labels {
        shown.push(("matchLabels", labels.to_string()));
    }
    if !expressions.is_empty() {
        let each = expressions.iter().map(|expression| members(expression, &["key", "operator", "values"]));
        shown.push(("matchExpressions", listed(each)));
    }
    ordered(shown)
}

/// A node selector: terms of expressions over labels and fields.
pub(crate) fn node_selector(selector: &Value, field: &str, any_value: bool) -> Vec<FieldError> {
    let field = format!("{field}.nodeSelectorTerms");
    let terms = list(selector.get("nodeSelectorTerms"));
    if terms.is_empty() {
        return vec![FieldError::required(field, "must have at least one node selector term")];
    }
    terms.iter().enumerate().flat_map(|(index, term)| node_term(term, &format!("{field}[{index}]"), any_value)).collect()
}

/// One term of a node selector.
pub(crate) fn node_term(term: &Value, field: &str, any_value: bool) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, requirement) in list(term.get("matchExpressions")).iter().enumerate() {
        let field = format!("{field}.matchExpressions[{index}]");
        let values = list(requirement.get("values"));
        errors.extend(operator(text(requirement, "operator"), values, &field, true));
        errors.extend(key_and_values(requirement, values, &field, any_value));
    }
    for (index, requirement) in list(term.get("matchFields")).iter().enumerate() {
        errors.extend(node_field(requirement, &format!("{field}.matchFields[{index}]")));
    }
    errors
}

/// Whether a stored node selector has a label value that would not pass now.
pub(crate) fn node_selector_is_lenient(selector: Option<&Value>) -> bool {
    let terms = list(selector.and_then(|selector| selector.get("nodeSelectorTerms")));
    let requirements = terms.iter().flat_map(|term| list(term.get("matchExpressions")));
    let mut values = requirements.flat_map(|requirement| list(requirement.get("values"))).filter_map(Value::as_str);
    values.any(|value| !names::label_value(value).is_empty())
}

fn operator(operator: &str, values: &[Value], field: &str, ordering: bool) -> Option<FieldError> {
    match operator {
        "In" | "NotIn" => values
            .is_empty()
            .then(|| FieldError::required(format!("{field}.values"), "must be specified when `operator` is 'In' or 'NotIn'")),
        "Exists" | "DoesNotExist" => (!values.is_empty()).then(|| {
            FieldError::forbidden(format!("{field}.values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        }),
        "Gt" | "Lt" if ordering => (values.len() != 1).then(|| {
            FieldError::required(format!("{field}.values"), "must be specified single value when `operator` is 'Lt' or 'Gt'")
        }),
        _ => Some(FieldError::invalid(format!("{field}.operator"), operator, "not a valid selector operator")),
    }
}

fn key_and_values(requirement: &Value, values: &[Value], field: &str, any_value: bool) -> Vec<FieldError> {
    let key = text(requirement, "key");
    let mut errors = invalid(&format!("{field}.key"), key, names::qualified(key));
    if !any_value {
        for (index, value) in values.iter().enumerate() {
            let value = value.as_str().unwrap_or_default();
            errors.extend(invalid(&format!("{field}.values[{index}]"), value, names::label_value(value)));
        }
    }
    errors
}

fn node_field(requirement: &Value, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let values = list(requirement.get("values"));
    let operator = text(requirement, "operator");
    if !matches!(operator, "In" | "NotIn") {
        errors.push(FieldError::invalid(format!("{field}.operator"), operator, "not a valid selector operator"));
    } else if values.len() != 1 {
        let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
        errors.push(FieldError::required(format!("{field}.values"), detail));
    }
    let key = text(requirement, "key");
    if key != "metadata.name" {
        errors.push(FieldError::invalid(format!("{field}.key"), key, "not a valid field selector key"));
        return errors;
    }
    for (index, value) in values.iter().enumerate() {
        let value = value.as_str().unwrap_or_default();
        errors.extend(invalid(&format!("{field}.values[{index}]"), value, names::subdomain(value)));
    }
    errors
}

/// The allowed topologies of a class: in a term no key twice, no value twice, and no two equal terms.
///
/// QUIRK: a term without expressions is reported as a duplicate, even of nothing.
pub(crate) fn topologies(terms: &[Value], field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    // What upstream compares with has an empty entry from the start for every term.
    let mut seen: Vec<Vec<(&str, BTreeSet<&str>)>> = vec![Vec::new(); terms.len()];
    for (index, term) in terms.iter().enumerate() {
        let field = format!("{field}[{index}].matchLabelExpressions");
        let mut keys: Vec<(&str, BTreeSet<&str>)> = Vec::new();
        for (index, requirement) in list(term.get("matchLabelExpressions")).iter().enumerate() {
            let field = format!("{field}[{index}]");
            let values = list(requirement.get("values"));
            if values.is_empty() {
                errors.push(FieldError::required(format!("{field}.values"), ""));
            }
            let mut set = BTreeSet::new();
            for (index, value) in values.iter().enumerate() {
                let value = value.as_str().unwrap_or_default();
                if !set.insert(value) {
                    errors.push(FieldError::duplicate(format!("{field}.values[{index}]"), value));
                }
            }
            let key = optional(requirement, "key").unwrap_or_default();
            errors.extend(invalid(&format!("{field}.key"), key, names::qualified(key)));
            match keys.iter_mut().find(|(known, _)| *known == key) {
                Some(entry) => {
                    errors.push(FieldError::duplicate(format!("{field}.key"), key));
                    entry.1 = set;
                }
                None => keys.push((key, set)),
            }
        }
        keys.sort();
        errors.extend(seen.iter().filter(|known| **known == keys).map(|_| FieldError::duplicate(field.as_str(), "")));
        seen.push(keys);
    }
    errors
}
