//! Each text is what kube-apiserver v1.36.1 answered.

use serde_json::json;

use crate::kinds::validation::testing::{Kind, accepted, invalid};

fn kind() -> Kind {
    Kind::of("leases")
}

#[test]
fn a_lease_needs_nothing() {
    assert_eq!(accepted("nothing", kind().create(json!({})))["spec"], json!({}));
    let coordinated = json!({"spec": {"strategy": "Foo", "preferredHolder": "x"}});
    assert_eq!(accepted("a feature that is off", kind().create(coordinated))["spec"], json!({}));
}

#[test]
fn numbers_of_a_lease_are_checked_whenever_it_is_written() {
    let bad = json!({"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1}});
    let expected = "[spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0, spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0]";
    invalid("create", kind().create(bad.clone()), expected);
    let stored = kind().stored(json!({"spec": {"leaseDurationSeconds": 15}}));
    invalid("update", kind().change(&stored, bad), expected);
    accepted("everything changes", kind().change(&stored, json!({"spec": {"holderIdentity": "me", "leaseTransitions": 0}})));
}
