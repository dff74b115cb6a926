//! Expectations marked "measured" were recorded from kube-apiserver v1.36.1.

mod laws;
mod operations;
mod strategic;

use serde_json::{Value, json};

use super::{json as json_patch, merge, shown};
use crate::Status;

fn refusal(answer: Result<Value, Status>) -> (u16, String) {
    let status = answer.expect_err("refused");
    (status.code, status.message)
}

#[test]
fn a_merge_patch_merges_maps_deletes_by_null_and_replaces_lists() {
    let old = json!({"a": {"b": 1, "c": [1, 2]}, "d": "x"});
    for (patch, new) in [
        (json!({}), old.clone()),
        (json!({"a": {"b": null, "e": 5}}), json!({"a": {"c": [1, 2], "e": 5}, "d": "x"})),
        (json!({"a": {"c": [3]}}), json!({"a": {"b": 1, "c": [3]}, "d": "x"})),
        (json!({"z": null, "d": null}), json!({"a": {"b": 1, "c": [1, 2]}})),
        (json!({"d": {"e": {"f": null, "g": 1}}}), json!({"a": {"b": 1, "c": [1, 2]}, "d": {"e": {"g": 1}}})),
        (json!({"a": 7}), json!({"a": 7, "d": "x"})),
        // Not in the RFC: nulls in objects of a list are taken away.
        (json!({"l": [null, {"x": null, "y": 1}]}), json!({"a": {"b": 1, "c": [1, 2]}, "d": "x", "l": [null, {"y": 1}]})),
    ] {
        assert_eq!(merge(&old, patch.to_string().as_bytes()).unwrap(), new, "{patch}");
    }
}

#[test]
fn a_merge_patch_that_is_no_object_is_a_bad_request() {
    let old = json!({});
    for (patch, words) in [
        ("[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("3", "error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}"),
        ("{", "error decoding patch: unexpected end of JSON input"),
        ("", "error decoding patch: unexpected end of JSON input"),
        ("null", "Invalid JSON Patch"),
    ] {
        assert_eq!(refusal(merge(&old, patch.as_bytes())), (400, words.to_owned()), "{patch}");
    }
}

#[test]
fn a_patch_that_is_no_list_of_operations_is_a_bad_request() {
    for (patch, words) in [
        ("{}", "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        ("[1]", "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
        ("[", "error decoding patch: unexpected end of JSON input"),
    ] {
        assert_eq!(refusal(json_patch(&json!({}), patch.as_bytes())), (400, words.to_owned()), "{patch}");
    }
}

#[test]
fn ten_thousand_operations_are_the_most() {
    let patch = |count: usize| format!("[{}]", vec![r#"{"op":"add","path":"/a","value":1}"#; count].join(","));
    assert_eq!(json_patch(&json!({}), patch(10_000).as_bytes()).unwrap(), json!({"a": 1}));
    let words = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001".to_owned();
    assert_eq!(refusal(json_patch(&json!({}), patch(10_001).as_bytes())), (413, words));
}

#[test]
fn values_are_shown_as_go_prints_them() {
    let value = json!({"b": [1, "x", null, true], "a": {"c": 1.5}, "d": 1e21, "e": 1e-7, "f": -2});
    assert_eq!(shown(&value), "map[a:map[c:1.5] b:[1 x <nil> true] d:1e+21 e:1e-07 f:-2]");
}
