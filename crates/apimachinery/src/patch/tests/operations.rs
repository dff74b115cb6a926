//! RFC 6902, and the liberties of the API server (measured).

use serde_json::{Value, json};

use crate::patch::json as patch;

fn apply(old: &Value, operations: &Value) -> Option<Value> {
    match patch(old, operations.to_string().as_bytes()) {
        Ok(new) => Some(new),
        Err(status) => {
            assert_eq!(status.code, 422);
            assert_eq!(status.reason, Some("Invalid"));
            assert_eq!(status.message, "the server rejected our request due to an error in our request");
            assert_eq!(status.to_value()["details"], json!({}));
            None
        }
    }
}

#[test]
fn operations_do_what_the_rfc_says() {
    let old = json!({"a": {"b": 1}, "l": [1, 2, 3], "x/y": {"m~n": 5}});
    for (operations, path, value) in [
        (json!([]), "/a/b", json!(1)),
        (json!([{"op": "add", "path": "/a/c", "value": {"d": 1}}]), "/a", json!({"b": 1, "c": {"d": 1}})),
        (json!([{"op": "add", "path": "/l/1", "value": 9}]), "/l", json!([1, 9, 2, 3])),
        (json!([{"op": "add", "path": "/l/3", "value": 9}]), "/l", json!([1, 2, 3, 9])),
        (json!([{"op": "add", "path": "/l/-", "value": 9}]), "/l", json!([1, 2, 3, 9])),
        (json!([{"op": "remove", "path": "/l/0"}]), "/l", json!([2, 3])),
        (json!([{"op": "replace", "path": "/l/2", "value": 7}]), "/l", json!([1, 2, 7])),
        (json!([{"op": "replace", "path": "/x~1y/m~0n", "value": 6}]), "/x~1y", json!({"m~n": 6})),
        (json!([{"op": "move", "from": "/a/b", "path": "/l/0"}]), "/l", json!([1, 1, 2, 3])),
        (json!([{"op": "copy", "from": "/a", "path": "/c"}, {"op": "remove", "path": "/a/b"}]), "/c", json!({"b": 1})),
        (json!([{"op": "test", "path": "/a", "value": {"b": 1}}, {"op": "remove", "path": "/a/b"}]), "/a", json!({})),
        (json!([{"op": "test", "path": "", "value": old}]), "/a/b", json!(1)),
        (json!([{"op": "replace", "path": "", "value": {"n": 1}}]), "", json!({"n": 1})),
    ] {
        let new = apply(&old, &operations).unwrap_or_else(|| panic!("{operations} can be applied"));
        assert_eq!(new.pointer(path), Some(&value), "{operations}");
    }
}

#[test]
fn the_liberties_of_the_api_server_are_kept() {
    let old = json!({"a": {}, "l": [1, 2, 3]});
    for (operations, path, value) in [
        (json!([{"op": "replace", "path": "/a/absent", "value": 1}]), "/a", json!({"absent": 1})),
        (json!([{"op": "copy", "from": "/absent", "path": "/a/b"}]), "/a", json!({"b": null})),
        (json!([{"op": "test", "path": "/a/absent", "value": null}]), "/a", json!({})),
        (json!([{"op": "test", "path": "/a/absent"}]), "/a", json!({})),
        (json!([{"op": "add", "path": "/a/b"}]), "/a", json!({"b": null})),
        (json!([{"op": "remove", "path": "/l/-1"}]), "/l", json!([1, 2])),
        (json!([{"op": "add", "path": "/l/-1", "value": 9}]), "/l", json!([1, 2, 3, 9])),
        (json!([{"op": "replace", "path": "/l/+1", "value": 9}]), "/l", json!([1, 9, 3])),
        (json!([{"op": "add", "path": "what/a/b", "value": 1}]), "/a", json!({"b": 1})),
        (json!(null), "/a", json!({})),
    ] {
        let new = apply(&old, &operations).unwrap_or_else(|| panic!("{operations} can be applied"));
        assert_eq!(new.pointer(path), Some(&value), "{operations}");
    }
}

#[test]
fn what_cannot_be_applied_is_refused_without_saying_why() {
    let old = json!({"a": {"b": "text"}, "l": [1, 2, 3]});
    for operation in [
        json!({"op": "test", "path": "/a/b", "value": "other"}),
        json!({"op": "test", "path": "/a/absent", "value": 1}),
        json!({"op": "test", "path": "", "value": {}}),
        json!({"op": "remove", "path": "/a/absent"}),
        json!({"op": "remove", "path": ""}),
        json!({"op": "remove", "path": "/l/3"}),
        json!({"op": "remove", "path": "/l/-4"}),
        json!({"op": "remove", "path": "/l/x"}),
        json!({"op": "add", "path": "/l/4", "value": 1}),
        json!({"op": "add", "path": "/absent/-", "value": 1}),
        json!({"op": "add", "path": "/absent/b", "value": 1}),
        json!({"op": "add", "path": "/a/b/c", "value": 1}),
        json!({"op": "add", "path": "no-slash", "value": 1}),
        json!({"op": "add", "value": 1}),
        json!({"op": "add", "path": "", "value": {}}),
        json!({"op": "replace", "path": "/absent/b", "value": 1}),
        json!({"op": "replace", "path": "/l/3", "value": 1}),
        json!({"op": "replace", "path": "", "value": "text"}),
        json!({"op": "move", "from": "/absent", "path": "/a/c"}),
        json!({"op": "move", "path": "/a/c"}),
        json!({"op": "copy", "from": "/absent/x", "path": "/a/c"}),
        json!({"op": "unheard of", "path": "/a"}),
        json!({"path": "/a"}),
        json!(null),
    ] {
        assert_eq!(apply(&old, &json!([operation])), None, "{operation}");
    }
}

#[test]
fn an_object_cannot_be_doubled_without_end() {
    let mut operations = vec![json!({"op": "add", "path": "/a", "value": ["x".repeat(1000)]})];
    operations.extend((0..40).map(|_| json!({"op": "copy", "from": "/a", "path": "/a/-"})));
    assert_eq!(apply(&json!({}), &json!(operations)), None);
}

#[test]
fn an_object_cannot_be_nested_without_end() {
    let round = [
        json!({"op": "add", "path": "/b", "value": {}}),
        json!({"op": "move", "from": "/a", "path": "/b/a"}),
        json!({"op": "move", "from": "/b", "path": "/a"}),
    ];
    let rounds = |count: usize| json!(std::iter::repeat_n(round.clone(), count).flatten().collect::<Vec<Value>>());
    assert!(apply(&json!({"a": {}}), &rounds(100)).is_some());
    assert_eq!(apply(&json!({"a": {}}), &rounds(3000)), None);
}
