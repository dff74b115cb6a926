//! Filling in what a schema defaults.

use serde_json::{Number, Value};

use super::node::Node;

/// Defaults below this value. Doing it twice changes nothing more.
pub(super) fn fill(node: &Node, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, field) in &node.properties {
                if node.root && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                    continue;
                }
                if let Some(default) = &field.default
                    && !map.contains_key(name)
                {
                    map.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in map.iter_mut() {
                if node.root && name == "metadata" {
                    continue;
                }
                if let Some(child) = node.child(name) {
                    fill(child, value);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = &node.items {
                items.iter_mut().for_each(|item| fill(node, item));
            }
        }
        _ => {}
    }
}

/// A number that is whole is written as one, as Go does: `2.0` is 2.
pub(super) fn whole_numbers(value: &mut Value) {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Number(number) if number.is_f64() => {
            if let Some(float) = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < EXACT) {
                *number = Number::from(float as i64);
            }
        }
        _ => {}
    }
}
