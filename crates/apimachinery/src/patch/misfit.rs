//! What a strategic merge patch made of an object, if it is no longer of its kind.
//!
//! Upstream decodes it by reflection and not from JSON (apimachinery runtime/converter.go), with words of its own. Texts that
//! have to be parsed (times, amounts) are left to the decoder.

use serde_json::Value;

use super::go;
use crate::Schema;
use crate::schema::Shape;

/// The first value that is not what the schema says, in upstream's words.
pub(super) fn find(value: &Value, schema: &Schema) -> Option<String> {
    match (&schema.shape, value) {
        (_, Value::Null) => None,
        (Shape::Object(fields), Value::Object(map)) => {
            map.iter().find_map(|(name, value)| find(value, fields.known.get(name.as_str())?))
        }
        (Shape::Object(_), other) => Some(format!("cannot restore struct from: {}", kind(other))),
        (Shape::Map { values, .. }, Value::Object(map)) => map.values().find_map(|value| find(value, values)),
        (Shape::Map { .. }, other) => Some(format!("cannot restore map from {}", kind(other))),
        (Shape::List { items, .. }, Value::Array(list)) => list.iter().find_map(|value| find(value, items)),
        (Shape::Bytes, Value::String(_)) => None,
        (Shape::List { .. } | Shape::Bytes, other) => Some(format!("cannot restore slice from {}", kind(other))),
        (Shape::String, other) => scalar(other, other.is_string(), whole(other), schema, "string"),
        (Shape::Boolean, other) => scalar(other, other.is_boolean(), false, schema, "bool"),
        (Shape::Integer, other) => scalar(other, integral(other), other.is_number(), schema, "int64"),
        (Shape::Number, other) => scalar(other, other.is_number(), false, schema, "float64"),
        (Shape::IntOrString | Shape::Quantity | Shape::Time | Shape::MicroTime | Shape::Any, _) => None,
    }
}

/// `converts`: Go has a conversion between the types, and refuses it only then.
fn scalar(value: &Value, fits: bool, converts: bool, schema: &Schema, kind: &str) -> Option<String> {
    if fits {
        return None;
    }
    let name = schema.go.as_ref().map_or("", |go| &*go.name);
    let kind = if kind == "int64" && name == "int32" { name } else { kind };
    Some(if converts {
        format!("cannot convert {} to {}", go::go_type(value), if name.is_empty() { kind } else { name })
    } else {
        format!("unrecognized type: {kind}")
    })
}

fn whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

fn integral(value: &Value) -> bool {
    whole(value) || value.as_f64().is_some_and(|float| float.fract() == 0.0)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
        other => go::go_type(other),
    }
}
