//! How a value is owned: as one, field by field, or element by element.
//!
//! Upstream: structured-merge-diff typed, its walkers and what it deduces where the schema is silent.

use serde_json::{Map, Value};

use super::set::{key_step, value_step};
use crate::Schema;
use crate::schema::{ListType, Shape};

/// What the schema says of a value. `None` where it says nothing: in fields that nobody named.
pub(super) type Known<'a> = Option<&'a Schema>;

/// How a value is owned.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owned<'a> {
    /// As one.
    Whole,
    /// Field by field.
    Fields(Known<'a>),
    /// Element by element.
    Elements(&'a Schema, &'a ListType),
}

/// How values here are owned.
pub(super) fn owned<'a>(schema: Known<'a>, values: [Option<&Value>; 2]) -> Owned<'a> {
    let Some(schema) = schema else {
        let maps = values.into_iter().flatten().any(Value::is_object);
        return if maps { Owned::Fields(None) } else { Owned::Whole };
    };
    match &schema.shape {
        Shape::Object(fields) if !fields.atomic => Owned::Fields(Some(schema)),
        Shape::Map { granular: true, .. } => Owned::Fields(Some(schema)),
        Shape::List { items, list } if *list != ListType::Atomic => Owned::Elements(items, list),
        _ => Owned::Whole,
    }
}

/// The schema of a field.
pub(super) fn field<'a>(schema: Known<'a>, name: &str) -> Known<'a> {
    schema.and_then(|schema| schema.field(name)).map(|field| &**field)
}

/// Whether the schema names the field.
pub(super) fn is_named(schema: Known<'_>, name: &str) -> bool {
    matches!(schema.map(|schema| &schema.shape), Some(Shape::Object(fields)) if fields.known.contains_key(name))
}

/// The fields, if these are any.
pub(super) fn map(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

/// The elements, if these are any.
pub(super) fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The step to an element. `None`: it has nothing to be told by.
pub(super) fn step(element: &Value, list: &ListType) -> Option<Box<str>> {
    match list {
        ListType::Atomic => None,
        ListType::Set => match element {
            Value::Object(_) | Value::Array(_) | Value::Null => None,
            scalar => Some(value_step(scalar)),
        },
        ListType::Map { keys } => {
            let fields = element.as_object()?;
            let value = |key: &'_ str| fields.get(key);
            let mut any = false;
            let found = keys.iter().filter_map(|key| Some((&*key.name, value(&key.name).or(key.default.as_ref())?)));
            let step = key_step(found.inspect(|_| any = true));
            any.then_some(step)
        }
    }
}

/// The elements by their step, in the order of the list. Elements that have none are left out.
pub(super) fn steps<'a>(elements: &'a [Value], list: &ListType) -> Vec<(Box<str>, &'a Value)> {
    elements.iter().filter_map(|element| Some((step(element, list)?, element))).collect()
}

/// Whether the values are the same. 1 and 1.0 are.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}
