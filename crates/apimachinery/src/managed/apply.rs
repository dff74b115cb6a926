//! Server-side apply.
//!
//! Upstream: structured-merge-diff merge/update.go, apimachinery managedfields/internal.

use serde_json::{Map, Value};

use super::build::{fields, merged, remove};
use super::compare::{Changes, compare};
use super::conflict::{Conflict, refusal};
use super::entries::{self, Entry, Malformed, Operation};
use super::last_applied;
use super::set::Set;
use super::shape::same;
use super::track::{NEVER_OWNED, ignored, updated};
use super::{Manager, take_entries};
use crate::{Schema, Status, object};

/// An application of a configuration to an object.
pub(super) struct Application<'a> {
    pub(super) live: Option<&'a Value>,
    pub(super) config: &'a Value,
    pub(super) schema: &'a Schema,
    pub(super) manager: Manager<'a>,
    pub(super) reset: &'a [&'a [&'a str]],
}

/// Who owns what, decoded.
struct Owner {
    entry: Entry,
    fields: Set,
}

impl Application<'_> {
    pub(super) fn run(&self, force: bool) -> Result<Value, Status> {
        if object::at(self.config, &["metadata", "managedFields"]).is_some_and(|list| !list.is_null()) {
            return Err(Status::bad_request("metadata.managedFields must be nil"));
        }
        self.schema.check_typed(self.config).map_err(|why| {
            let (namespace, name) = (object::namespace(self.config), object::name(self.config));
            let (version, kind) = (object::text(self.config, &["apiVersion"]), object::text(self.config, &["kind"]));
            let version = if version.contains('/') { version.to_owned() } else { format!("/{version}") };
            Status::internal(format!("failed to create typed patch object ({namespace}/{name}; {version}, Kind={kind}): {why}"))
        })?;

        let mut live = self.live.cloned().unwrap_or_else(|| Value::Object(Map::new()));
        let list = take_entries(&mut live);
        let owners = self.owners(list.as_ref(), &live).unwrap_or_default();
        for field in ["apiVersion", "kind"] {
            if let Some(value) = self.config.get(field) {
                object::fields(&mut live).insert(field.to_owned(), value.clone());
            }
        }

        let mut new = match self.attempt(&live, &owners, force) {
            Ok(new) => new,
            Err(conflicts) => self.once_more(&live, &owners, conflicts).map_err(refusal)?,
        };
        if self.manager.name == last_applied::KUBECTL {
            last_applied::update(&mut new, self.config);
        }
        Ok(new)
    }

    /// The owners of the object. One that is not tracked yet is owned by what was before the first application.
    fn owners(&self, list: Option<&Value>, live: &Value) -> Result<Vec<Owner>, Malformed> {
        let mut entries = list.map_or(Ok(Vec::new()), entries::decode).unwrap_or_default();
        if entries.is_empty() && self.live.is_some() {
            let before = Manager { name: "before-first-apply", ..self.manager };
            let changes = compare(&Value::Object(Map::new()), live, self.schema).without(&ignored(self.reset));
            entries = updated(entries, &changes, before)?;
        }
        entries.retain(|entry| entry.speaks(self.manager));
        entries.into_iter().map(|entry| Ok(Owner { fields: entry.fields()?, entry })).collect()
    }

    /// Applies, unless another manager would lose a field that nobody forces it to give up.
    fn attempt(&self, live: &Value, owners: &[Owner], force: bool) -> Result<Value, Vec<Conflict>> {
        let is_mine = |owner: &&Owner| owner.entry.is(self.manager, Operation::Apply);
        let ignored = ignored(self.reset);
        let mine = fields(self.config, Some(self.schema)).without(&ignored);
        let others: Vec<&Owner> = owners.iter().filter(|owner| !is_mine(owner)).collect();
        let last = owners.iter().find(is_mine);

        let mut new = merged(live, self.config, self.schema);
        if let Some(last) = last.filter(|last| !last.fields.is_empty()) {
            let owned = others.iter().fold(mine.clone(), |all, owner| all.union(&owner.fields));
            new = self.pruned(new, &last.fields, &owned);
        }

        let changes: Changes = compare(live, &new, self.schema).without(&ignored);
        let changed = changes.set();
        let taken = |owner: &Owner| owner.fields.intersection(&changed);
        let conflicts: Vec<Conflict> = others
            .iter()
            .map(|owner| Conflict::new(&owner.entry, taken(owner)))
            .filter(|conflict| !conflict.is_empty())
            .collect();
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }

        let mut entries = Vec::with_capacity(owners.len() + 1);
        for owner in others {
            let fields = owner.fields.difference(&changed).difference(&changes.removed);
            if fields.is_empty() {
                continue;
            }
            let mut entry = owner.entry.clone();
            if fields != owner.fields {
                entry.set_fields(&fields);
            }
            entries.push(entry);
        }
        let mine = mine.difference(&NEVER_OWNED);
        if !mine.is_empty() {
            let mut entry = Entry::new(self.manager, Operation::Apply, &mine);
            // Upstream: an application that changes nothing but who owns what leaves the time as it was, or out.
            if same(live, &new) {
                entry.copy_time(last.map(|last| &last.entry));
            } else {
                entry.set_time(self.manager.time);
            }
            entries.push(entry);
        }
        if let Some(list) = entries::encode(entries) {
            object::metadata(&mut new).insert("managedFields".to_owned(), list);
        }
        Ok(new)
    }

    /// Takes away what the manager applied last time, does not apply now, and nobody else owns.
    fn pruned(&self, merged: Value, last: &Set, owned: &Set) -> Value {
        let schema = Some(self.schema);
        let set = |value: &Value| fields(value, schema).with_named_fields(schema);
        let without = |doomed: &Set| {
            let mut rest = merged.clone();
            remove(&mut rest, doomed, schema);
            rest
        };
        let last = last.with_named_fields(schema);
        let all = set(&merged);
        // What others own comes back, with what it is in.
        let kept = set(&without(&last)).union(&owned.with_named_fields(schema));
        let kept = without(&all.difference(&kept));
        // And so does what the manager never owned.
        without(&all.difference(&set(&kept)).intersection(&last))
    }

    /// `kubectl` may have from itself what it applied on the client's side before.
    fn once_more(&self, live: &Value, owners: &[Owner], conflicts: Vec<Conflict>) -> Result<Value, Vec<Conflict>> {
        if self.manager.name != last_applied::KUBECTL {
            return Err(conflicts);
        }
        let Some(allowed) = last_applied::fields(live, self.manager.api_version, self.schema) else { return Err(conflicts) };
        let conflicts: Vec<Conflict> =
            conflicts.into_iter().map(|conflict| conflict.without(&allowed)).filter(|conflict| !conflict.is_empty()).collect();
        if conflicts.is_empty() { self.attempt(live, owners, true) } else { Err(conflicts) }
    }
}
