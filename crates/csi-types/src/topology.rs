//! Where a volume may be: segments and requirements.

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

/// Where a new volume has to be. Spec: CSI TopologyRequirement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopologyRequirement {
    /// The volume must be reachable from at least one of these.
    pub requisite: Vec<Segments>,
    /// The same places, the best first.
    pub preferred: Vec<Segments>,
}
