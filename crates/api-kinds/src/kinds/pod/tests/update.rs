use serde_json::json;

use super::pod;
use crate::kinds::validation::testing::{Kind, accepted, invalid};

const ONLY: &str = "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

#[test]
fn little_of_a_pod_can_change() {
    let kind = Kind::of("pods");
    let stored = kind.stored(pod(json!({"activeDeadlineSeconds": 10, "tolerations": [{"key": "a", "operator": "Exists"}]})));
    let changed = |change| kind.change(&stored, json!({"spec": change}));
    let table = [
        (json!({"hostname": "x"}), ONLY),
        (json!({"nodeName": "x"}), ONLY),
        (json!({"nodeSelector": {"a": "b"}}), ONLY),
        (json!({"terminationGracePeriodSeconds": 1}), ONLY),
        (json!({"volumes": [{"name": "x"}]}), ONLY),
        (json!({"containers": [{"name": "a", "image": "b", "tty": true}]}), ONLY),
        (
            json!({"containers": [{"name": "a", "image": "b"}, {"name": "c", "image": "b"}]}),
            "spec.containers: Forbidden: pod updates may not add or remove containers",
        ),
        (
            json!({"activeDeadlineSeconds": 20}),
            "spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value",
        ),
        (
            json!({"activeDeadlineSeconds": null}),
            "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value",
        ),
        (
            json!({"tolerations": []}),
            "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
        ),
        (
            json!({"schedulingGates": [{"name": "z"}]}),
            "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'z'",
        ),
    ];
    for (change, expected) in table {
        invalid(&change.to_string(), changed(change), expected);
    }
}

#[test]
fn what_can_change_counts_as_a_generation_and_nothing_else_does() {
    let kind = Kind::of("pods");
    let stored = kind.stored(pod(json!({"activeDeadlineSeconds": 10, "tolerations": [{"key": "a", "operator": "Exists"}]})));
    let mut tolerations = stored["spec"]["tolerations"].clone();
    tolerations.as_array_mut().unwrap().push(json!({"key": "b", "operator": "Exists"}));
    let mut container = stored["spec"]["containers"][0].clone();
    container["image"] = "c".into();
    for change in [json!({"activeDeadlineSeconds": 5}), json!({"tolerations": tolerations}), json!({"containers": [container]})] {
        let new = accepted("a change", kind.change(&stored, json!({"spec": change})));
        assert_eq!(new["metadata"]["generation"], 2, "{change}");
    }
    let labels = json!({"metadata": {"labels": {"a": "b"}}, "status": {"phase": "Running"}});
    let new = accepted("labels", kind.change(&stored, labels));
    assert_eq!((&new["metadata"]["generation"], &new["status"]), (&json!(1), &stored["status"]));
    let silent = accepted("no priority", kind.change(&stored, json!({"spec": {"priority": null, "preemptionPolicy": null}})));
    assert_eq!(silent["spec"], stored["spec"]);
}

#[test]
fn a_gated_pod_can_be_steered() {
    let kind = Kind::of("pods");
    let stored = kind.stored(pod(json!({"schedulingGates": [{"name": "x"}, {"name": "y"}], "nodeSelector": {"a": "b"}})));
    let changed = |change| kind.change(&stored, json!({"spec": change}));
    accepted("a gate goes", changed(json!({"schedulingGates": [{"name": "x"}]})));
    accepted("a label more", changed(json!({"nodeSelector": {"a": "b", "c": "d"}})));
    let expected = "spec.nodeSelector: Invalid value: {\"a\":\"c\"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    invalid("another", changed(json!({"nodeSelector": {"a": "c"}})), expected);
}

#[test]
fn the_status_is_written_with_labels_and_without_the_spec() {
    let kind = Kind::of("pods");
    let stored = kind.stored(pod(json!({})));
    let change = json!({
        "spec": {"hostname": "x"}, "metadata": {"labels": {"a": "b"}, "ownerReferences": [{"apiVersion": "v1", "kind": "Pod",
        "name": "p", "uid": "u"}]}, "status": {"phase": "Running", "podIP": "1.2.3.4", "qosClass": null},
    });
    let new = accepted("status", kind.change_status(&stored, change));
    assert_eq!(new["spec"], stored["spec"]);
    assert_eq!(new["metadata"]["labels"], json!({"a": "b"}));
    assert!(new["metadata"].get("ownerReferences").is_none());
    assert_eq!(
        new["status"],
        json!({"phase": "Running", "podIP": "1.2.3.4", "podIPs": [{"ip": "1.2.3.4"}], "qosClass": "BestEffort"})
    );
    let class = json!({"status": {"qosClass": "Guaranteed"}});
    invalid("class", kind.change_status(&stored, class), "status.qosClass: Invalid value: \"Guaranteed\": field is immutable");
}
