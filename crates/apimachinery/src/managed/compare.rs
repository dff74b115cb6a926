//! What is different between two objects, as sets of fields.
//!
//! Upstream: structured-merge-diff typed/compare.go.

use std::collections::BTreeMap;

use serde_json::Value;

use super::set::Set;
use super::shape::{self, Known, Owned, field, items, map, owned, same};
use crate::Schema;
use crate::schema::ListType;

/// What a write did. No field is in more than one of the sets.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Changes {
    /// There now and not before.
    pub(super) added: Set,
    /// There before and now, and different.
    pub(super) modified: Set,
    /// There before and not now.
    pub(super) removed: Set,
}

impl Changes {
    /// Nothing that is, or is below, one of these paths.
    pub(super) fn without(self, paths: &Set) -> Self {
        if paths.is_empty() {
            return self;
        }
        Self { added: self.added.without(paths), modified: self.modified.without(paths), removed: self.removed.without(paths) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    /// What is there now and was not, or was different.
    pub(super) fn set(&self) -> Set {
        self.added.union(&self.modified)
    }

    fn descend(&mut self, step: &str, fate: Option<Fate>, below: Self) {
        self.added.add(step, fate == Some(Fate::Added), below.added);
        self.modified.add(step, fate == Some(Fate::Modified), below.modified);
        self.removed.add(step, fate == Some(Fate::Removed), below.removed);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Added,
    Modified,
    Removed,
}

/// Compares two objects of this schema.
pub(super) fn compare(old: &Value, new: &Value, schema: &Schema) -> Changes {
    let mut changes = Changes::default();
    value(Some(old), Some(new), Some(schema), &mut changes);
    changes
}

/// Notes in `below` what is different below, and says what became of the value itself.
fn value(old: Option<&Value>, new: Option<&Value>, schema: Known<'_>, below: &mut Changes) -> Option<Fate> {
    if let (Some(old), Some(new)) = (old, new)
        && same(old, new)
    {
        return None;
    }
    match owned(schema, [old, new]) {
        Owned::Whole => whole(old, new),
        Owned::Fields(schema) => {
            let (olds, news) = (map(old), map(new));
            if olds.is_none_or(|map| map.is_empty()) && news.is_none_or(|map| map.is_empty()) {
                return whole(old, new);
            }
            let names = olds.into_iter().flatten().map(|(name, _)| name);
            let added =
                news.into_iter().flatten().map(|(name, _)| name).filter(|name| olds.is_none_or(|olds| !olds.contains_key(*name)));
            for name in names.chain(added) {
                member(name, olds.map(|olds| olds.get(name)), news.map(|news| news.get(name)), field(schema, name), below);
            }
            // Where nothing is known of the type, something else may have turned into a map, or a map into something else.
            let no_map = |value: Option<&Value>| value.is_some_and(|value| !value.is_object() && !value.is_null());
            let turned = schema.is_none() && (no_map(old) || no_map(new));
            gone_or_new(old, new).or(turned.then_some(Fate::Modified))
        }
        Owned::Elements(schema, list) => {
            let (olds, news) = (items(old), items(new));
            if olds.is_empty() && news.is_empty() {
                return whole(old, new);
            }
            elements(olds, news, schema, list, below);
            gone_or_new(old, new)
        }
    }
}

fn whole(old: Option<&Value>, new: Option<&Value>) -> Option<Fate> {
    gone_or_new(old, new).or_else(|| match (old, new) {
        (Some(old), Some(new)) if !same(old, new) => Some(Fate::Modified),
        _ => None,
    })
}

fn gone_or_new(old: Option<&Value>, new: Option<&Value>) -> Option<Fate> {
    match (old, new) {
        (None, Some(_)) => Some(Fate::Added),
        (Some(_), None) => Some(Fate::Removed),
        _ => None,
    }
}

/// Compares a field. `None`: not even the map is there; `Some(None)`: the map is, and the field is not in it. Of the latter Go
/// may make an empty value, which then was there before.
fn member(name: &str, old: Option<Option<&Value>>, new: Option<Option<&Value>>, schema: Known<'_>, changes: &mut Changes) {
    let absent = |side: Option<Option<&Value>>| match side {
        Some(None) => schema.and_then(Schema::absent),
        _ => None,
    };
    let (absent_old, absent_new) = (absent(old), absent(new));
    let old = old.flatten().or(absent_old.as_ref());
    let new = new.flatten().or(absent_new.as_ref());
    let mut below = Changes::default();
    let fate = value(old, new, schema, &mut below);
    if fate.is_some() || !below.is_empty() {
        changes.descend(&format!("f:{name}"), fate, below);
    }
}

/// Compares the elements of two lists. Those that are there more than once are one value together.
fn elements(olds: &[Value], news: &[Value], schema: &Schema, list: &ListType, changes: &mut Changes) {
    let (olds, news) = (shape::steps(olds, list), shape::steps(news, list));
    let mut all: BTreeMap<&str, [Vec<&Value>; 2]> = BTreeMap::new();
    for (side, elements) in [&olds, &news].into_iter().enumerate() {
        for (step, element) in elements {
            all.entry(step).or_default()[side].push(element);
        }
    }
    for (step, [old, new]) in all {
        match (old.as_slice(), new.as_slice()) {
            ([_, _, ..], [_, _, ..]) => {
                let equal = old.len() == new.len() && old.iter().zip(&new).all(|(old, new)| same(old, new));
                changes.descend(step, (!equal).then_some(Fate::Modified), Changes::default());
            }
            ([_, _, ..], single) => {
                element(step, None, single.first(), schema, changes);
                changes.descend(step, Some(Fate::Removed), Changes::default());
            }
            (single, [_, _, ..]) => {
                element(step, single.first(), None, schema, changes);
                changes.descend(step, Some(Fate::Added), Changes::default());
            }
            (old, new) => element(step, old.first(), new.first(), schema, changes),
        }
    }
}

fn element(step: &str, old: Option<&&Value>, new: Option<&&Value>, schema: &Schema, changes: &mut Changes) {
    let mut below = Changes::default();
    let fate = value(old.copied(), new.copied(), Some(schema), &mut below);
    if fate.is_some() || !below.is_empty() {
        changes.descend(step, fate, below);
    }
}
