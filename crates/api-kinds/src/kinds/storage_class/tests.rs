//! Each text is what kube-apiserver v1.36.1 answered.

use serde_json::json;

use crate::kinds::validation::testing::{Kind, NOT_KEY, NOT_SUBDOMAIN, accepted, invalid};

fn kind() -> Kind {
    Kind::of("storageclasses")
}

#[test]
fn a_new_class_gets_a_policy_and_a_mode() {
    let object = accepted("create", kind().create(json!({"provisioner": "p"})));
    assert_eq!((&object["reclaimPolicy"], &object["volumeBindingMode"]), (&json!("Delete"), &json!("Immediate")));
    assert!(object.get("allowVolumeExpansion").is_none());
    accepted("QUIRK: no policy at all", kind().create(json!({"provisioner": "p", "reclaimPolicy": ""})));
}

#[test]
fn a_new_class_is_refused_in_upstreams_words() {
    let many: serde_json::Map<_, _> = (0..513).map(|number| (number.to_string(), json!(""))).collect();
    let terms = json!([
        {},
        {"matchLabelExpressions": [{"key": "a b", "values": []}, {"key": "a", "values": ["1", "1"]}, {"key": "a", "values": ["1"]}]},
        {"matchLabelExpressions": [{"key": "z", "values": ["1", "2"]}]},
        {"matchLabelExpressions": [{"key": "z", "values": ["2", "1"]}]},
    ]);
    let cases = [
        ("a provisioner is needed", json!({}), "provisioner: Required value".to_owned()),
        (
            "everything wrong at once",
            json!({"provisioner": "A_/B c", "reclaimPolicy": "Recycle", "volumeBindingMode": "Foo", "parameters": {"": "x", "y": "z".repeat(262_144)}}),
            format!(
                "[provisioner: Invalid value: \"a_/b c\": prefix part {NOT_SUBDOMAIN}, provisioner: Invalid value: \"a_/b c\": {NOT_KEY}, parameters: Invalid value: \"\": field can not be empty., parameters: Too long: may not be more than 262144 bytes, reclaimPolicy: Unsupported value: \"Recycle\": supported values: \"Delete\", \"Retain\", volumeBindingMode: Unsupported value: \"Foo\": supported values: \"Immediate\", \"WaitForFirstConsumer\"]"
            ),
        ),
        (
            "there are 512 parameters",
            json!({"provisioner": "p", "parameters": many}),
            "parameters: Too long: may not be more than 512 bytes".to_owned(),
        ),
        (
            "an empty mode is one",
            json!({"provisioner": "p", "volumeBindingMode": ""}),
            "volumeBindingMode: Unsupported value: \"\": supported values: \"Immediate\", \"WaitForFirstConsumer\"".to_owned(),
        ),
        (
            "topologies differ",
            json!({"provisioner": "p", "allowedTopologies": terms}),
            format!(
                "[allowedTopologies[0].matchLabelExpressions: Duplicate value: \"\", allowedTopologies[1].matchLabelExpressions[0].values: Required value, allowedTopologies[1].matchLabelExpressions[0].key: Invalid value: \"a b\": {NOT_KEY}, allowedTopologies[1].matchLabelExpressions[1].values[1]: Duplicate value: \"1\", allowedTopologies[1].matchLabelExpressions[2].key: Duplicate value: \"a\", allowedTopologies[3].matchLabelExpressions: Duplicate value: \"\"]"
            ),
        ),
    ];
    for (rule, object, expected) in cases {
        invalid(rule, kind().create(object), &expected);
    }
}

#[test]
fn a_label_of_old_is_warned_about() {
    let terms = json!([{"matchLabelExpressions": [{"key": "beta.kubernetes.io/os", "values": ["1"]}]}]);
    let written = kind().create(json!({"provisioner": "p", "allowedTopologies": terms})).unwrap();
    assert_eq!(
        written.warnings,
        ["allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.14; use \"kubernetes.io/os\" instead"]
    );
}

#[test]
fn what_volumes_are_made_of_stays() {
    let stored = kind().stored(json!({"provisioner": "p", "parameters": {"a": "b"}, "reclaimPolicy": "Retain"}));
    let change = json!({"parameters": {"a": "c"}, "provisioner": "Q", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer"});
    invalid(
        "changed",
        kind().change(&stored, change),
        "[parameters: Invalid value: {\"a\":\"c\"}: field is immutable, provisioner: Invalid value: \"Q\": field is immutable, reclaimPolicy: Invalid value: \"Delete\": field is immutable, volumeBindingMode: Invalid value: \"WaitForFirstConsumer\": field is immutable]",
    );
    invalid(
        "taken away",
        kind().change(&stored, json!({"parameters": null, "provisioner": "", "reclaimPolicy": null})),
        "[provisioner: Required value, parameters: Invalid value: null: field is immutable, provisioner: Invalid value: \"\": field is immutable, reclaimPolicy: Invalid value: \"Delete\": field is immutable]",
    );
    let rest = json!({"allowVolumeExpansion": true, "mountOptions": ["a"], "allowedTopologies": [{"matchLabelExpressions": [{"key": "z", "values": ["1"]}]}]});
    accepted("everything else changes", kind().change(&stored, rest));
}
