use serde_json::{Value, json};

use super::*;
use crate::status::text;

fn now() -> Timestamp {
    "2026-01-01T01:00:00Z".parse().expect("a time")
}

fn objects<K: serde::de::DeserializeOwned>(list: Vec<Value>) -> Vec<K> {
    list.into_iter().map(|object| serde_json::from_value(object).expect("an object")).collect()
}

fn meta(name: &str) -> Value {
    json!({ "namespace": "a", "name": name, "uid": name, "creationTimestamp": "2026-01-01T00:59:00Z" })
}

fn claim(name: &str, spec: Value, phase: &str) -> Value {
    let mut whole = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } });
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    json!({ "metadata": meta(name), "spec": whole, "status": { "phase": phase } })
}

fn pod(name: &str, claim: &str, status: Value) -> Value {
    json!({
        "metadata": meta(name),
        "spec": {
            "nodeName": "n1",
            "containers": [{ "name": "c", "volumeMounts": [{ "name": "v", "mountPath": "/data" }] }],
            "volumes": [{ "name": "v", "persistentVolumeClaim": { "claimName": claim } }],
        },
        "status": status,
    })
}

fn volume(name: &str, phase: &str) -> Value {
    json!({
        "metadata": meta(name),
        "spec": { "capacity": { "storage": "1Gi" }, "csi": { "driver": "d", "volumeHandle": "h" }, "persistentVolumeReclaimPolicy": "Retain" },
        "status": { "phase": phase },
    })
}

fn class(name: &str, mode: &str) -> Value {
    json!({ "metadata": { "name": name }, "provisioner": "d", "volumeBindingMode": mode })
}

#[test]
fn a_bound_claim_shows_its_volume_its_attachment_and_its_pods() {
    let world = Objects {
        claims: objects(vec![claim("data", json!({ "volumeName": "pv1", "storageClassName": "fast" }), "Bound")]),
        volumes: objects(vec![volume("pv1", "Bound"), volume("pv2", "Released")]),
        attachments: objects(vec![json!({
            "metadata": meta("csi-1"),
            "spec": { "attacher": "d", "nodeName": "n1", "source": { "persistentVolumeName": "pv1" } },
            "status": { "attached": true },
        })]),
        pods: objects(vec![pod("web", "data", json!({ "phase": "Running" }))]),
        ..Objects::default()
    };
    let text = text::render(&report(&world, None, now()));
    let expected = "\
namespace a
└─ claim data  Bound  1Gi RWO fast  60s
   ├─ volume pv1  Bound  1Gi  d h  60s
   │  └─ attachment to n1  Attached  60s
   └─ pod web  Running  on n1  c:/data  60s
volumes without a claim
└─ volume pv2  Released  1Gi  d h  60s
      why: its claim is gone; kept by its reclaim policy, for a person to look after
";
    assert_eq!(text, expected);
}

#[test]
fn a_claim_that_waits_says_what_for() {
    let classes = objects(vec![class("late", "WaitForFirstConsumer"), class("now", "Immediate")]);
    let events = objects(vec![json!({
        "metadata": meta("e1"), "involvedObject": { "uid": "failing" }, "type": "Warning", "reason": "ProvisioningFailed",
        "message": "no space", "count": 3, "lastTimestamp": "2026-01-01T00:59:30Z",
    })]);
    for (name, spec, expected) in [
        ("c", json!({ "storageClassName": "none" }), "StorageClass none does not exist"),
        ("c", json!({ "storageClassName": "late" }), "waits for a pod that uses it (WaitForFirstConsumer)"),
        ("c", json!({ "storageClassName": "now" }), "waits for d to make a volume"),
        ("failing", json!({ "storageClassName": "now" }), "ProvisioningFailed: no space (3 times)"),
        ("c", json!({}), "names no StorageClass, there is no default one, and no volume fits"),
        ("c", json!({ "storageClassName": "" }), "asks for no StorageClass, and no volume without one fits"),
        ("c", json!({ "volumeName": "pv9" }), "waits for the volume pv9, which does not exist"),
    ] {
        let claims = objects(vec![claim(name, spec.clone(), "Pending")]);
        let world = Objects { claims, classes: Clone::clone(&classes), events: Clone::clone(&events), ..Objects::default() };
        assert_eq!(report(&world, None, now()).claims[0].why.as_deref(), Some(expected), "{spec}");
    }
}

#[test]
fn a_claim_being_deleted_names_the_pods_that_hold_it() {
    let mut going = claim("data", json!({ "volumeName": "pv1" }), "Bound");
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:59:59Z".into();
    going["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
    let world = Objects {
        claims: objects(vec![going]),
        pods: objects(vec![pod("web", "data", json!({ "phase": "Running" }))]),
        ..Objects::default()
    };
    let claim = &report(&world, None, now()).claims[0];
    assert_eq!(claim.state, "Terminating");
    assert_eq!(claim.why.as_deref(), Some("is being deleted once no pod uses it any more: web"));
}

#[test]
fn one_namespace_shows_nothing_of_others() {
    let world = Objects {
        claims: objects(vec![claim("data", json!({}), "Pending")]),
        volumes: objects(vec![volume("pv2", "Available")]),
        ..Objects::default()
    };
    assert_eq!(report(&world, Some("b"), now()), Report::default());
    assert_eq!(text::render(&Report::default()), "no claims and no volumes\n");
}
