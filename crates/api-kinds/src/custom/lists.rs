//! What is true of lists and embedded objects beyond their schemas: each element once, and each object named.

use apimachinery::FieldError;
use apimachinery::selector::{label_value_errors, qualified_name_errors};
use serde_json::{Map, Value};

use super::names;
use super::node::{Elements, Node};

/// Elements of sets and list maps that are there before.
pub(super) fn duplicates(node: &Node, value: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(node, value, "", &mut |node, value, path| {
        let Value::Array(items) = value else { return };
        let key = |item: &Value| match &node.elements {
            Elements::Atomic => None,
            Elements::Set => Some(item.clone()),
            Elements::Map(keys) => {
                let fields = keys.iter().filter_map(|key| Some((key.clone(), item.get(key)?.clone())));
                Some(Value::Object(fields.collect::<Map<_, _>>()))
            }
        };
        let keys: Vec<_> = items.iter().map(key).collect();
        for (index, key) in keys.iter().enumerate() {
            if let Some(key) = key.as_ref().filter(|_| keys[..index].contains(key)) {
                errors.push(FieldError::duplicate(format!("{path}[{index}]"), key.clone()));
            }
        }
    });
    errors
}

/// What is wrong with objects inside the object.
pub(super) fn embedded(node: &Node, value: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    walk(node, value, "", &mut |node, value, path| {
        if node.embedded && value.is_object() {
            errors.extend(object(value, path));
        }
    });
    errors
}

fn object(value: &Value, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for field in ["apiVersion", "kind"] {
        let at = format!("{path}.{field}");
        match value.get(field) {
            None => errors.push(FieldError::required(at, "")),
            Some(Value::String(text)) if text.is_empty() => errors.push(FieldError::required(at, "")),
            Some(Value::String(text)) if field == "kind" => {
                if let Some(why) = names::wrong_kind(text) {
                    errors.push(FieldError::invalid(at, text.as_str(), why));
                }
            }
            Some(Value::String(text)) if text.matches('/').count() > 1 => {
                errors.push(FieldError::invalid(at, text.as_str(), format!("unexpected GroupVersion string: {text}")));
            }
            Some(Value::String(_)) => {}
            Some(other) => errors.push(FieldError::invalid(at, other.clone(), "must be a string")),
        }
    }
    let labels = value.get("metadata").and_then(|metadata| metadata.get("labels")).and_then(Value::as_object);
    for (key, label) in labels.into_iter().flatten() {
        let at = format!("{path}.metadata.labels");
        errors.extend(qualified_name_errors(key).into_iter().map(|why| FieldError::invalid(at.clone(), key.as_str(), why)));
        let label = label.as_str().unwrap_or_default();
        errors.extend(label_value_errors(label).into_iter().map(|why| FieldError::invalid(at.clone(), label, why)));
    }
    errors
}

fn walk(node: &Node, value: &Value, path: &str, visit: &mut impl FnMut(&Node, &Value, &str)) {
    visit(node, value, path);
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                if let Some(child) = node.child(name) {
                    let path = match path {
                        "" => name.clone(),
                        path if node.is_map() => format!("{path}[{name}]"),
                        path => format!("{path}.{name}"),
                    };
                    walk(child, value, &path, visit);
                }
            }
        }
        Value::Array(items) => {
            if let Some(child) = &node.items {
                for (index, item) in items.iter().enumerate() {
                    walk(child, item, &format!("{path}[{index}]"), visit);
                }
            }
        }
        _ => {}
    }
}
