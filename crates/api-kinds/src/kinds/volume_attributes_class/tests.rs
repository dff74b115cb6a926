//! Each text is what kube-apiserver v1.36.1 answered.

use serde_json::json;

use crate::kinds::validation::testing::{Kind, NOT_KEY, accepted, invalid};

fn kind() -> Kind {
    Kind::of("volumeattributesclasses")
}

#[test]
fn a_new_class_gets_a_finalizer() {
    let object = accepted("create", kind().create(json!({"driverName": "A", "parameters": {"a": "x"}})));
    assert_eq!(object["metadata"]["finalizers"], json!(["kubernetes.io/vac-protection"]));
}

#[test]
fn a_class_is_refused_in_upstreams_words() {
    let needed = "driverName: Required value, parameters: Required value: must contain at least one key/value pair";
    invalid("a driver and parameters are needed", kind().create(json!({})), &format!("[{needed}]"));
    invalid(
        "names are names",
        kind().create(json!({"driverName": "A_", "parameters": {"": "x"}})),
        &format!("[driverName: Invalid value: \"a_\": {NOT_KEY}, parameters: Invalid value: \"\": field can not be empty.]"),
    );
    let kept = "driverName: Forbidden: updates to driverName are forbidden., parameters: Forbidden: updates to parameters are forbidden.";
    let stored = kind().stored(json!({"driverName": "d", "parameters": {"a": "b"}}));
    let change = json!({"driverName": "e", "parameters": {"a": "c"}});
    invalid("both stay", kind().change(&stored, change), &format!("[{kept}]"));
    let another = json!({"parameters": {"b": ""}});
    let parameters = "parameters: Forbidden: updates to parameters are forbidden.";
    invalid("an empty parameter is one", kind().change(&stored, another), parameters);
    let nothing = json!({"driverName": "", "parameters": null});
    invalid("both are there", kind().change(&stored, nothing), &format!("[{kept}, {needed}]"));
}

#[test]
fn a_finalizer_that_was_taken_away_is_not_put_back() {
    let stored = kind().stored(json!({"driverName": "d", "parameters": {"a": "b"}}));
    let object = accepted("update", kind().change(&stored, json!({"metadata": {"finalizers": []}})));
    assert_eq!(object["metadata"]["finalizers"], json!([]));
}
