//! Each text is what kube-apiserver v1.36.1 answered.

use serde_json::json;

use crate::kinds::validation::testing::{Kind, NOT_KEY, NOT_SUBDOMAIN, accepted, invalid};

fn kind() -> Kind {
    Kind::of("csistoragecapacities")
}

#[test]
fn a_new_capacity_is_refused_in_upstreams_words() {
    invalid("a class is needed", kind().create(json!({})), &format!("storageClassName: Invalid value: \"\": {NOT_SUBDOMAIN}"));
    let bad = json!({"storageClassName": "A_", "capacity": "-1", "maximumVolumeSize": "-2", "nodeTopology": {"matchLabels": {"a b": "c"}}});
    invalid(
        "everything wrong at once, and the largest size not looked at",
        kind().create(bad),
        &format!(
            "[nodeTopology.matchLabels: Invalid value: \"a b\": {NOT_KEY}, storageClassName: Invalid value: \"A_\": {NOT_SUBDOMAIN}, capacity: Invalid value: \"-1\": must be greater than or equal to 0]"
        ),
    );
}

#[test]
fn a_label_of_old_is_warned_about() {
    let topology = json!({"matchLabels": {"beta.kubernetes.io/os": "c"}, "matchExpressions": [{"key": "beta.kubernetes.io/os", "operator": "Exists"}]});
    let written = kind().create(json!({"storageClassName": "a", "nodeTopology": topology})).unwrap();
    assert_eq!(
        written.warnings,
        [
            "nodeTopology.matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use \"kubernetes.io/os\" instead",
            "nodeTopology.matchLabels.beta.kubernetes.io/os: deprecated since v1.14; use \"kubernetes.io/os\" instead",
        ]
    );
}

#[test]
fn what_the_driver_was_asked_stays() {
    let stored = kind().stored(json!({"storageClassName": "a", "nodeTopology": {"matchLabels": {"a": "b"}}}));
    let topology = json!({"matchLabels": {"a": "c"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]});
    invalid(
        "changed",
        kind().change(&stored, json!({"storageClassName": "c", "nodeTopology": topology})),
        "[nodeTopology: Invalid value: {\"matchLabels\":{\"a\":\"c\"},\"matchExpressions\":[{\"key\":\"k\",\"operator\":\"In\",\"values\":[\"v\"]}]}: field is immutable, storageClassName: Invalid value: \"c\": field is immutable]",
    );
    invalid(
        "taken away",
        kind().change(&stored, json!({"nodeTopology": null})),
        "nodeTopology: Invalid value: null: field is immutable",
    );
    accepted("what it answered changes", kind().change(&stored, json!({"capacity": "1Gi", "maximumVolumeSize": "1Gi"})));
}
