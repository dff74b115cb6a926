//! An attributes class is used by every volume and claim that names it, has it, or is being changed to it.

use std::sync::Arc;

use cluster::kinds::{AttributesClass, Claim, Volume};
use cluster::{Caches, Change, Key, Keys, Kind, Store};

use super::Protected;
use crate::Part;

impl Protected for AttributesClass {
    const FINALIZER: &'static str = "kubernetes.io/vac-protection";
    const QUEUE: &'static str = "vacprotection";

    fn store(part: &Part) -> &Arc<Store<Self>> {
        &part.caches.attributes_classes
    }

    fn is_used(part: &Part, class: &Self) -> bool {
        let name = class.meta.key.name();
        let Caches { volumes, claims, .. } = &part.caches;
        volumes.all().iter().any(|volume| of_volume(volume).any(|used| used == name))
            || claims.all().iter().any(|claim| of_claim(claim).any(|used| used == name))
    }

    fn wake(part: &Part, keys: &Arc<Keys<Key>>) {
        let (to, classes) = (keys.clone(), part.caches.attributes_classes.clone());
        part.caches.volumes.subscribe(move |change| let_go(change, &to, &classes, |volume| of_volume(volume).collect()));
        let (to, classes) = (keys.clone(), part.caches.attributes_classes.clone());
        part.caches.claims.subscribe(move |change| let_go(change, &to, &classes, |claim| of_claim(claim).collect()));
    }
}

fn of_volume(volume: &Volume) -> impl Iterator<Item = &str> {
    volume.attributes_class.as_deref().into_iter()
}

fn of_claim(claim: &Claim) -> impl Iterator<Item = &str> {
    let Claim { attributes_class, current_attributes_class, target_attributes_class, .. } = claim;
    [attributes_class, current_attributes_class, target_attributes_class].into_iter().flatten().map(|name| &**name)
}

/// Classes that are going, and that this object has named until now.
fn let_go<K: Kind>(
    change: &Change<K>,
    keys: &Keys<Key>,
    classes: &Store<AttributesClass>,
    used: impl for<'a> Fn(&'a K) -> Vec<&'a str>,
) {
    let before = change.old.as_deref().map(&used).unwrap_or_default();
    let after = change.new.as_deref().map(&used).unwrap_or_default();
    for name in before.into_iter().filter(|name| !after.contains(name)) {
        if let Some(class) = classes.get(name).filter(|class| class.meta.deleting) {
            keys.add(class.meta.key.clone());
        }
    }
}
