//! Ownership of what a create, update or patch changes.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::compare::{Changes, compare};
use super::entries::{self, Entry, Malformed, Operation};
use super::set::Set;
use super::{Manager, take_entries};
use crate::{Schema, object};

/// Upstream: apimachinery managedfields/internal/stripmeta.go.
pub(super) static NEVER_OWNED: LazyLock<Set> = LazyLock::new(|| {
    let metadata = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    let fields = metadata.map(|field| Set::of_path(&["metadata", field]));
    let heads = [["apiVersion"], ["kind"], ["metadata"]].map(|path| Set::of_path(&path));
    heads.iter().chain(&fields).fold(Set::default(), |all, one| all.union(one))
});

/// The paths that a write cannot own, nor the list of managers itself.
pub(super) fn ignored(reset: &[&[&str]]) -> Set {
    let list = Set::of_path(&["metadata", "managedFields"]);
    reset.iter().fold(list, |all, path| all.union(&Set::of_path(path)))
}

/// See [`super::track`].
pub(super) fn track(old: Option<&Value>, new: &mut Value, schema: &Schema, manager: Manager<'_>, reset: &[&[&str]]) {
    let stored = old.and_then(|old| object::at(old, &["metadata", "managedFields"]));
    let list = match take_entries(new) {
        // Through a subresource nobody edits the list.
        _ if !manager.subresource.is_empty() => List::Stored,
        None | Some(Value::Null) => List::Stored,
        Some(list) if entries::is_reset(&list) => List::Sent(Vec::new()),
        Some(list) if Some(&list) == stored => List::StoredHere(list),
        Some(list) => entries::decode(&list).map_or(List::Stored, List::Sent),
    };
    let (mut entries, kept) = match list {
        List::Sent(entries) => (entries, false),
        List::StoredHere(list) => (entries::stored(list), true),
        List::Stored => (stored.map(|list| entries::stored(list.clone())).unwrap_or_default(), true),
    };
    if entries.is_empty() && old.is_some() {
        return;
    }
    entries.retain(|entry| entry.speaks(manager));
    let empty = Value::Object(Map::new());
    let changes = compare(old.unwrap_or(&empty), new, schema).without(&ignored(reset));
    if kept && changes.is_empty() {
        put(new, entries);
        return;
    }
    // A list that cannot be read counts as none: whoever broke it must not make the object unwritable.
    let entries = updated(entries, &changes, manager).unwrap_or_default();
    put(new, entries);
}

/// Where the managers are read.
enum List {
    /// In the stored object.
    Stored,
    /// The same, and the new object brought a copy of it along.
    StoredHere(Value),
    /// In the new object.
    Sent(Vec<Entry>),
}

fn put(new: &mut Value, entries: Vec<Entry>) {
    if let Some(list) = entries::encode(entries) {
        object::metadata(new).insert("managedFields".to_owned(), list);
    }
}

/// The entries after the changes: they are the manager's now, and nobody else's.
pub(super) fn updated(mut entries: Vec<Entry>, changes: &Changes, manager: Manager<'_>) -> Result<Vec<Entry>, Malformed> {
    let changed = changes.set();
    let own = changed.difference(&NEVER_OWNED);
    let mut result = Vec::with_capacity(entries.len() + 1);
    let mut mine = None;
    for mut entry in entries.drain(..) {
        let is_mine = mine.is_none() && entry.is(manager, Operation::Update);
        let lost = !is_mine && entry.owns_any(&changed);
        if lost || entry.owns_any(&changes.removed) || is_mine && !own.is_empty() {
            let mut fields = entry.fields()?;
            if lost {
                fields = fields.difference(&changed);
            }
            fields = fields.difference(&changes.removed);
            if is_mine {
                fields = fields.union(&own);
            }
            if fields.is_empty() {
                continue;
            }
            entry.set_fields(&fields);
        }
        if is_mine {
            mine = Some(result.len());
        }
        result.push(entry);
    }
    if !own.is_empty() {
        let mine = mine.unwrap_or_else(|| {
            result.push(Entry::new(manager, Operation::Update, &own));
            result.len() - 1
        });
        result[mine].set_time(manager.time);
    }
    entries::cap(&mut result)?;
    Ok(result)
}
