//! Reading and writing the metadata of an object that is JSON.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The text at this path of fields; empty if it is not there or not text.
pub fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).and_then(Value::as_str).unwrap_or_default()
}

/// The value at this path of fields.
pub fn at<'a>(object: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, field| value.get(field))
}

/// `metadata.<field>` as text; empty if absent.
pub fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    text(object, &["metadata", field])
}

/// The object's name; empty if it has none.
pub fn name(object: &Value) -> &str {
    meta(object, "name")
}

/// The object's namespace; empty if it has none.
pub fn namespace(object: &Value) -> &str {
    meta(object, "namespace")
}

/// The finalizers, in order.
pub fn finalizers(object: &Value) -> Vec<&str> {
    at(object, &["metadata", "finalizers"]).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether `deletionTimestamp` is set.
pub fn deleting(object: &Value) -> bool {
    at(object, &["metadata", "deletionTimestamp"]).is_some_and(|value| !value.is_null())
}

/// The fields of this object, made one if it is none.
pub fn fields(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

/// The map under this field, made if it is absent.
pub fn child<'a>(object: &'a mut Value, field: &str) -> &'a mut Map<String, Value> {
    fields(fields(object).entry(field).or_insert(Value::Null))
}

/// The metadata, made if it is absent.
pub fn metadata(object: &mut Value) -> &mut Map<String, Value> {
    child(object, "metadata")
}

/// Sets `field` of `map`, or takes it away when there is nothing to set.
pub fn set(map: &mut Map<String, Value>, field: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            map.insert(field.to_owned(), value);
        }
        None => {
            map.remove(field);
        }
    }
}

/// A time as Kubernetes writes it: UTC, whole seconds.
pub fn time(when: Timestamp) -> Value {
    when.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}
