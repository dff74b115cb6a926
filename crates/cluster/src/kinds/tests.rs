//! What is kept of objects as the API server sends them.

use csi_types::AccessMode;
use serde_json::{Value, json};

use super::*;
use crate::store::Kind;

fn compact<K: Kind>(object: Value) -> K {
    K::compact(serde_json::from_value(object).expect("it decodes")).expect("it is kept")
}

#[test]
fn a_claim_keeps_how_it_was_bound_and_who_controls_it() {
    let claim: Claim = compact(json!({
        "metadata": {
            "namespace": "ns", "name": "c", "uid": "u",
            "annotations": {"pv.kubernetes.io/bind-completed": "", "pv.kubernetes.io/bound-by-controller": "yes"},
            "ownerReferences": [
                {"apiVersion": "v1", "kind": "X", "name": "x", "uid": "other"},
                {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "pod", "controller": true},
            ],
        },
        "spec": {"accessModes": ["ReadWriteOnce"], "selector": {"matchLabels": {"a": "1"}}},
        "status": {"phase": "Bound", "capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteOnce"]},
    }));
    assert!(claim.bind_completed && claim.bound_by_controller, "presence counts, not the value");
    assert_eq!(claim.controller.as_deref(), Some("pod"));
    assert!(claim.selector.is_some_and(|selector| !selector.matches(&Default::default())));
    assert_eq!((claim.capacity.as_deref(), &*claim.bound_access_modes), (Some("2Gi"), &[AccessMode::ReadWriteOnce][..]));
}

#[test]
fn a_volume_keeps_where_it_can_be_used_and_for_which_attributes() {
    let terms = json!([{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]);
    let volume: Volume = compact(json!({
        "metadata": {"name": "v", "labels": {"tier": "gold"}, "annotations": {"volume.alpha.kubernetes.io/pre-resize-capacity": "1Gi"}},
        "spec": {
            "capacity": {"storage": "2Gi"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
            "volumeAttributesClassName": "fast",
        },
    }));
    let here = [("zone".into(), "a".into())].into();
    assert!(volume.affinity.is_some_and(|affinity| affinity.matches("", &here)));
    assert_eq!((volume.attributes_class.as_deref(), volume.pre_resize_capacity.as_deref()), (Some("fast"), Some("1Gi")));
    assert_eq!(volume.labels.get("tier").map(|value| &**value), Some("gold"));
}

#[test]
fn a_pod_keeps_what_it_asks_of_a_node_only_until_it_has_one() {
    let mut object = json!({
        "metadata": {"namespace": "ns", "name": "p"},
        "spec": {
            "nodeSelector": {"disk": "fast"},
            "schedulingGates": [{"name": "g"}],
            "tolerations": [{"operator": "Exists"}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}},
        },
        "status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "m"}]},
    });
    let pod: Pod = compact(object.clone());
    let asks = pod.scheduling.expect("it has no node");
    assert!(asks.gated && asks.affinity.is_some());
    assert_eq!((&*asks.scheduler, asks.tolerations.len(), asks.node_selector.len()), ("default-scheduler", 1, 1));
    assert_eq!(pod.scheduled.expect("a condition").message, "m".into());
    object["spec"]["nodeName"] = json!("n");
    let pod: Pod = compact(object);
    assert!(pod.scheduling.is_none() && pod.scheduled.is_none());
}

#[test]
fn a_pod_is_over_when_it_has_ended_or_goes_and_nothing_of_it_runs() {
    let pod = |deleting: bool, phase: &str, state: Value| -> Pod {
        let mut object = json!({
            "metadata": {"namespace": "ns", "name": "p"},
            "status": {"phase": phase, "ephemeralContainerStatuses": [{"state": state}]},
        });
        if deleting {
            object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            object["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        }
        compact(object)
    };
    assert!(pod(false, "Succeeded", json!({"running": {}})).is_over());
    assert!(!pod(false, "Running", json!({"terminated": {}})).is_over());
    assert!(!pod(true, "Running", json!({"running": {}})).is_over());
    assert!(pod(true, "Running", json!({"waiting": {}})).is_over());
    assert!(pod(true, "Running", json!({"running": {}})).grace_is_over);
}

#[test]
fn what_is_deleted_is_still_there_while_its_spec_or_its_grace_holds_it() {
    let namespace = |finalizers: Value| -> Namespace {
        let meta = json!({"name": "n", "deletionTimestamp": "2026-01-01T00:00:00Z"});
        compact(json!({"metadata": meta, "spec": {"finalizers": finalizers}}))
    };
    assert!(namespace(json!([])).is_final() && !namespace(json!(["kubernetes"])).is_final());
    let pod = |grace: u64, finalizers: Value| -> Pod {
        let mut meta = json!({"namespace": "ns", "name": "p", "deletionTimestamp": "2026-01-01T00:00:00Z"});
        (meta["deletionGracePeriodSeconds"], meta["finalizers"]) = (json!(grace), finalizers);
        compact(json!({"metadata": meta}))
    };
    assert!(pod(0, json!([])).is_final() && !pod(0, json!(["x"])).is_final() && !pod(30, json!([])).is_final());
}

#[test]
fn a_nodes_heartbeat_is_no_difference_and_its_readiness_is_one() {
    let node = |ready: &str, at: &str| -> Node {
        compact(json!({
            "metadata": {"name": "n"},
            "status": {"conditions": [{"type": "Ready", "status": ready, "lastHeartbeatTime": at}]},
        }))
    };
    assert_eq!(node("True", "2026-01-01T00:00:00Z"), node("True", "2026-01-01T00:00:10Z"));
    assert!(!node("True", "x").not_ready && node("False", "x").not_ready && node("Unknown", "x").not_ready);
    assert!(!compact::<Node>(json!({"metadata": {"name": "n"}})).not_ready, "nobody has said anything yet");
}

#[test]
fn a_class_is_the_default_by_either_annotation_and_only_if_it_says_true() {
    let class = |key: &str, value: &str| -> Class {
        compact(json!({
            "metadata": {"name": "c", "annotations": {key: value}, "creationTimestamp": "1970-01-01T00:00:09Z"},
            "provisioner": "d",
        }))
    };
    assert!(class("storageclass.kubernetes.io/is-default-class", "true").is_default);
    assert!(class("storageclass.beta.kubernetes.io/is-default-class", "true").is_default);
    assert!(!class("storageclass.kubernetes.io/is-default-class", "True").is_default);
    assert_eq!(class("x", "true").created, 9);
}
