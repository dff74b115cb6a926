//! Who refers to what: volumes by the claim they are for, claims that have no volume, pods by their claims.
//!
//! Kept here rather than in the stores, since no other controller needs it and each entry costs memory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use cluster::kinds::{Claim, Pod, Volume};
use cluster::{Caches, Change, Key, Kind, Store};

/// Answers are of the moment of asking, like those of a store.
pub(crate) struct Index {
    volumes: Groups,
    claims: Groups,
    pods: Groups,
    caches: Caches,
}

/// `(group, member)`, in order. An object that belongs nowhere costs nothing.
#[derive(Default)]
struct Groups(Mutex<BTreeSet<(Key, Key)>>);

/// No group of a claim has this name: those have a slash.
const LOOSE: &str = "";

impl Index {
    pub(crate) fn new(caches: &Caches) -> Arc<Self> {
        let index = Arc::new(Self {
            volumes: Groups::default(),
            claims: Groups::default(),
            pods: Groups::default(),
            caches: caches.clone(),
        });
        let own = Arc::downgrade(&index);
        keep(&caches.volumes, own.clone(), |index| &index.volumes, |volume| vec![group_of_volume(volume)]);
        keep(&caches.claims, own.clone(), |index| &index.claims, groups_of_claim);
        keep(&caches.pods, own, |index| &index.pods, groups_of_pod);
        index
    }

    /// Volumes that are for nobody.
    pub(crate) fn free_volumes(&self) -> Vec<Arc<Volume>> {
        self.volumes.members(LOOSE, &self.caches.volumes)
    }

    /// Volumes whose claimRef names this claim, with whatever uid.
    pub(crate) fn volumes_of(&self, claim: &str) -> Vec<Arc<Volume>> {
        self.volumes.members(claim, &self.caches.volumes)
    }

    /// Claims without `spec.volumeName`.
    pub(crate) fn claims_without_volume(&self) -> Vec<Arc<Claim>> {
        self.claims.members(LOOSE, &self.caches.claims)
    }

    /// Pods that have no node.
    pub(crate) fn unscheduled_pods(&self) -> Vec<Arc<Pod>> {
        self.pods.members(LOOSE, &self.caches.pods)
    }

    /// Pods with a volume of this claim (`namespace/name`), a generic ephemeral one included.
    pub(crate) fn pods_of(&self, claim: &str) -> Vec<Arc<Pod>> {
        self.pods.members(claim, &self.caches.pods)
    }
}

fn group_of_volume(volume: &Volume) -> Key {
    match &volume.claim {
        Some(claim) => Key::namespaced(&claim.namespace, &claim.name),
        None => Key::cluster(LOOSE),
    }
}

fn groups_of_claim(claim: &Claim) -> Vec<Key> {
    if claim.volume.is_none() { vec![Key::cluster(LOOSE)] } else { Vec::new() }
}

fn groups_of_pod(pod: &Pod) -> Vec<Key> {
    let mut groups = claims_of_pod(pod);
    if pod.node.is_empty() {
        groups.push(Key::cluster(LOOSE));
    }
    groups
}

/// The claims behind a pod's volumes, generic ephemeral ones included.
pub(crate) fn claims_of_pod(pod: &Pod) -> Vec<Key> {
    let namespace = pod.meta.key.namespace().unwrap_or_default();
    pod.volumes.iter().filter_map(|volume| pod.claim_name(volume)).map(|name| Key::namespaced(namespace, &name)).collect()
}

/// Two changes of one object may be told in either order, so each only says where to look; what is kept is what the store says.
fn keep<K: Kind>(
    store: &Arc<Store<K>>,
    index: std::sync::Weak<Index>,
    groups: fn(&Index) -> &Groups,
    of: impl Fn(&K) -> Vec<Key> + Send + Sync + 'static,
) {
    let from = Arc::downgrade(store);
    store.subscribe(move |change: &Change<K>| {
        let (Some(index), Some(store), Some(key)) = (index.upgrade(), from.upgrade(), change.key()) else { return };
        let mut entries = groups(&index).lock();
        let now = store.get(key.as_str()).map(|object| of(&object)).unwrap_or_default();
        for object in change.old.iter().chain(&change.new) {
            for group in of(object) {
                if now.contains(&group) {
                    entries.insert((group, key.clone()));
                } else {
                    entries.remove(&(group, key.clone()));
                }
            }
        }
    });
}

// === impl Groups ===

impl Groups {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<(Key, Key)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn members<K: Kind>(&self, group: &str, store: &Store<K>) -> Vec<Arc<K>> {
        let from = (Key::cluster(group), Key::cluster(""));
        let entries = self.lock();
        let members: Vec<Key> =
            entries.range(from..).take_while(|(of, _)| of.as_str() == group).map(|(_, member)| member.clone()).collect();
        drop(entries);
        members.iter().filter_map(|key| store.get(key.as_str())).collect()
    }
}

#[cfg(test)]
mod tests;
