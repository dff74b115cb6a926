//! `$setElementOrder/<list>`: the order that the elements of a merged list end up in.

use serde_json::{Map, Value};

use super::list::{interleave, of_maps, place};
use super::{DIRECTIVE, Fault, Known, SET_ORDER, directive, go, merge_key, no_merge_key, without_directives, wrong_type};

/// Merges every list that the patch states an order for. Directive and list are taken out of the patch.
pub(super) fn apply(original: &mut Map<String, Value>, patch: &mut Map<String, Value>, schema: Known<'_>) -> Result<(), Fault> {
    let directives: Vec<String> = patch.keys().filter(|name| name.starts_with(SET_ORDER)).cloned().collect();
    for name in directives {
        let order = match patch.remove(&name) {
            Some(Value::Array(order)) => order,
            other => return Err(wrong_type("[]interface {}", &other.unwrap_or_default())),
        };
        let Some(Ok(field)) = directive(&name, SET_ORDER) else {
            return Err(Fault::Malformed("invalid patch format of setElementOrder list"));
        };
        let (old, new) = (list(original.get(field))?, list(patch.get(field))?);
        let schema = known_field(schema, field)?;
        let key = merge_key(schema).unwrap_or_default();
        check(new.unwrap_or_default(), &order, key)?;
        if old.is_none() && new.is_none() {
            continue;
        }
        of_maps(old.unwrap_or_default(), new.unwrap_or_default())?;

        let old = old.map(<[Value]>::to_vec);
        let merged = match (old.clone(), patch.remove(field)) {
            (Some(old), Some(Value::Array(new))) => super::list::merge(old, new, schema)?,
            (None, Some(Value::Array(new))) => new.into_iter().filter_map(without_directives).collect(),
            (old, _) => old.unwrap_or_default(),
        };
        if !key.is_empty()
            && let Some(keyless) = merged.iter().chain(&order).find(|item| item.get(key).is_none())
        {
            return Err(no_merge_key(keyless, key));
        }
        let (mut ordered, rest): (Vec<Value>, Vec<Value>) =
            merged.into_iter().partition(|item| place(item, &order, key).is_some());
        ordered.sort_by_key(|item| place(item, &order, key));
        let list = interleave(rest, ordered, &old.unwrap_or_default(), key);
        original.insert(field.to_owned(), Value::Array(list));
    }
    Ok(())
}

fn known_field<'a>(schema: Known<'a>, field: &str) -> Result<Known<'a>, Fault> {
    let Some(schema) = schema else { return Ok(None) };
    if let Some(field) = schema.field(field) {
        return Ok(Some(field));
    }
    let name = schema.go.as_ref().map_or("", |go| go.name.rsplit('.').next().unwrap_or_default());
    Err(Fault::Internal(format!("unable to find api field in struct {name} for the json field {field:?}")))
}

fn list(value: Option<&Value>) -> Result<Option<&[Value]>, Fault> {
    match value {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(other) => Err(wrong_type("[]interface {}", other)),
    }
}

/// The patch's elements must be in the order, and in that order. Elements with a directive do not count.
fn check(patch: &[Value], order: &[Value], key: &str) -> Result<(), Fault> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let mut rest = order.iter();
    for element in patch {
        if !key.is_empty() && !element.is_object() {
            return Err(wrong_type("map[string]interface {}", element));
        }
        if element.get(DIRECTIVE).is_some() {
            continue;
        }
        if !key.is_empty() && element.get(key).is_none() {
            return Err(no_merge_key(element, key));
        }
        let same = |listed: &Value| if key.is_empty() { listed == element } else { listed.get(key) == element.get(key) };
        if !rest.any(same) {
            return Err(Fault::Internal(format!(
                "The order in patch list:\n{}\n doesn't match {SET_ORDER} list:\n{}\n",
                go::shown_list(patch),
                go::shown_list(order)
            )));
        }
    }
    Ok(())
}
