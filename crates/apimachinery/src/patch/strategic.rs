//! Strategic merge patches: merge patches that know by the schema how lists are merged, and that can carry directives.
//!
//! Upstream: apimachinery strategicpatch. `$patch` deletes or replaces the map (or list element) that it is in, `$retainKeys`
//! names the fields that stay, `$deleteFromPrimitiveList/<list>` takes elements out of a set, `$setElementOrder/<list>` says in
//! which order the elements end up.

mod list;
mod order;

use serde_json::{Map, Value};

use super::merge::without_nulls;
use super::{go, rejected};
use crate::schema::Shape;
use crate::{Schema, Status};

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const SET_ORDER: &str = "$setElementOrder";

/// Why a patch makes no sense.
#[derive(Debug)]
enum Fault {
    /// 500 with these words; upstream does not blame the client for them.
    Internal(String),
    /// 400 with these words.
    Malformed(&'static str),
    /// 422 without words.
    Rejected,
}

impl From<Fault> for Status {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Internal(why) => Status::internal(why),
            Fault::Malformed(why) => Status::bad_request(why),
            Fault::Rejected => rejected(),
        }
    }
}

/// What the schema says of a field, as far as it is known.
type Known<'a> = Option<&'a Schema>;

pub(super) fn apply(old: &Value, patch: Map<String, Value>, schema: &Schema) -> Result<Value, Status> {
    let original = old.as_object().cloned().unwrap_or_default();
    Ok(Value::Object(merge_map(original, patch, Some(schema))?))
}

fn merge_map(
    original: Map<String, Value>,
    mut patch: Map<String, Value>,
    schema: Known<'_>,
) -> Result<Map<String, Value>, Fault> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Map::new()),
            _ => Err(unknown_directive(directive, &patch)),
        };
    }
    let mut original = original;
    retain(&mut original, &mut patch)?;
    order::apply(&mut original, &mut patch, schema)?;
    for (name, value) in patch {
        match directive(&name, DELETE_FROM) {
            Some(list) => delete_from(&mut original, list, value)?,
            None => merge_field(&mut original, name, value, schema)?,
        }
    }
    Ok(original)
}

fn merge_field(original: &mut Map<String, Value>, name: String, value: Value, schema: Known<'_>) -> Result<(), Fault> {
    if value.is_null() {
        original.remove(&name);
        return Ok(());
    }
    let field = schema.and_then(|schema| schema.field(&name)).map(|field| &**field);
    let merged = match (original.remove(&name), value) {
        (Some(Value::Object(old)), Value::Object(patch)) => Some(Value::Object(merge_map(old, patch, field)?)),
        (Some(Value::Array(old)), Value::Array(patch)) => Some(Value::Array(list::merge(old, patch, field)?)),
        (_, value) => without_directives(without_nulls(value)),
    };
    if let Some(merged) = merged {
        original.insert(name, merged);
    }
    Ok(())
}

/// `$retainKeys`: everything else of the map goes. What the patch sets must be among what it retains.
fn retain(original: &mut Map<String, Value>, patch: &mut Map<String, Value>) -> Result<(), Fault> {
    const MALFORMED: Fault = Fault::Malformed("invalid patch format of retainKeys");
    let retained = match patch.remove(RETAIN) {
        None => return Ok(()),
        Some(Value::Array(retained)) => retained,
        Some(_) => return Err(MALFORMED),
    };
    let stays = |name: &str| retained.iter().any(|retained| retained.as_str() == Some(name));
    let exempt = |name: &str| name.starts_with(DELETE_FROM) || name.starts_with(SET_ORDER);
    if patch.iter().any(|(name, value)| !value.is_null() && !exempt(name) && !stays(name)) {
        return Err(MALFORMED);
    }
    original.retain(|name, _| stays(name));
    Ok(())
}

/// `$deleteFromPrimitiveList/<list>`.
fn delete_from(original: &mut Map<String, Value>, list: Result<&str, ()>, doomed: Value) -> Result<(), Fault> {
    let list = list.map_err(|()| Fault::Malformed("invalid patch format of primitive list"))?;
    match (original.get_mut(list), doomed) {
        (Some(Value::Array(items)), Value::Array(doomed)) => {
            if items.iter().chain(&doomed).any(Value::is_array) {
                return Err(Fault::Rejected);
            }
            items.retain(|item| !doomed.contains(item));
        }
        (Some(_), Value::Null) => {
            original.remove(list);
        }
        _ => {}
    }
    Ok(())
}

/// The list that a directive is about, if the field is such a directive.
fn directive<'a>(name: &'a str, prefix: &str) -> Option<Result<&'a str, ()>> {
    let rest = name.strip_prefix(prefix)?;
    Some(rest.strip_prefix('/').ok_or(()))
}

/// The value without maps that carry `$patch`: there is nothing that the directive could be about.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => {
            let kept = fields.into_iter().filter_map(|(name, value)| Some((name, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(items.into_iter().filter_map(without_directives).collect())),
        other => Some(other),
    }
}

fn unknown_directive(directive: &Value, map: &Map<String, Value>) -> Fault {
    let map = go::shown(&Value::Object(map.clone()));
    Fault::Internal(format!("unknown patch type: {} in map: {map}", go::shown_as_text(directive)))
}

fn no_merge_key(element: &Value, key: &str) -> Fault {
    Fault::Internal(format!("map: {} does not contain declared merge key: {key}", go::shown(element)))
}

fn wrong_type(expected: &str, received: &Value) -> Fault {
    Fault::Internal(format!("expected a {expected}, but received a {}", go::go_type(received)))
}

/// The merge key of a list; empty for lists of plain values. `None`: the list is not merged.
fn merge_key(list: Known<'_>) -> Option<&str> {
    list.and_then(|list| list.strategy.merge_key.as_deref())
}

fn items<'a>(list: Known<'a>) -> Known<'a> {
    match &list?.shape {
        Shape::List { items, .. } => Some(items),
        _ => None,
    }
}
