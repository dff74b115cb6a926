//! Each text is what kube-apiserver v1.36.1 answered.

use serde_json::json;

use crate::kinds::validation::testing::{Kind, NOT_KEY, accepted, invalid};

fn kind() -> Kind {
    Kind::of("csinodes")
}

#[test]
fn no_drivers_and_no_keys_are_written_as_null() {
    for spec in [json!({}), json!({"drivers": []}), json!({"drivers": null})] {
        assert_eq!(accepted("create", kind().create(json!({ "spec": spec })))["spec"], json!({"drivers": null}));
    }
    let driver = json!({"name": "d", "nodeID": "n", "topologyKeys": [], "allocatable": {}});
    let object = accepted("create", kind().create(json!({"spec": {"drivers": [driver]}})));
    assert_eq!(object["spec"]["drivers"], json!([{"name": "d", "nodeID": "n", "topologyKeys": null, "allocatable": {}}]));
}

#[test]
fn a_new_node_is_refused_in_upstreams_words() {
    let id = "n".repeat(257);
    let drivers = json!([
        {},
        {"name": "d", "nodeID": id, "topologyKeys": ["", "a", "a", "a b"], "allocatable": {"count": -1}},
        {"name": "d", "nodeID": "x"},
    ]);
    let expected = format!(
        "[spec.drivers[0].name: Required value, spec.drivers[0].nodeID: Required value, spec.drivers[1].nodeID: Invalid value: \"{id}\": must be 256 characters or less, spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0, spec.drivers[1]: Required value, spec.drivers[1]: Invalid value: \"\": name part must be non-empty, spec.drivers[1]: Invalid value: \"\": {NOT_KEY}, spec.drivers[1]: Duplicate value: \"a\", spec.drivers[1]: Invalid value: \"a b\": {NOT_KEY}, spec.drivers[2].name: Duplicate value: \"d\"]"
    );
    invalid("drivers", kind().create(json!({"spec": {"drivers": drivers}})), &expected);
}

#[test]
fn a_driver_stays_as_it_is_while_it_is_there() {
    let stored = kind().stored(
        json!({"spec": {"drivers": [{"name": "d", "nodeID": "n", "topologyKeys": ["a"]}, {"name": "e", "nodeID": "n"}]}}),
    );
    let changed = json!([{"name": "d", "nodeID": "z", "topologyKeys": ["a"], "allocatable": {"count": 3}}, {"name": "e", "nodeID": "n", "topologyKeys": ["k"]}]);
    invalid(
        "changed",
        kind().change(&stored, json!({"spec": {"drivers": changed}})),
        "[spec.drivers: Invalid value: {\"Name\":\"d\",\"NodeID\":\"z\",\"TopologyKeys\":[\"a\"],\"Allocatable\":null}: field is immutable, spec.drivers: Invalid value: {\"Name\":\"e\",\"NodeID\":\"n\",\"TopologyKeys\":[\"k\"],\"Allocatable\":null}: field is immutable]",
    );
    let limited = json!([{"name": "e", "nodeID": "n"}, {"name": "d", "nodeID": "n", "topologyKeys": ["a"], "allocatable": {"count": 3}}, {"name": "f", "nodeID": "n"}]);
    accepted("limits and order change, and one is added", kind().change(&stored, json!({"spec": {"drivers": limited}})));
    accepted("all go", kind().change(&stored, json!({"spec": {"drivers": []}})));
}
