//! What a pod asks of the node it is put on. Read, and kept, only until it is there.

use serde::Deserialize;

use super::node::Taint;
use super::selector::{Labels, NodeSelector};

/// One entry of `spec.tolerations`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Toleration {
    /// Empty, with `Exists`: every taint.
    pub key: Box<str>,
    /// `Equal` when empty.
    pub operator: Box<str>,
    pub value: Box<str>,
    /// Empty: every effect.
    pub effect: Box<str>,
}

impl Toleration {
    /// Whether a pod with this toleration may be on a node with that taint.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        let effect = self.effect.is_empty() || self.effect == taint.effect;
        let key = self.key == taint.key || (self.key.is_empty() && &*self.operator == "Exists");
        let value = match &*self.operator {
            "" | "Equal" => self.value == taint.value,
            "Exists" => true,
            _ => false,
        };
        effect && key && value
    }
}

/// What a pod that has no node asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scheduling {
    /// `spec.schedulerName`; `default-scheduler` unless said otherwise.
    pub scheduler: Box<str>,
    /// `spec.schedulingGates` is not empty.
    pub gated: bool,
    /// `spec.nodeSelector`.
    pub node_selector: Labels,
    /// `spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`.
    pub affinity: Option<NodeSelector>,
    /// `spec.tolerations`.
    pub tolerations: Box<[Toleration]>,
}

/// `spec.affinity`, by the field that is read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AffinityWire {
    node_affinity: Option<NodeAffinity>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NodeAffinity {
    required_during_scheduling_ignored_during_execution: Option<NodeSelector>,
}

impl AffinityWire {
    pub(super) fn required(self) -> Option<NodeSelector> {
        self.node_affinity?.required_during_scheduling_ignored_during_execution
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toleration_without_a_key_tolerates_every_taint_if_it_asks_only_that_there_is_one() {
        let taint = Taint { key: "a".into(), value: "1".into(), effect: "NoSchedule".into() };
        let toleration = |key: &str, operator: &str, value: &str, effect: &str| Toleration {
            key: key.into(),
            operator: operator.into(),
            value: value.into(),
            effect: effect.into(),
        };
        assert!(toleration("", "Exists", "", "").tolerates(&taint));
        assert!(toleration("a", "Exists", "", "NoSchedule").tolerates(&taint));
        assert!(toleration("a", "", "1", "").tolerates(&taint));
        assert!(toleration("a", "Equal", "1", "NoSchedule").tolerates(&taint));
        assert!(!toleration("a", "Equal", "2", "").tolerates(&taint));
        assert!(!toleration("b", "Exists", "", "").tolerates(&taint));
        assert!(!toleration("a", "Exists", "", "NoExecute").tolerates(&taint));
        assert!(!toleration("", "Equal", "1", "").tolerates(&taint));
    }
}
