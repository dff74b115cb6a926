//! Each text is what kube-apiserver v1.36.1 answered.

use serde_json::{Value, json};

use crate::kinds::validation::testing::{Kind, accepted, invalid};

const UNDECIDED: &str = "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";

fn kind() -> Kind {
    Kind::of("csidrivers")
}

#[test]
fn a_new_driver_gets_everything_it_did_not_say() {
    let expected = json!({"attachRequired": true, "podInfoOnMount": false, "volumeLifecycleModes": ["Persistent"], "storageCapacity": false, "fsGroupPolicy": "ReadWriteOnceWithFSType", "requiresRepublish": false, "seLinuxMount": false});
    for spec in
        [json!({}), json!({"volumeLifecycleModes": [], "attachRequired": null}), json!({"preventPodSchedulingIfMissing": true})]
    {
        let object = accepted("create", kind().create(json!({ "spec": spec })));
        assert_eq!(object["spec"], expected);
        assert!(object["metadata"].get("generation").is_none());
    }
}

#[test]
fn a_new_driver_is_refused_in_upstreams_words() {
    let requests = json!([{"audience": "a", "expirationSeconds": 1}, {"audience": "a"}, {"audience": "b", "expirationSeconds": 8_589_934_592_i64}]);
    let cases = [
        (
            "everything wrong at once",
            json!({"fsGroupPolicy": "Foo", "volumeLifecycleModes": ["Foo", "Foo"], "nodeAllocatableUpdatePeriodSeconds": 9, "tokenRequests": requests}),
            "[spec.fsGroupPolicy: Unsupported value: \"Foo\": supported values: \"File\", \"None\", \"ReadWriteOnceWithFSType\", spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes, spec.tokenRequests[1].audience: Duplicate value: \"a\", spec.tokenRequests[2].expirationSeconds: Invalid value: 8589934592: may not specify a duration larger than 2^32 seconds, spec.volumeLifecycleModes: Unsupported value: \"Foo\": supported values: \"Persistent\", \"Ephemeral\", spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds]",
        ),
        (
            "tokens in secrets are tokens",
            json!({"serviceAccountTokenInSecrets": false}),
            "spec.serviceAccountTokenInSecrets: Invalid value: false: serviceAccountTokenInSecrets is set but no tokenRequests are specified",
        ),
        (
            "an empty policy is one",
            json!({"fsGroupPolicy": ""}),
            "spec.fsGroupPolicy: Unsupported value: \"\": supported values: \"File\", \"None\", \"ReadWriteOnceWithFSType\"",
        ),
    ];
    for (rule, spec, expected) in cases {
        invalid(rule, kind().create(json!({ "spec": spec })), expected);
    }
}

#[test]
fn tokens_that_may_be_logged_are_warned_about_once() {
    let tokens = json!({"spec": {"tokenRequests": [{"audience": "a"}]}});
    assert_eq!(kind().create(tokens.clone()).unwrap().warnings, [UNDECIDED]);
    let plain = kind().stored(json!({"spec": {}}));
    let changed = kind().change(&plain, tokens).unwrap();
    assert_eq!(changed.warnings, [UNDECIDED]);
    accepted("not again", kind().change(&changed.object, json!({"spec": {"podInfoOnMount": true}})));
}

#[test]
fn how_volumes_are_attached_stays_and_a_change_counts() {
    let stored = kind().stored(json!({"spec": {}}));
    let change = json!({"spec": {"attachRequired": false, "volumeLifecycleModes": ["Ephemeral"]}});
    invalid(
        "QUIRK: spelled so",
        kind().change(&stored, change),
        "[spec.attachedRequired: Invalid value: false: field is immutable, spec.volumeLifecycleModes: Invalid value: [\"Ephemeral\"]: field is immutable]",
    );
    let generation = |object: &Value| object["metadata"].get("generation").cloned();
    let first = accepted("first", kind().change(&stored, json!({"spec": {"podInfoOnMount": true}})));
    assert_eq!(generation(&first), Some(json!(1)));
    let second = accepted("second", kind().change(&first, json!({"spec": {"storageCapacity": true}})));
    assert_eq!(generation(&second), Some(json!(2)));
    let labelled = accepted("a label", kind().change(&stored, json!({"metadata": {"labels": {"a": "b"}, "generation": 9}})));
    assert_eq!(generation(&labelled), None);
}
