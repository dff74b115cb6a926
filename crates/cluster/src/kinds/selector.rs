//! Selectors of labels and of nodes: what a claim asks of a volume, and a volume or a pod of a node.
//!
//! They are matched here as well as decoded, so that everyone who reads one means the same by it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Labels, as compact objects keep them.
pub type Labels = BTreeMap<Box<str>, Box<str>>;

/// What a requirement asks of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "the names are Kubernetes' own")]
pub enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
    Gt,
    Lt,
    /// One that this version does not know; it never holds.
    #[serde(other)]
    Unknown,
}

/// One requirement: `key operator values`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Requirement {
    pub key: Box<str>,
    pub operator: Operator,
    #[serde(default)]
    pub values: Box<[Box<str>]>,
}

impl Requirement {
    /// Whether these labels satisfy it. A label that is not there satisfies `NotIn`.
    pub fn holds(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key).map(|value| &**value);
        let listed = |value: &str| self.values.iter().any(|have| **have == *value);
        match self.operator {
            Operator::In => value.is_some_and(listed),
            Operator::NotIn => !value.is_some_and(listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => self.compare(value).is_some_and(|(have, than)| have > than),
            Operator::Lt => self.compare(value).is_some_and(|(have, than)| have < than),
            Operator::Unknown => false,
        }
    }

    /// Both as integers; anything else satisfies neither `Gt` nor `Lt`.
    fn compare(&self, value: Option<&str>) -> Option<(i64, i64)> {
        let [than] = &*self.values else { return None };
        Some((value?.parse().ok()?, than.parse().ok()?))
    }
}

/// A label selector: everything it asks for, of which all must hold. Nothing asked is everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "LabelSelectorWire")]
pub struct LabelSelector(pub Box<[Requirement]>);

impl LabelSelector {
    /// Whether these labels satisfy it.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| requirement.holds(labels))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct LabelSelectorWire {
    match_labels: Option<BTreeMap<Box<str>, Box<str>>>,
    match_expressions: Option<Vec<Requirement>>,
}

impl From<LabelSelectorWire> for LabelSelector {
    fn from(wire: LabelSelectorWire) -> Self {
        let equals = |(key, value)| Requirement { key, operator: Operator::In, values: [value].into() };
        let labels = wire.match_labels.unwrap_or_default().into_iter().map(equals);
        Self(labels.chain(wire.match_expressions.unwrap_or_default()).collect())
    }
}

/// A node selector: one of its terms must match.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelector {
    /// `nodeSelectorTerms`.
    pub node_selector_terms: Box<[NodeSelectorTerm]>,
}

/// All of its requirements must hold; a term without any matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSelectorTerm {
    /// Of the node's labels.
    pub match_expressions: Box<[Requirement]>,
    /// Of the node's fields, of which there is one: `metadata.name`.
    pub match_fields: Box<[Requirement]>,
}

impl NodeSelector {
    /// Whether a node of this name, with these labels, is selected.
    ///
    /// Upstream asks volumes' affinities of a node without a name, so that `matchFields` never selects one: pass an empty name
    /// to mean the same.
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        let fields: Labels = [("metadata.name".into(), name.into())].into();
        self.node_selector_terms.iter().any(|term| {
            let empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
            let holds = |requirements: &[Requirement], of: &Labels| requirements.iter().all(|one| one.holds(of));
            !empty && holds(&term.match_expressions, labels) && holds(&term.match_fields, &fields)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    fn parse<T: for<'de> Deserialize<'de>>(json: &str) -> T {
        serde_json::from_str(json).expect("parses")
    }

    #[test]
    fn every_operator_means_what_kubernetes_means_by_it() {
        let labels = labels(&[("a", "1"), ("n", "7")]);
        for (requirement, holds) in [
            (r#"{"key":"a","operator":"In","values":["1","2"]}"#, true),
            (r#"{"key":"a","operator":"In","values":["2"]}"#, false),
            (r#"{"key":"b","operator":"In","values":["2"]}"#, false),
            (r#"{"key":"a","operator":"NotIn","values":["1"]}"#, false),
            (r#"{"key":"b","operator":"NotIn","values":["1"]}"#, true),
            (r#"{"key":"a","operator":"Exists"}"#, true),
            (r#"{"key":"b","operator":"Exists"}"#, false),
            (r#"{"key":"b","operator":"DoesNotExist"}"#, true),
            (r#"{"key":"n","operator":"Gt","values":["6"]}"#, true),
            (r#"{"key":"n","operator":"Lt","values":["7"]}"#, false),
            (r#"{"key":"n","operator":"Gt","values":["six"]}"#, false),
            (r#"{"key":"a","operator":"Near","values":["1"]}"#, false),
        ] {
            assert_eq!(parse::<Requirement>(requirement).holds(&labels), holds, "{requirement}");
        }
    }

    #[test]
    fn an_empty_label_selector_is_everything_and_its_parts_are_joined_by_and() {
        let have = labels(&[("a", "1")]);
        assert!(parse::<LabelSelector>("{}").matches(&have));
        let both = r#"{"matchLabels":{"a":"1"},"matchExpressions":[{"key":"b","operator":"Exists"}]}"#;
        assert!(!parse::<LabelSelector>(both).matches(&have));
    }

    #[test]
    fn terms_of_a_node_selector_are_joined_by_or_and_an_empty_one_never_matches() {
        let have = labels(&[("zone", "a")]);
        let two = r#"{"nodeSelectorTerms":[{"matchExpressions":[{"key":"zone","operator":"In","values":["b"]}]},
                                          {"matchExpressions":[{"key":"zone","operator":"In","values":["a"]}]}]}"#;
        assert!(parse::<NodeSelector>(two).matches("n", &have));
        assert!(!parse::<NodeSelector>(r#"{"nodeSelectorTerms":[{}]}"#).matches("n", &have));
        let field = r#"{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n"]}]}]}"#;
        assert!(parse::<NodeSelector>(field).matches("n", &have));
        assert!(!parse::<NodeSelector>(field).matches("", &have));
    }
}
