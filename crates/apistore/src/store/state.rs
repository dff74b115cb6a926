//! Everything that is stored, and nothing but: what is durable, as readers and watchers see it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use api_kinds::Registry;
use apimachinery::Status;
use tokio::sync::Notify;

use super::log::{Entry, Log};
use super::registry;
use super::txn::Txn;
use crate::object::Keyed;
use crate::request::{WriteRequest, Written};
use crate::write::{Env, plan};
use crate::{Object, crds, object};

/// One change of one object of one resource.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// [`api_kinds::Resource::storage_key`].
    pub(crate) resource: Arc<str>,
    pub(crate) entry: Entry,
}

/// The objects of one resource, and their recent changes.
#[derive(Debug)]
pub(crate) struct Collection {
    objects: BTreeSet<Keyed>,
    pub(crate) log: Log,
    /// Rung after each change of this resource.
    pub(crate) changed: Arc<Notify>,
}

impl Collection {
    fn after(version: u64) -> Self {
        Self { objects: BTreeSet::new(), log: Log::after(version), changed: Arc::default() }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Object> {
        self.objects.get(key).map(|keyed| &keyed.0)
    }

    /// Those whose key comes at or after `start` and begins with `prefix`.
    pub(crate) fn range<'a>(&'a self, prefix: &'a str, start: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects
            .range::<str, _>((Bound::Included(start.max(prefix)), Bound::Unbounded))
            .map(|keyed| &keyed.0)
            .take_while(move |object| object.key().starts_with(prefix))
    }
}

/// All objects, the one counter of their versions, and what is served.
#[derive(Debug)]
pub(crate) struct State {
    version: u64,
    /// Where logs begin: the version that was loaded.
    floor: u64,
    collections: BTreeMap<Arc<str>, Collection>,
    registry: Arc<Registry>,
}

impl State {
    /// These objects, as of this version. Nothing is known of how they came to be.
    pub(crate) fn load(version: u64, objects: impl IntoIterator<Item = (Arc<str>, Object)>) -> Self {
        let mut state = Self { version, floor: version, collections: BTreeMap::new(), registry: Arc::default() };
        for (resource, object) in objects {
            state.collection(&resource).objects.insert(Keyed(object));
        }
        state.registry = Arc::new(registry::rebuild(&state));
        state
    }

    /// The version of the last change.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Nothing is known of what happened before this version.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    /// What is served now.
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Forgets every change so far.
    pub(crate) fn compact(&mut self) {
        self.collections.values_mut().for_each(|collection| collection.log.compact());
    }

    /// The objects of a resource, if it has or had any, or somebody watches it.
    pub(crate) fn find(&self, resource: &str) -> Option<&Collection> {
        self.collections.get(resource)
    }

    /// The same, made if it is absent.
    pub(crate) fn collection(&mut self, resource: &Arc<str>) -> &mut Collection {
        let floor = self.floor;
        self.collections.entry(resource.clone()).or_insert_with(|| Collection::after(floor))
    }

    /// One object.
    pub(crate) fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<&Object> {
        self.find(resource)?.get(&object::key(namespace, name))
    }

    /// Takes over changes that are durable. Returns whom to tell.
    pub(crate) fn commit(&mut self, changes: impl IntoIterator<Item = Change>) -> Vec<Arc<Notify>> {
        let mut touched: BTreeMap<Arc<str>, Arc<Notify>> = BTreeMap::new();
        for Change { resource, entry } in changes {
            self.version = entry.version();
            let collection = self.collection(&resource);
            match entry.done {
                super::log::Done::Deleted => {
                    collection.objects.remove(entry.object.key());
                }
                _ => {
                    collection.objects.replace(Keyed(entry.object.clone()));
                }
            }
            collection.log.push(entry);
            let changed = collection.changed.clone();
            touched.insert(resource, changed);
        }
        if touched.contains_key(registry::DEFINITIONS) {
            self.registry = Arc::new(registry::rebuild(self));
        }
        touched.into_values().collect()
    }
}

impl Txn<'_> {
    /// Plans one write on top of what is planned already.
    ///
    /// # Errors
    /// Whatever is wrong with the write; then it leaves nothing behind.
    pub(crate) fn write(&mut self, env: Env, request: WriteRequest) -> Result<Written, Status> {
        crds::admit(self, &request)?;
        let custom = request.resource.custom.is_some();
        let planned = plan(self, env, request)?;
        let settles = crds::concerned(&planned.changes, custom);
        self.stage(planned.changes);
        if settles {
            crds::settle(self, env.now);
        }
        Ok(planned.written)
    }
}
