//! Whether an applied configuration fits the schema. Apply has a checker and words of its own: unknown fields are errors there.
//!
//! Upstream: structured-merge-diff's validation of typed values. Differences: fields are visited by name, upstream's order is
//! random.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Fields, ListKey, ListType, Schema, Shape};

impl Schema {
    /// Checks a configuration for apply.
    ///
    /// # Errors
    /// `.foo: field not declared in schema`; several stand below each other under `errors:`.
    pub fn check_typed(&self, value: &Value) -> Result<(), String> {
        let mut check = Check { path: String::new(), errors: Vec::new() };
        check.value(self, value);
        match check.errors.as_slice() {
            [] => Ok(()),
            [one] => Err(one.clone()),
            several => Err(format!("errors:\n  {}", several.join("\n  "))),
        }
    }
}

struct Check {
    path: String,
    errors: Vec<String>,
}

impl Check {
    fn wrong(&mut self, why: impl std::fmt::Display) {
        self.errors.push(format!("{}: {why}", self.path));
    }

    fn below(&mut self, step: &str, schema: &Schema, value: &Value) {
        let length = self.path.len();
        self.path.push_str(step);
        self.value(schema, value);
        self.path.truncate(length);
    }

    fn value(&mut self, schema: &Schema, value: &Value) {
        match (&schema.shape, value) {
            (_, Value::Null) | (Shape::Any | Shape::IntOrString, _) => {}
            (Shape::Object(fields), Value::Object(map)) => self.object(fields, map),
            (Shape::Map { values, .. }, Value::Object(map)) => {
                for (key, value) in map {
                    self.below(&format!(".{key}"), values, value);
                }
            }
            (Shape::Object(_) | Shape::Map { .. }, _) => self.wrong(format_args!("expected map, got &{{{}}}", plain(value))),
            (Shape::List { items, list }, Value::Array(elements)) => self.list(items, list, elements),
            (Shape::List { .. }, _) => self.wrong(format_args!("expected list, got &{{{}}}", plain(value))),
            (Shape::String | Shape::Bytes, Value::String(_)) => {}
            (Shape::String | Shape::Bytes, _) => {
                self.wrong(format_args!("expected string, got &value.valueUnstructured{{Value:{}}}", literal(value)));
            }
            (Shape::Boolean, Value::Bool(_)) | (Shape::Integer | Shape::Number, Value::Number(_)) => {}
            (Shape::Boolean, _) => self.wrong(format_args!("expected boolean, got &{{{}}}", plain(value))),
            (Shape::Integer | Shape::Number, _) => {
                self.wrong(format_args!("expected numeric (int or float), got {}", type_of(value)))
            }
            (Shape::Quantity | Shape::Time | Shape::MicroTime, Value::Object(_) | Value::Array(_)) => {
                self.wrong(format_args!("expected any scalar, got &{{{}}}", plain(value)));
            }
            (Shape::Quantity | Shape::Time | Shape::MicroTime, _) => {}
        }
    }

    fn object(&mut self, fields: &Fields, map: &Map<String, Value>) {
        for (name, value) in map {
            match fields.known.get(name.as_str()) {
                Some(field) => self.below(&format!(".{name}"), field, value),
                None if fields.preserve_unknown => {}
                None => {
                    self.errors.push(format!("{}.{name}: field not declared in schema", self.path));
                    return;
                }
            }
        }
    }

    fn list(&mut self, items: &Schema, list: &ListType, elements: &[Value]) {
        let mut seen = BTreeSet::new();
        for (index, element) in elements.iter().enumerate() {
            let step = match list {
                ListType::Atomic => Ok(format!("[{index}]")),
                ListType::Set => set_step(element),
                ListType::Map { keys } => map_step(keys, element),
            };
            let step = match step {
                Ok(step) => step,
                Err(why) => return self.wrong(format_args!("element {index}: {why}")),
            };
            if !seen.insert(step.clone()) {
                self.wrong(format_args!("duplicate entries for key {step}"));
            }
            self.below(&step, items, element);
        }
    }
}

fn set_step(element: &Value) -> Result<String, String> {
    match element {
        Value::Object(_) => Err("associative list without keys has an element that's a map type".to_owned()),
        Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
        Value::Null => Err("associative list without keys has an element that's an explicit null".to_owned()),
        _ => Ok(format!("[={element}]")),
    }
}

fn map_step(keys: &[ListKey], element: &Value) -> Result<String, String> {
    let Value::Object(map) = element else {
        return Err(match element {
            Value::Null => "associative list with keys may not have a null element".to_owned(),
            _ => "associative list with keys may not have non-map elements".to_owned(),
        });
    };
    let mut parts = Vec::new();
    for key in keys {
        let value = map.get(&*key.name).or(key.default.as_ref()).ok_or_else(|| {
            format!(
                "associative list with keys has an element that omits key field {:?} (and doesn't have default value)",
                key.name
            )
        })?;
        parts.push(format!("{}={value}", key.name));
    }
    parts.sort();
    Ok(format!("[{}]", parts.join(",")))
}

/// Go's `%v`.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let entries: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{}", plain(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        _ => value.to_string(),
    }
}

/// Go's `%#v`.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::Array(list) => format!("[]interface {{}}{{{}}}", list.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let mut text = "map[string]interface {}{".to_owned();
            for (index, (key, value)) in map.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                // Writing to a text does not fail.
                let _ = write!(text, "{comma}{key:?}:{}", literal(value));
            }
            text + "}"
        }
        _ => value.to_string(),
    }
}

/// Go's `%T`.
pub(crate) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}
