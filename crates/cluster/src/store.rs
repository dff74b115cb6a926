//! The objects of one kind, as compact values in the order of their keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use tokio::sync::Notify;

use crate::key::{Key, Meta};
use tombs::Tombs;

/// A kind of object that can be watched and kept.
pub trait Kind: PartialEq + Clone + Send + Sync + Sized + 'static {
    /// What the API server's JSON is decoded into. Names only the fields that [`Kind::compact`] reads.
    type Wire: kube::Resource<DynamicType = ()> + serde::de::DeserializeOwned + Clone + std::fmt::Debug + Send + 'static;

    /// The plural, for logs and metrics.
    const PLURAL: &'static str;

    /// What is kept. `None` when no decision here will ever need the object.
    fn compact(wire: Self::Wire) -> Option<Self>;

    /// The metadata.
    fn meta(&self) -> &Meta;

    /// The metadata, to level versions before comparing.
    fn meta_mut(&mut self) -> &mut Meta;

    /// Whether this, as the answer to a write, is the last state of the object: nothing holds it any more.
    ///
    /// Taking the last finalizer off an object that is being deleted ends it, and is answered with its last state under the
    /// version it had before.
    fn is_final(&self) -> bool {
        self.meta().deleting && self.meta().finalizers.is_empty()
    }

    /// What [`Store::indexed`] finds it by.
    fn index(&self) -> Option<&str> {
        None
    }
}

/// Something happened that a decision could depend on. Objects that differ only in their version are no change: that is what
/// keeps a controller's own status writes, and a relist, from waking it.
#[derive(Debug, Clone)]
pub struct Change<K> {
    /// Before; `None` if it was not there.
    pub old: Option<Arc<K>>,
    /// Now; `None` if it is gone.
    pub new: Option<Arc<K>>,
}

impl<K: Kind> Change<K> {
    /// The object's key.
    pub fn key(&self) -> Option<&Key> {
        self.new.as_ref().or(self.old.as_ref()).map(|object| &object.meta().key)
    }
}

type Listener<K> = Box<dyn Fn(&Change<K>) + Send + Sync>;

/// All objects of one kind that the watch has delivered, corrected by what our own writes returned.
pub struct Store<K: Kind> {
    inner: RwLock<Inner<K>>,
    listeners: RwLock<Vec<Listener<K>>>,
    synced: AtomicBool,
    on_sync: Notify,
}

struct Inner<K> {
    objects: BTreeMap<Key, Arc<K>>,
    index: BTreeMap<Box<str>, BTreeSet<Key>>,
    /// A late answer must not bring a deleted object back.
    tombs: Tombs,
}

impl<K: Kind> Default for Store<K> {
    fn default() -> Self {
        let inner = Inner { objects: BTreeMap::new(), index: BTreeMap::new(), tombs: Tombs::default() };
        Self {
            inner: RwLock::new(inner),
            listeners: RwLock::new(Vec::new()),
            synced: AtomicBool::new(false),
            on_sync: Notify::new(),
        }
    }
}

impl<K: Kind> Store<K> {
    /// The object with this key (`namespace/name`, or `name`).
    pub fn get(&self, key: &str) -> Option<Arc<K>> {
        self.read().objects.get(key).cloned()
    }

