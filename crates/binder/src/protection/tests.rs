//! Rules by name.

mod live;

use super::claims::uses;
use super::{Action, View, Why, plan};
use cluster::Kind;
use cluster::kinds::{Claim, Pod};
use csi_types::Next::{Do, Rest};
use serde_json::{Value, json};

fn view(deleting: bool, held: bool, used: bool) -> View {
    View { exists: true, deleting, held, used }
}

#[test]
fn what_is_used_stays_until_it_is_not() {
    assert_eq!(plan(&view(false, false, false)), Do(Action::Protect));
    assert_eq!(plan(&view(false, true, true)), Rest(Why::Protected));
    assert_eq!(plan(&view(true, true, true)), Rest(Why::InUse));
    assert_eq!(plan(&view(true, true, false)), Do(Action::Release));
}

#[test]
fn what_is_being_deleted_gets_no_new_finalizer() {
    assert_eq!(plan(&view(true, false, true)), Rest(Why::Going));
    assert_eq!(plan(&View { exists: false, ..view(false, false, false) }), Rest(Why::Gone));
}

fn pod(more: Value) -> Pod {
    let mut object = json!({
        "metadata": {"name": "web-0", "namespace": "team-a", "uid": "pod-1"},
        "spec": {"nodeName": "n1", "containers": [], "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {}}},
        ]},
    });
    json_patch_merge(&mut object, &more);
    Pod::compact(serde_json::from_value(object).expect("a pod")).expect("a name")
}

fn json_patch_merge(into: &mut Value, from: &Value) {
    match from {
        Value::Object(fields) => fields.iter().for_each(|(field, value)| json_patch_merge(&mut into[field], value)),
        value => *into = value.clone(),
    }
}

fn claim(name: &str, owner: Option<&str>) -> Claim {
    let owners = owner.map(|uid| json!([{"apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": uid, "controller": true}]));
    let object = json!({"metadata": {"name": name, "namespace": "team-a", "uid": "c", "ownerReferences": owners}});
    Claim::compact(serde_json::from_value(object).expect("a claim")).expect("a name")
}

#[test]
fn a_pod_that_has_ended_still_uses_its_claim() {
    assert!(uses(&pod(json!({"status": {"phase": "Running"}})), &claim("data", None)));
    assert!(uses(&pod(json!({"status": {"phase": "Succeeded"}})), &claim("data", None)));
    assert!(!uses(&pod(json!({})), &claim("other", None)));
}

#[test]
fn a_pod_without_a_node_uses_nothing() {
    assert!(!uses(&pod(json!({"spec": {"nodeName": ""}})), &claim("data", None)));
}

#[test]
fn an_ephemeral_claim_is_used_by_its_owner_until_that_is_about_to_go() {
    let own = claim("web-0-scratch", Some("pod-1"));
    assert!(uses(&pod(json!({})), &own));
    assert!(!uses(&pod(json!({})), &claim("web-0-scratch", Some("pod-0"))), "another pod's");
    let going =
        |grace: i64| pod(json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": grace}}));
    assert!(uses(&going(30), &own));
    assert!(!uses(&going(0), &own));
    assert!(uses(&going(0), &claim("data", None)), "a plain claim is used as long as the pod is there");
}
