use super::*;
use crate::fixtures::{place, settings};

fn zones(names: &[&str]) -> Vec<Segments> {
    names.iter().map(|name| place(&[("zone", name)])).collect()
}

fn topology(selected: Option<NodePlace>, nodes: Places) -> Topology {
    Topology { selected: selected.map(|place| ("n1".into(), place)), nodes }
}

fn strict() -> Settings {
    Settings { strict_topology: true, ..settings() }
}

#[test]
fn a_waiting_pods_node_comes_first_among_all_places() {
    let here = place(&[("zone", "b")]);
    let facts = topology(Some(NodePlace::At(here)), Places::At(zones(&["c", "b", "a", "b"])));
    let need = facts.requirement(None, &settings(), "data").unwrap().unwrap();
    assert_eq!(need.requisite, zones(&["a", "b", "c"]));
    assert_eq!(need.preferred, zones(&["b", "c", "a"]));
}

#[test]
fn strict_topology_names_the_nodes_own_place_and_nothing_else() {
    let here = place(&[("zone", "b"), ("rack", "1")]);
    let facts = topology(Some(NodePlace::At(here.clone())), Places::NoKeys);
    let need = facts.requirement(Some(&zones(&["a", "b"])), &strict(), "data").unwrap().unwrap();
    assert_eq!((need.requisite, need.preferred), (vec![here.clone()], vec![here]));
    let refused = facts.requirement(Some(&zones(&["a"])), &strict(), "data");
    assert_eq!(refused, Err(PlacementError::NotAllowed("n1".into())));
}

#[test]
fn allowed_topologies_replace_the_places_of_nodes() {
    let facts = topology(None, Places::NoKeys);
    let need = facts.requirement(Some(&zones(&["b", "a"])), &settings(), "data").unwrap().unwrap();
    assert_eq!(need.requisite, zones(&["a", "b"]));
    let facts = topology(Some(NodePlace::At(place(&[("zone", "z")]))), Places::NoKeys);
    let refused = facts.requirement(Some(&zones(&["b", "a"])), &settings(), "data");
    assert_eq!(refused, Err(PlacementError::Nowhere("n1".into())));
}

#[test]
fn allowed_topologies_without_keys_ask_for_nothing() {
    for selected in [None, Some(NodePlace::At(place(&[("zone", "b")])))] {
        assert_eq!(topology(selected, Places::NoKeys).requirement(Some(&[]), &settings(), "data"), Ok(None));
    }
}

#[test]
fn immediate_binding_names_all_places_unless_told_not_to() {
    let facts = topology(None, Places::At(zones(&["a", "b"])));
    assert_eq!(facts.requirement(None, &settings(), "data").unwrap().unwrap().requisite, zones(&["a", "b"]));
    let silent = Settings { immediate_topology: false, ..settings() };
    assert_eq!(facts.requirement(None, &silent, "data"), Ok(None));
}

#[test]
fn what_is_missing_is_named() {
    let table = [
        (Some(NodePlace::NoCsiNode), Places::NoKeys, PlacementError::NodeGone("n1".into())),
        (Some(NodePlace::NoKeys), Places::NoKeys, PlacementError::NodeNotRegistered("n1".into())),
        (Some(NodePlace::NoNode), Places::NoKeys, PlacementError::NoNode("n1".into())),
        (
            Some(NodePlace::NoLabel("zone".into())),
            Places::NoKeys,
            PlacementError::NoLabel { node: "n1".into(), label: "zone".into() },
        ),
        (None, Places::NoKeys, PlacementError::NoKeys),
        (None, Places::NoNodes(vec!["zone".into()]), PlacementError::NoPlaces(vec!["zone".into()])),
    ];
    for (selected, nodes, want) in table {
        assert_eq!(topology(selected, nodes).requirement(None, &settings(), "data"), Err(want));
    }
}

#[test]
fn all_nodes_are_gathered_only_where_somebody_looks() {
    let table = [
        (false, None, settings(), true),
        (false, Some(&[][..]), settings(), false),
        (false, None, Settings { immediate_topology: false, ..settings() }, false),
        (true, None, settings(), true),
        (true, None, strict(), false),
    ];
    for (selected, allowed, settings, want) in table {
        assert_eq!(Topology::needs_all_nodes(selected, allowed, &settings), want, "{selected} {allowed:?}");
    }
}
