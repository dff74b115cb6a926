//! Lists: replaced, or merged by a key or as sets, and the order that the elements end up in.

use serde_json::{Map, Value};

use super::{DIRECTIVE, Fault, Known, go, items, merge_key, merge_map, no_merge_key, unknown_directive, wrong_type};
use crate::schema::Shape;

/// Merges the patch's list into the object's, if the schema says that it is merged; else the patch's list takes its place.
pub(super) fn merge(original: Vec<Value>, patch: Vec<Value>, list: Known<'_>) -> Result<Vec<Value>, Fault> {
    let Some(key) = merge_key(list) else { return Ok(patch) };
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    if !of_maps(&original, &patch)? {
        let server_only = original.iter().filter(|item| !patch.contains(item)).cloned().collect();
        return Ok(interleave(once_each(server_only), once_each(patch), &original, ""));
    }
    if key.is_empty() {
        let name = match items(list).map(|items| &items.shape) {
            Some(Shape::String) => "string",
            _ => "struct",
        };
        return Err(Fault::Internal(format!("cannot merge lists without merge key for {name}")));
    }
    let merged = merge_maps(original, patch, key, items(list))?;
    match merged.iter().find(|item| item.get(key).is_none()) {
        Some(keyless) => Err(no_merge_key(keyless, key)),
        None => Ok(merged),
    }
}

fn merge_maps(mut original: Vec<Value>, patch: Vec<Value>, key: &str, items: Known<'_>) -> Result<Vec<Value>, Fault> {
    let mut replaced = false;
    let mut elements: Vec<Map<String, Value>> = Vec::new();
    for element in patch {
        let Value::Object(fields) = element else { continue };
        match fields.get(DIRECTIVE) {
            None => elements.push(fields),
            Some(directive) => match directive.as_str() {
                Some("delete") => {
                    let doomed = fields.get(key).ok_or_else(|| no_merge_key(&Value::Object(fields.clone()), key))?;
                    original.retain(|item| item.get(key) != Some(doomed));
                }
                Some("replace") => replaced = true,
                Some("merge") => {
                    return Err(Fault::Internal("merging lists cannot yet be specified in the patch".to_owned()));
                }
                _ => return Err(unknown_directive(directive, &fields)),
            },
        }
    }
    if replaced {
        return Ok(elements.into_iter().map(Value::Object).collect());
    }

    let order = original.clone();
    let mut from_patch: Vec<Value> = Vec::new();
    for fields in elements {
        let Some(value) = fields.get(key).cloned() else { return Err(no_merge_key(&Value::Object(fields), key)) };
        let same = |item: &Value| item.get(key) == Some(&value);
        if let Some(position) = from_patch.iter().position(same) {
            from_patch[position] = merge_element(from_patch[position].take(), fields, items)?;
        } else if let Some(position) = original.iter().position(same) {
            from_patch.push(merge_element(original.remove(position), fields, items)?);
        } else {
            from_patch.push(Value::Object(fields));
        }
    }
    Ok(interleave(original, from_patch, &order, key))
}

fn merge_element(old: Value, patch: Map<String, Value>, items: Known<'_>) -> Result<Value, Fault> {
    match old {
        Value::Object(old) => merge_map(old, patch, items).map(Value::Object),
        other => Err(wrong_type("map[string]interface {}", &other)),
    }
}

/// Puts what only the server has among what the patch has. Both keep their own order; where the server's order says that an
/// element comes before the patch's next, it does. So elements that are new come first.
pub(super) fn interleave(server_only: Vec<Value>, from_patch: Vec<Value>, order: &[Value], key: &str) -> Vec<Value> {
    let mut all = Vec::with_capacity(server_only.len() + from_patch.len());
    let mut server_only = server_only.into_iter().peekable();
    for item in from_patch {
        if let Some(here) = place(&item, order, key) {
            let before = |next: &Value| place(next, order, key).is_some_and(|there| there < here);
            while let Some(next) = server_only.next_if(before) {
                all.push(next);
            }
        }
        all.push(item);
    }
    all.extend(server_only);
    all
}

/// Where in `order` the element is.
pub(super) fn place(item: &Value, order: &[Value], key: &str) -> Option<usize> {
    let same = |other: &Value| if key.is_empty() { other == item } else { other.get(key) == item.get(key) };
    order.iter().position(same)
}

/// Whether the elements are maps. All must be of one type, and that not a list.
pub(super) fn of_maps(original: &[Value], patch: &[Value]) -> Result<bool, Fault> {
    let mut all = original.iter().chain(patch);
    let Some(first) = all.next() else {
        return Err(Fault::Internal("no elements in any of the given slices".to_owned()));
    };
    if first.is_array() {
        return Err(Fault::Rejected);
    }
    if first.is_null() || all.any(|item| go::go_type(item) != go::go_type(first)) {
        let lists = format!("[{} {}]", go::shown_list(original), go::shown_list(patch));
        return Err(Fault::Internal(format!("list element types are not identical: {lists}")));
    }
    Ok(first.is_object())
}

fn once_each(items: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}
