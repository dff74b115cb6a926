//! Rules by name.

mod live;

use csi_types::Next::{Do, Refuse, Rest};
use serde_json::json;

use super::*;

fn volume(name: &str, state: ClaimState) -> Volume {
    Volume { name: name.into(), claim: format!("team-a/web-0-{name}"), state }
}

fn view(volumes: &[Volume]) -> View {
    View { exists: true, deleting: false, over: false, volumes: volumes.to_vec() }
}

#[test]
fn each_missing_claim_is_made_in_the_order_of_the_volumes() {
    let (own, missing) = (volume("a", ClaimState::Own), volume("b", ClaimState::Missing));
    let create = Action::CreateClaim { volume: "b".into(), claim: "team-a/web-0-b".into() };
    assert_eq!(plan(&view(&[own.clone(), missing])), Do(create));
    assert_eq!(plan(&view(&[own])), Rest(Why::HasItsClaims));
}

#[test]
fn a_claim_of_somebody_else_stops_the_pod() {
    let view = view(&[volume("a", ClaimState::Foreign), volume("b", ClaimState::Missing)]);
    assert_eq!(plan(&view), Refuse(Problem::NameTaken { volume: "a".into(), claim: "team-a/web-0-a".into() }));
}

#[test]
fn nothing_is_made_for_a_pod_that_goes_or_has_ended() {
    let view = view(&[volume("a", ClaimState::Missing)]);
    assert_eq!(plan(&View { deleting: true, ..view.clone() }), Rest(Why::Going));
    assert_eq!(plan(&View { over: true, ..view.clone() }), Rest(Why::Over));
    assert_eq!(plan(&View { exists: false, ..view }), Rest(Why::Gone));
}

#[test]
fn the_claim_is_the_template_and_the_pod_owns_it() {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-0", "namespace": "team-a", "uid": "u-1", "labels": {"of": "pod"}},
        "spec": {"volumes": [
            {"name": "other", "emptyDir": {}},
            {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {
                "metadata": {"labels": {"of": "template"}, "annotations": {"a": "b"}}, "spec": spec,
            }}},
        ]},
    });
    let pod: DynamicObject = serde_json::from_value(pod).expect("a pod");
    let claim = claim_of(&pod, "scratch", "web-0-scratch").expect("a template");
    assert_eq!(claim["spec"], spec);
    assert_eq!(claim["metadata"]["labels"], json!({"of": "template"}));
    assert_eq!(claim["metadata"]["annotations"], json!({"a": "b"}));
    assert_eq!(
        claim["metadata"]["ownerReferences"],
        json!([{
            "apiVersion": "v1", "kind": "Pod", "name": "web-0", "uid": "u-1", "controller": true, "blockOwnerDeletion": true,
        }])
    );
    assert_eq!(claim_of(&pod, "other", "web-0-other"), None);
}

#[test]
fn a_claim_that_cannot_be_made_is_told_of_in_upstreams_words() {
    let status = json!({"status": "Failure", "message": "exceeded quota", "reason": "Forbidden", "code": 403});
    let error = kube::Error::Api(serde_json::from_value(status).expect("a status"));
    assert_eq!(create_failed("team-a/web-0-scratch", &error), "create PVC web-0-scratch: exceeded quota");
}
