//! A batch of writes being planned: the durable state, and on top of it what the batch has changed so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use api_kinds::{Registry, World};
use serde_json::Value;

use super::log::Done;
use super::state::{Change, State};
use crate::{Object, object};

/// What one write of a batch sees, and where it goes.
pub(crate) struct Txn<'a> {
    base: &'a State,
    /// By resource and key; `None`: deleted.
    staged: BTreeMap<Arc<str>, BTreeMap<Box<str>, Option<Object>>>,
    changes: Vec<Change>,
    version: u64,
}

impl<'a> Txn<'a> {
    /// A batch on this state.
    pub(crate) fn of(base: &'a State) -> Self {
        Self { base, staged: BTreeMap::new(), changes: Vec::new(), version: base.version() }
    }

    /// The version of the last change that is planned.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// What is served.
    pub(crate) fn registry(&self) -> &Registry {
        self.base.registry()
    }

    /// One object.
    pub(crate) fn get(&self, resource: &str, key: &str) -> Option<&Object> {
        match self.staged.get(resource).and_then(|staged| staged.get(key)) {
            Some(staged) => staged.as_ref(),
            None => self.base.find(resource)?.get(key),
        }
    }

    /// Those whose key begins with `prefix`, in order.
    pub(crate) fn range(&self, resource: &str, prefix: &str) -> Vec<Object> {
        let durable = self.base.find(resource).into_iter().flat_map(|collection| collection.range(prefix, prefix)).cloned();
        let Some(staged) = self.staged.get(resource) else { return durable.collect() };
        overlay(durable, staged.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, object)| (&**key, object.as_ref())))
    }

    /// Takes in what a write changes.
    pub(crate) fn stage(&mut self, changes: Vec<Change>) {
        for change in changes {
            self.version = change.entry.version();
            let object = &change.entry.object;
            let state = (change.entry.done != Done::Deleted).then(|| object.clone());
            self.staged.entry(change.resource.clone()).or_default().insert(object.key().into(), state);
            self.changes.push(change);
        }
    }

    /// Everything that is planned, in order.
    pub(crate) fn into_changes(self) -> Vec<Change> {
        self.changes
    }
}

/// `objects` with some of them replaced, added or taken away. Both are in the order of their keys.
pub(crate) fn overlay<'a>(
    objects: impl Iterator<Item = Object>,
    changes: impl Iterator<Item = (&'a str, Option<&'a Object>)>,
) -> Vec<Object> {
    let (mut objects, mut changes) = (objects.peekable(), changes.peekable());
    let mut merged = Vec::with_capacity(objects.size_hint().0);
    while let Some(&(key, change)) = changes.peek() {
        if let Some(object) = objects.next_if(|object| object.key() < key) {
            merged.push(object);
            continue;
        }
        objects.next_if(|object| object.key() == key);
        merged.extend(change.cloned());
        changes.next();
    }
    merged.extend(objects);
    merged
}

impl World for Txn<'_> {
    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        Txn::get(self, resource, &object::key(namespace, name)).map(Object::value)
    }

    fn list(&self, resource: &str) -> Vec<Value> {
        self.range(resource, "").iter().map(Object::value).collect()
    }
}
