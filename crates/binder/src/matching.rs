//! Which volume fits which claim. Total functions of two objects; what to do about it is for plans to say.
//!
//! Upstream: component-helpers storage/volume `FindMatchingVolume`, and the binder's index by access modes.

use std::collections::BTreeSet;
use std::sync::Arc;

use cluster::kinds::selector::Labels;
use cluster::kinds::{Claim, Class, Volume};
use cluster::{Key, kinds::Phase};
use csi_types::{Bytes, Quantity};

/// What the class of a claim comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClassFact {
    /// Nothing is said about a class: the default one may be filled in.
    Unset,
    /// `""`: none, on purpose.
    Nothing,
    /// It names one that is not there.
    Missing(Box<str>),
    Found(Arc<Class>),
}

impl ClassFact {
    pub(crate) fn of(claim: &Claim, get: impl Fn(&str) -> Option<Arc<Class>>) -> Self {
        match claim.class.as_deref() {
            None => Self::Unset,
            Some("") => Self::Nothing,
            Some(name) => get(name).map_or_else(|| Self::Missing(name.into()), Self::Found),
        }
    }

    /// Whether binding waits for a consumer. A class that is not there does not wait. Upstream: `IsDelayBindingMode`.
    pub(crate) fn waits_for_consumer(&self) -> bool {
        matches!(self, Self::Found(class) if class.waits_for_consumer)
    }
}

/// Whether a volume's claimRef is this claim. One without uid was written by a user, and counts.
pub(crate) fn is_bound_to(volume: &Volume, claim: &Claim) -> bool {
    volume.claim.as_ref().is_some_and(|reference| {
        let key = &claim.meta.key;
        key.namespace() == Some(&*reference.namespace)
            && key.name() == &*reference.name
            && (reference.uid.is_empty() || reference.uid == claim.meta.uid)
    })
}

pub(crate) fn same_mode(volume: &Volume, claim: &Claim) -> bool {
    volume.volume_mode.unwrap_or_default() == claim.volume_mode.unwrap_or_default()
}

/// Every mode that is asked for must be listed; none implies another.
pub(crate) fn has_access_modes(volume: &Volume, claim: &Claim) -> bool {
    claim.access_modes.iter().all(|mode| volume.access_modes.contains(mode))
        && claim.unknown_access_modes.iter().all(|mode| volume.unknown_access_modes.contains(mode))
}

pub(crate) fn same_class(volume: &Volume, claim: &Claim) -> bool {
    volume.class.as_deref().unwrap_or_default() == claim.class.as_deref().unwrap_or_default()
}

pub(crate) fn same_attributes_class(volume: &Volume, claim: &Claim) -> bool {
    volume.attributes_class == claim.attributes_class
}

/// What a claim asks for; nothing is zero.
pub(crate) fn request(claim: &Claim) -> Quantity {
    claim.request.as_deref().and_then(|text| Quantity::parse(text).ok()).unwrap_or_default()
}

/// `None`: it does not say, or says something that is no amount.
pub(crate) fn capacity(volume: &Volume) -> Option<Quantity> {
    Quantity::parse(&volume.capacity).ok()
}

/// Compared exactly.
pub(crate) fn is_large_enough(volume: &Volume, claim: &Claim) -> bool {
    capacity(volume).unwrap_or_default() >= request(claim)
}

/// Compared in whole bytes, rounded up: the check of a volume that the claim names. Upstream: `checkVolumeSatisfyClaim`.
pub(crate) fn is_large_enough_in_bytes(volume: &Volume, claim: &Claim) -> bool {
    let bytes = |quantity: Quantity| quantity.bytes().unwrap_or(Bytes::MAX);
    capacity(volume).map_or(Bytes(0), bytes) >= bytes(request(claim))
}

/// Whether the volume can be used on a node with these labels. Upstream asks of a node without a name.
pub(crate) fn is_reachable(volume: &Volume, node: &Labels) -> bool {
    volume.affinity.as_ref().is_none_or(|affinity| affinity.matches("", node))
}

/// What even a volume that was given to the claim must satisfy.
fn can_serve(volume: &Volume, claim: &Claim) -> bool {
    is_large_enough(volume, claim)
        && same_mode(volume, claim)
        && same_attributes_class(volume, claim)
        && has_access_modes(volume, claim)
        && !volume.meta.deleting
}

/// What a volume must satisfy besides, to be found.
fn suits(volume: &Volume, claim: &Claim) -> bool {
    volume.claim.is_none()
        && volume.phase == Phase::Available
        && claim.selector.as_ref().is_none_or(|selector| selector.matches(&volume.labels))
        && same_class(volume, claim)
        && can_serve(volume, claim)
}

fn modes(volume: &Volume) -> usize {
    let known: BTreeSet<_> = volume.access_modes.iter().collect();
    known.len() + volume.unknown_access_modes.len()
}

/// The best volume for a claim, wherever its consumer will be: one that was given to it, then the one with the fewest access
/// modes, then the smallest, then by name. With `delayed`, only one that was given to it.
pub(crate) fn find(claim: &Claim, volumes: &[Arc<Volume>], delayed: bool) -> Option<Arc<Volume>> {
    let rank = |volume: &&Arc<Volume>| (modes(volume), capacity(volume), volume.meta.key.clone());
    let given = volumes.iter().filter(|volume| is_bound_to(volume, claim) && can_serve(volume, claim)).min_by_key(rank);
    let found = || volumes.iter().filter(|volume| !delayed && suits(volume, claim)).min_by_key(rank);
    given.or_else(found).cloned()
}

/// The best volume for a claim whose consumer would be on a node with these labels: one that was given to it, then the
/// smallest. One that was given to it and cannot be reached ends the search.
pub(crate) fn find_on(claim: &Claim, volumes: &[Arc<Volume>], node: &Labels, taken: &BTreeSet<Key>) -> Option<Arc<Volume>> {
    let rank = |volume: &&Arc<Volume>| (capacity(volume), modes(volume), volume.meta.key.clone());
    let loose = || volumes.iter().filter(|volume| !taken.contains(&volume.meta.key));
    let given = loose().filter(|volume| is_bound_to(volume, claim) && can_serve(volume, claim)).min_by_key(rank);
    let best = match given {
        Some(given) => Some(given),
        None => loose().filter(|volume| suits(volume, claim) && is_reachable(volume, node)).min_by_key(rank),
    };
    best.filter(|volume| is_reachable(volume, node)).cloned()
}

/// The class for claims that name none: of several, the newest, then the first by name.
pub(crate) fn default_class(classes: &[Arc<Class>]) -> Option<Arc<Class>> {
    classes.iter().filter(|class| class.is_default).min_by_key(|class| (-class.created, class.meta.key.clone())).cloned()
}

#[cfg(test)]
mod tests;
