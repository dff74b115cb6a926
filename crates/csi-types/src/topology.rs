//! Where a volume may be: segments and requirements, and the rules that make a requirement.
//!
//! Which nodes and classes there are is for the caller to find out. Upstream: external-provisioner `pkg/controller/topology.go`.

use std::collections::BTreeMap;

/// One place, as `key -> value`, for example `{topology.kubernetes.io/zone: a}`. Ordered, so that equal places compare equal.
/// Spec: CSI Topology.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Segments(pub BTreeMap<String, String>);

impl Segments {
    /// Whether every pair of `self` is in `other` too. An empty place is everywhere.
    pub fn is_subset_of(&self, other: &Segments) -> bool {
        self.0.iter().all(|(key, value)| other.0.get(key) == Some(value))
    }

    /// Whether no key is given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Segments {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

/// Where a new volume has to be. Spec: CSI TopologyRequirement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopologyRequirement {
    /// The volume must be reachable from at least one of these.
    pub requisite: Vec<Segments>,
    /// The same places, the best first.
    pub preferred: Vec<Segments>,
}

impl TopologyRequirement {
    /// Exactly one place: a consumer waits there and nowhere else will do.
    pub fn only(place: Segments) -> Self {
        Self { requisite: vec![place.clone()], preferred: vec![place] }
    }

    /// Any of the places, that of the waiting consumer first. `None` if none of them holds the consumer.
    pub fn around(places: Vec<Segments>, consumer: &Segments) -> Option<Self> {
        let requisite = normalized(places);
        let first = requisite.iter().position(|place| place.is_subset_of(consumer))?;
        Some(Self { preferred: rotated(&requisite, first), requisite })
    }

    /// Any of the places, starting where the claim's name falls, so that the members of a stateful set spread.
    /// `None` if there are no places, which asks for nothing.
    pub fn spread(places: Vec<Segments>, claim_name: &str) -> Option<Self> {
        let requisite = normalized(places);
        let count = u32::try_from(requisite.len()).ok().filter(|count| *count > 0)?;
        let start = spread_offset(claim_name) % count;
        Some(Self { preferred: rotated(&requisite, start as usize), requisite })
    }
}

/// Sorted by length and then by pairs, each once. The order is part of what a retry must repeat.
fn normalized(mut places: Vec<Segments>) -> Vec<Segments> {
    places.sort_by(|a, b| (a.0.len(), a).cmp(&(b.0.len(), b)));
    places.dedup();
    places
}

fn rotated(places: &[Segments], first: usize) -> Vec<Segments> {
    let (before, after) = places.split_at(first);
    [after, before].concat()
}

/// Where a claim starts among the places: `<claim>-<set>-<n>` starts `n` after the place of `<set>`, so that the claims of one
/// member share a place and members take turns. Any other name starts at its own hash.
fn spread_offset(claim_name: &str) -> u32 {
    let member = claim_name.rsplit_once('-').and_then(|(set, n)| {
        let digits = !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
        Some((set, n.parse::<u32>().ok().filter(|_| digits)?))
    });
    match member {
        Some((set, n)) => fnv1(set.rsplit_once('-').map_or(set, |(_, set)| set)).wrapping_add(n),
        None => fnv1(claim_name),
    }
}

/// FNV-1 of 32 bits; not the more common 1a, because the result has to be upstream's.
fn fnv1(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(byte))
}

#[cfg(test)]
mod tests;
