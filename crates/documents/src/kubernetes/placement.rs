//! Where pods may run: affinities, spreads, tolerations.

use crate::model::{Placement, Requirement, Rule, Spread, Unreachable};
use crate::yaml::{Map, Node};

fn labels(name: &str) -> Map {
    Map::new().with("matchLabels", Map::new().with("app", name))
}

/// The fields of a pod's spec.
pub(super) fn fields(mut spec: Map, name: &str, placement: &Placement) -> Map {
    if let Some(node) = &placement.node {
        spec.set("nodeName", node);
    }
    let term = |requirement: &Requirement| {
        let (operator, values) = match &requirement.rule {
            Rule::In(values) => ("In", values.clone()),
            Rule::NotIn(values) => ("NotIn", values.clone()),
            Rule::Exists => ("Exists", Vec::new()),
            Rule::Absent => ("DoesNotExist", Vec::new()),
            Rule::Above(number) => ("Gt", vec![number.to_string()]),
            Rule::Below(number) => ("Lt", vec![number.to_string()]),
        };
        Map::new().with("key", &requirement.label).with("operator", operator).maybe("values", Some(values))
    };
    let needed: Vec<Map> = placement.requirements.iter().filter(|one| one.weight.is_none()).map(term).collect();
    let preferred: Vec<Map> = placement
        .requirements
        .iter()
        .filter_map(|one| {
            let preference = Map::new().with("matchExpressions", vec![term(one)]);
            Some(Map::new().with("weight", one.weight?.clamp(1, 100)).with("preference", preference))
        })
        .collect();
    let terms =
        (!needed.is_empty()).then(|| Map::new().with("nodeSelectorTerms", vec![Map::new().with("matchExpressions", needed)]));
    let node = Map::new()
        .maybe("requiredDuringSchedulingIgnoredDuringExecution", terms)
        .maybe("preferredDuringSchedulingIgnoredDuringExecution", Some(preferred));
    let (mut apart, mut together, mut even) = (Vec::new(), Vec::new(), Vec::new());
    for spread in &placement.spread {
        let pods = |label: &str| Map::new().with("labelSelector", labels(name)).with("topologyKey", label);
        match spread {
            Spread::Unique(label) => apart.push(pods(label)),
            Spread::Together(label) => together.push(pods(label)),
            Spread::Even(label) => even.push(
                Map::new()
                    .with("maxSkew", 1)
                    .with("topologyKey", label)
                    .with("whenUnsatisfiable", "ScheduleAnyway")
                    .with("labelSelector", labels(name)),
            ),
        }
    }
    let hard =
        |list: Vec<Map>| (!list.is_empty()).then(|| Map::new().with("requiredDuringSchedulingIgnoredDuringExecution", list));
    let affinity =
        Map::new().maybe("nodeAffinity", Some(node)).maybe("podAffinity", hard(together)).maybe("podAntiAffinity", hard(apart));
    spec.maybe("affinity", Some(affinity)).maybe("topologySpreadConstraints", Some(even))
}

/// How long a pod stays with a node that is lost.
pub(super) fn tolerations(unreachable: Option<Unreachable>) -> Option<Vec<Node>> {
    let unreachable = unreachable?;
    let list = ["node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"].map(|taint| {
        let toleration = Map::new().with("key", taint).with("operator", "Exists").with("effect", "NoExecute");
        Node::from(match unreachable {
            Unreachable::Never => toleration,
            Unreachable::After(time) => toleration.with("tolerationSeconds", i64::try_from(time.as_secs()).unwrap_or(i64::MAX)),
        })
    });
    Some(list.into())
}
