use serde_json::json;

use crate::kinds::validation::testing::{Kind, NOT_KEY, NOT_LABEL_VALUE, accepted, invalid};

#[test]
fn a_new_node_is_tainted_and_keeps_the_status_it_came_with() {
    let kind = Kind::of("nodes");
    let new = accepted("a node", kind.create(json!({"status": {"capacity": {"cpu": "2"}}})));
    assert_eq!(new["spec"]["taints"], json!([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]));
    assert_eq!(new["status"], json!({"capacity": {"cpu": "2"}, "allocatable": {"cpu": "2"}}));
    let tainted = json!({"spec": {"taints": [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule", "value": "a"}]}});
    let new = accepted("tainted already", kind.create(tainted));
    assert_eq!(new["spec"]["taints"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_range_of_pods_has_two_names() {
    let kind = Kind::of("nodes");
    let range = json!("10.0.0.0/24");
    for spec in [json!({"podCIDR": range}), json!({"podCIDRs": [range]}), json!({"podCIDR": range, "podCIDRs": ["10.9.0.0/24"]})]
    {
        let new = accepted("a node", kind.create(json!({"spec": spec})));
        assert_eq!((&new["spec"]["podCIDR"], &new["spec"]["podCIDRs"]), (&range, &json!([range])));
    }
}

#[test]
fn what_is_wrong_with_a_node_is_said() {
    let kind = Kind::of("nodes");
    let table = [
        (
            json!({"spec": {"podCIDR": "x"}}),
            "spec.podCIDRs[0]: Invalid value: \"x\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)".to_owned(),
        ),
        (json!({"spec": {"taints": [{"key": "a"}]}}), "metadata.taints[0].effect: Required value".to_owned()),
        (
            json!({"spec": {"taints": [{"key": "a", "effect": "Foo"}]}}),
            "metadata.taints[0].effect: Unsupported value: \"Foo\": supported values: \"NoSchedule\", \"PreferNoSchedule\", \"NoExecute\"".to_owned(),
        ),
        (
            json!({"spec": {"taints": [{"key": "a b", "effect": "NoSchedule"}, {"key": "a b", "effect": "NoSchedule", "value": "x y"}]}}),
            format!(
                "[metadata.taints[0].key: Invalid value: \"a b\": {NOT_KEY}, metadata.taints[1].key: Invalid value: \"a b\": {NOT_KEY}, \
                 metadata.taints[1].value: Invalid value: \"x y\": {NOT_LABEL_VALUE}, metadata.taints[1]: Duplicate value: \
                 {{\"Key\":\"a b\",\"Value\":\"x y\",\"Effect\":\"NoSchedule\",\"TimeAdded\":null}}: taints must be unique by key and effect pair]"
            ),
        ),
        (
            json!({"status": {"capacity": {"memory": "-1"}, "allocatable": {}}}),
            "status.capacity.memory: Invalid value: \"-1\": must be greater than or equal to 0".to_owned(),
        ),
    ];
    for (body, expected) in table {
        invalid("a node", kind.create(body), &expected);
    }
}

#[test]
fn where_a_node_is_can_be_said_once() {
    let kind = Kind::of("nodes");
    let stored = kind.stored(json!({"spec": {"podCIDR": "10.0.0.0/24", "providerID": "p"}}));
    let both = "[spec.podCIDRs: Forbidden: node updates may not change podCIDR except from \"\" to valid, spec.providerID: Forbidden: node updates may not change providerID except from \"\" to valid]";
    invalid(
        "changed",
        kind.change(&stored, json!({"spec": {"podCIDR": "10.0.1.0/24", "podCIDRs": null, "providerID": "q"}})),
        both,
    );
    invalid("gone", kind.change(&stored, json!({"spec": null})), both);
    invalid("id", kind.change(&stored, json!({"spec": {"externalID": "e"}})), "spec.externalID: Forbidden: may not be updated");
    let free = kind.stored(json!({}));
    accepted("set", kind.change(&free, json!({"spec": {"podCIDR": "10.0.0.0/24", "providerID": "p", "unschedulable": true}})));
}

#[test]
fn the_status_of_a_node_is_written_with_its_labels_and_without_its_spec() {
    let kind = Kind::of("nodes");
    let stored = kind.stored(json!({}));
    let change = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"unschedulable": true}, "status": {"addresses": [{"type": "a", "address": "1"}]}});
    let new = accepted("status", kind.change_status(&stored, change));
    assert_eq!(new["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(new["spec"], stored["spec"]);
    let twice = json!({"status": {"addresses": [{"type": "a", "address": "1"}, {"type": "a", "address": "1"}]}});
    invalid(
        "twice",
        kind.change_status(&stored, twice),
        "status.addresses[1]: Duplicate value: {\"Type\":\"a\",\"Address\":\"1\"}",
    );
}
