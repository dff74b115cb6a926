//! Laws that hold for every kind, and the grammar of names.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::names;
use super::testing::{Kind, any_json, damaged};

/// Every kind of this crate's storage side, with an object of it that is good.
fn good() -> Vec<(&'static str, Value)> {
    let affinity = json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["a"]}]}]}});
    vec![
        (
            "persistentvolumeclaims",
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
                "selector": {"matchLabels": {"a": "b"}}, "dataSource": {"kind": "PersistentVolumeClaim", "name": "y"}}}),
        ),
        (
            "persistentvolumes",
            json!({"spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "nodeAffinity": affinity,
                "csi": {"driver": "d", "volumeHandle": "h", "nodePublishSecretRef": {"name": "a", "namespace": "b"}}}}),
        ),
        (
            "storageclasses",
            json!({"provisioner": "p", "parameters": {"a": "b"},
                "allowedTopologies": [{"matchLabelExpressions": [{"key": "a", "values": ["b"]}]}]}),
        ),
        ("csidrivers", json!({"spec": {"tokenRequests": [{"audience": "a"}], "serviceAccountTokenInSecrets": true}})),
        (
            "csinodes",
            json!({"spec": {"drivers": [{"name": "d", "nodeID": "n", "topologyKeys": ["a"]}, {"name": "e", "nodeID": "n"}]}}),
        ),
        ("csinodes", json!({"spec": {}})),
        (
            "csistoragecapacities",
            json!({"storageClassName": "a", "capacity": "1Gi", "nodeTopology": {"matchLabels": {"a": "b"}}}),
        ),
        ("volumeattachments", json!({"spec": {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "p"}}})),
        ("volumeattributesclasses", json!({"driverName": "d", "parameters": {"a": "b"}})),
        ("leases", json!({"spec": {"leaseDurationSeconds": 15, "holderIdentity": "me"}})),
        (
            "configmaps",
            json!({"metadata": {"labels": {"a": "b"}, "ownerReferences": [
            {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1", "controller": true}]}}),
        ),
    ]
}

#[test]
fn an_update_with_what_is_stored_changes_nothing() {
    for (plural, object) in good() {
        let kind = Kind::of(plural);
        let stored = kind.stored(object);
        let again = kind.update(&stored, stored.clone()).unwrap();
        assert_eq!(again.object, stored, "{plural}");
        // A client that leaves out what the server filled in says nothing by it.
        let through_status = kind.change_status(&stored, json!({})).unwrap();
        assert_eq!(through_status.object, stored, "{plural}/status");
    }
}

type Rule = fn(&str) -> Vec<String>;

#[test]
fn names_are_told_what_is_wrong_with_them() {
    let good: [(Rule, &[&str]); 5] = [
        (names::label, &["a", "1", "a-b", "a--1"]),
        (names::subdomain, &["a", "a.b", "a-1.b-2"]),
        (names::path_segment, &["A_b", "...", "", "a b"]),
        (names::qualified, &["A", "a_b.c-d", "example.com/MyName"]),
        (names::label_value, &["", "A", "a_b.c-d"]),
    ];
    for (rule, accepted) in good {
        for name in accepted {
            assert_eq!(rule(name), Vec::<String>::new(), "{name}");
        }
    }
    let bad: [(Rule, &[&str]); 5] = [
        (names::label, &["", "-a", "a-", "A", "a.b", "a_b", "é"]),
        (names::subdomain, &["", "a.", ".a", "a..b", "A", "a_b"]),
        (names::path_segment, &[".", "..", "a/b", "%"]),
        (names::qualified, &["", "/a", "a/", "a/b/c", "-a", "A_/b", "é"]),
        (names::label_value, &["-", "a b", "a/b"]),
    ];
    for (rule, refused) in bad {
        for name in refused {
            assert_ne!(rule(name), Vec::<String>::new(), "{name}");
        }
    }
    let long = "a".repeat(254);
    assert_eq!(names::subdomain(&long), ["must be no more than 253 characters"]);
    assert_eq!(names::label(&long), ["must be no more than 63 characters"]);
    assert_eq!(names::label_value(&long), ["must be no more than 63 bytes"]);
    assert_eq!(names::qualified(&format!("x/{long}")), ["name part must be no more than 63 bytes"]);
    assert_eq!(names::qualified(&format!("{long}/x")), ["prefix part must be no more than 253 bytes"]);
    assert_eq!(names::label("a.b"), ["must not contain dots"]);
    assert_eq!(names::config_key("..a"), ["must not start with '..'"]);
    assert_eq!(names::config_key(".."), ["must not be '..'"]);
    assert!(names::config_key("a b")[0].starts_with("a valid config key must consist of"));
}

#[test]
fn a_generated_name_may_have_a_dash_before_what_is_appended() {
    for (prefix, checked) in [("a-", "a"), ("ab-", "aa"), ("-", "-"), ("ab", "ab"), ("é-", "é"), ("--", "a")] {
        assert_eq!(names::without_dash(prefix), checked, "{prefix}");
    }
}

proptest! {
    #[test]
    fn no_object_makes_a_rule_panic(which in 0..11_usize, new in any_json(), old in any_json(), damage in any_json(),
        path in proptest::collection::vec(0..8_usize, 1..7)) {
        let (plural, object) = good().swap_remove(which);
        let kind = Kind::of(plural);
        let stored = kind.stored(object);
        let _ = kind.create(new.clone());
        let _ = kind.update(&old, new);
        let hurt = damaged(&stored, &path, &damage);
        let _ = kind.update(&stored, hurt.clone());
        let _ = kind.update(&hurt, stored.clone());
        let _ = kind.change_status(&stored, hurt.clone());
        let _ = kind.create(hurt);
    }

    #[test]
    fn what_was_accepted_once_is_stored_again_unchanged(which in 0..11_usize, damage in any_json(),
        path in proptest::collection::vec(0..8_usize, 1..7)) {
        let (plural, object) = good().swap_remove(which);
        let kind = Kind::of(plural);
        if let Ok(written) = kind.create(damaged(&object, &path, &damage))
            && let Ok(again) = kind.update(&written.object, written.object.clone())
        {
            prop_assert_eq!(again.object, written.object);
        }
    }
}