    /// All objects, in the order of their keys. Clones the pointers, not the objects.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.read().objects.values().cloned().collect()
    }

    /// The objects whose [`Kind::index`] is this, in the order of their keys.
    pub fn indexed(&self, by: &str) -> Vec<Arc<K>> {
        let inner = self.read();
        inner.index.get(by).into_iter().flatten().filter_map(|key| inner.objects.get(key).cloned()).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.read().objects.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `listener` for every change from now on, and once for each object that is already there.
    ///
    /// It runs where the change is made, so it must not wait: it notes keys in a queue. What it reads of this store may be newer
    /// than the change, and changes of one object may be told in either order.
    pub fn subscribe(&self, listener: impl Fn(&Change<K>) + Send + Sync + 'static) {
        let mut listeners = self.listeners.write().unwrap_or_else(|e| e.into_inner());
        for object in self.all() {
            listener(&Change { old: None, new: Some(object) });
        }
        listeners.push(Box::new(listener));
    }

    /// Whether the first complete list has arrived.
    pub fn is_synced(&self) -> bool {
        self.synced.load(Ordering::SeqCst)
    }

    /// Waits for the first complete list. Cancel safe.
    pub async fn synced(&self) {
        loop {
            let notified = self.on_sync.notified();
            if self.is_synced() {
                return;
            }
            notified.await;
        }
    }

    /// Takes in what the API server answered to a write of ours, unless the watch has already brought something newer.
    /// An answer that is the object's end ([`Kind::is_final`]) removes it.
    pub fn put_answer(&self, object: K) {
        let change = {
            let mut inner = self.write();
            let Meta { key, version, .. } = object.meta();
            let have = inner.objects.get(key);
            if object.is_final() && have.is_none_or(|have| have.meta().version <= *version) {
                inner.tombs.bury(key, *version);
                let change = inner.remove(key);
                drop(inner);
                return self.tell(change);
            }
            let stale = match have {
                Some(have) => object.meta().version <= have.meta().version,
                None => inner.tombs.cover(&object.meta().key, object.meta().version),
            };
            if stale || object.meta().version == 0 {
                return;
            }
            inner.insert(Arc::new(object))
        };
        self.tell(change);
    }

    /// An object was made or changed, says the watch.
    pub fn apply(&self, object: K) {
        let change = {
            let mut inner = self.write();
            let version = object.meta().version;
            let stale = match inner.objects.get(&object.meta().key) {
                Some(have) => have.meta().version > version,
                // An answer of ours has told of its end before the watch does.
                None => inner.tombs.buried(&object.meta().key, version),
            };
            if stale && version != 0 { None } else { inner.insert(Arc::new(object)) }
        };
        self.tell(change);
    }

    /// An object is gone, says the watch.
    pub fn delete(&self, meta: &Meta) {
        let change = {
            let mut inner = self.write();
            inner.tombs.bury(&meta.key, meta.version);
            // An answer of ours may have told of its successor already.
            let newer = inner.objects.get(&meta.key).is_some_and(|have| have.meta().version > meta.version);
            if newer && meta.version != 0 { None } else { inner.remove(&meta.key) }
        };
        self.tell(change);
    }

    /// A complete list has arrived: what is not in it is gone.
    pub fn replace(&self, objects: Vec<K>) {
        let mut changes = Vec::new();
        {
            let mut inner = self.write();
            inner.tombs.relisted(objects.iter().map(|object| object.meta().version).max().unwrap_or(0));
            let listed: BTreeSet<Key> = objects.iter().map(|object| object.meta().key.clone()).collect();
            let gone: Vec<Key> = inner.objects.keys().filter(|key| !listed.contains(*key)).cloned().collect();
            changes.extend(gone.iter().filter_map(|key| inner.remove(key)));
            changes.extend(objects.into_iter().filter_map(|object| {
                let newer = inner.objects.get(&object.meta().key).is_some_and(|have| have.meta().version > object.meta().version);
                if newer { None } else { inner.insert(Arc::new(object)) }
            }));
        }
        for change in changes {
            self.tell(Some(change));
        }
        self.synced.store(true, Ordering::SeqCst);
        self.on_sync.notify_waiters();
    }

    fn tell(&self, change: Option<Change<K>>) {
        let Some(change) = change else { return };
        for listener in self.listeners.read().unwrap_or_else(|e| e.into_inner()).iter() {
            listener(&change);
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner<K>> {
        self.inner.read().unwrap_or_else(|e| e.into_inner())
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inner<K>> {
        self.inner.write().unwrap_or_else(|e| e.into_inner())
    }
}

// === impl Inner ===

impl<K: Kind> Inner<K> {
    /// `None` if nothing but the version changed.
    fn insert(&mut self, new: Arc<K>) -> Option<Change<K>> {
        let key = new.meta().key.clone();
        let old = self.objects.insert(key.clone(), new.clone());
        if old.as_deref().and_then(K::index) != new.index() {
            if let Some(by) = old.as_deref().and_then(K::index) {
                self.unindex(by, &key);
            }
            if let Some(by) = new.index() {
                self.index.entry(by.into()).or_default().insert(key);
            }
        }
        if let Some(old) = &old {
            let mut levelled = (**old).clone();
            levelled.meta_mut().version = new.meta().version;
            if levelled == *new {
                return None;
            }
        }
        Some(Change { old, new: Some(new) })
    }

    fn remove(&mut self, key: &Key) -> Option<Change<K>> {
        let old = self.objects.remove(key)?;
        if let Some(by) = old.index() {
            self.unindex(by, key);
        }
        Some(Change { old: Some(old), new: None })
    }

    fn unindex(&mut self, by: &str, key: &Key) {
        if let Some(keys) = self.index.get_mut(by) {
            keys.remove(key);
            if keys.is_empty() {
                self.index.remove(by);
            }
        }
    }
}

mod tombs;

#[cfg(test)]
mod tests;
