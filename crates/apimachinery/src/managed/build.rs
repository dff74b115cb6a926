//! What a configuration says: the set of its fields, what comes of merging it into an object, and taking fields out again.
//!
//! Upstream: structured-merge-diff typed/tofieldset.go, merge.go, remove.go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::set::Set;
use super::shape::{self, Known, Owned, field, is_named, items, map, owned};
use crate::Schema;
use crate::schema::ListType;

/// Every field that the value has, and every element.
pub(super) fn fields(value: &Value, schema: Known<'_>) -> Set {
    let mut set = Set::default();
    fields_below(value, schema, &mut set);
    set
}

/// Notes what is below, and says whether the value is owned as one.
fn fields_below(value: &Value, schema: Known<'_>, set: &mut Set) -> bool {
    match owned(schema, [Some(value), None]) {
        Owned::Whole => true,
        Owned::Fields(schema) => {
            for (name, value) in map(Some(value)).into_iter().flatten() {
                let mut below = Set::default();
                let whole = fields_below(value, field(schema, name), &mut below);
                let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                set.add(&format!("f:{name}"), whole || empty || !is_named(schema, name), below);
            }
            false
        }
        Owned::Elements(schema, list) => {
            let mut seen: BTreeMap<Box<str>, u32> = BTreeMap::new();
            let elements = shape::steps(items(Some(value)), list);
            for (step, _) in &elements {
                *seen.entry(step.clone()).or_default() += 1;
            }
            for (step, element) in elements {
                let mut below = Set::default();
                if seen.get(&step) == Some(&1) {
                    fields_below(element, Some(schema), &mut below);
                }
                set.add(&step, true, below);
            }
            false
        }
    }
}

/// The object with what the configuration says. Nothing is taken away.
pub(super) fn merged(old: &Value, config: &Value, schema: &Schema) -> Value {
    merge(Some(old), Some(config), Some(schema)).unwrap_or_default()
}

fn merge(old: Option<&Value>, config: Option<&Value>, schema: Known<'_>) -> Option<Value> {
    let whole = || config.or(old).cloned();
    match owned(schema, [old, config]) {
        Owned::Whole => whole(),
        // Where nothing is known of the type, a configuration of another type wins.
        Owned::Fields(None) if config.is_some_and(|config| !config.is_object() && !config.is_null()) => whole(),
        Owned::Fields(schema) => {
            let (olds, configs) = (map(old), map(config));
            if olds.is_none_or(Map::is_empty) && configs.is_none_or(Map::is_empty) {
                return whole();
            }
            let names: BTreeSet<&String> = olds.into_iter().chain(configs).flat_map(Map::keys).collect();
            let field = |name: &String| {
                let (old, config) = (olds.and_then(|olds| olds.get(name)), configs.and_then(|configs| configs.get(name)));
                Some((name.clone(), merge(old, config, field(schema, name))?))
            };
            Some(Value::Object(names.into_iter().filter_map(field).collect()))
        }
        Owned::Elements(schema, list) => {
            let (olds, configs) = (items(old), items(config));
            if olds.is_empty() && configs.is_empty() {
                return whole();
            }
            Some(Value::Array(merge_elements(olds, configs, schema, list)))
        }
    }
}

/// Elements of the object keep their order, those of the configuration theirs; where the two have elements in common, the
/// configuration's order decides.
fn merge_elements(olds: &[Value], configs: &[Value], schema: &Schema, list: &ListType) -> Vec<Value> {
    let (olds, configs) = (shape::steps(olds, list), shape::steps(configs, list));
    // An element that is there more than once is not merged with: the configuration's takes its place.
    let mut old_by_step: BTreeMap<&str, Option<&Value>> = BTreeMap::new();
    for (step, element) in &olds {
        old_by_step.entry(step).and_modify(|known| *known = None).or_insert(Some(element));
    }
    let configured: BTreeSet<&str> = configs.iter().map(|(step, _)| &**step).collect();
    let mut shared = configs.iter().map(|(step, _)| &**step).filter(|step| old_by_step.contains_key(step)).peekable();

    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut result = Vec::with_capacity(olds.len() + configs.len());
    let (mut left, mut right) = (olds.iter().peekable(), configs.iter().peekable());
    loop {
        if let (Some((old, _)), Some((new, _))) = (left.peek(), right.peek())
            && old != new
            && configured.contains(&**old)
            && shared.peek().is_some_and(|next| *next != &**old)
        {
            // In common, but another is next.
            left.next();
            continue;
        }
        let both = matches!((left.peek(), right.peek()), (Some((old, _)), Some((new, _))) if old == new);
        if !both && let Some((old, element)) = left.peek() {
            if !configured.contains(&**old) {
                result.extend(merge(Some(element), None, Some(schema)));
                left.next();
                continue;
            }
            if done.contains(&**old) {
                left.next();
            }
        }
        let Some((step, element)) = right.next() else {
            // What is left of the object's and in the configuration, too, is done.
            if left.peek().is_none() {
                return result;
            }
            continue;
        };
        if both {
            left.next();
        }
        done.insert(step);
        let old = old_by_step.get(&**step).copied().flatten();
        result.extend(merge(old, Some(element), Some(schema)));
        if both || shared.peek() == Some(&&**step) {
            shared.next();
        }
    }
}

/// Takes the fields and elements of the set out of the value, and with each what is below it.
pub(super) fn remove(value: &mut Value, set: &Set, schema: Known<'_>) {
    if set.is_empty() {
        return;
    }
    let kind = owned(schema, [Some(&*value), None]);
    match (value, kind) {
        (Value::Object(fields), Owned::Fields(schema)) => fields.retain(|name, value| {
            let Some(node) = set.get(&format!("f:{name}")) else { return true };
            if !node.member {
                remove(value, &node.below, field(schema, name));
            }
            !node.member
        }),
        (Value::Array(elements), Owned::Elements(schema, list)) => elements.retain_mut(|element| {
            let Some(node) = shape::step(element, list).and_then(|step| set.get(&step)) else { return true };
            if !node.member {
                remove(element, &node.below, Some(schema));
            }
            !node.member
        }),
        // Something below of what is owned as one is to go: all of it does.
        (Value::Object(fields), Owned::Whole) => fields.clear(),
        (Value::Array(elements), Owned::Whole) => elements.clear(),
        _ => {}
    }
}
