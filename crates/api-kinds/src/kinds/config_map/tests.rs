use serde_json::json;

use crate::kinds::validation::testing::{Kind, accepted, invalid};

const NOT_A_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

#[test]
fn keys_must_be_names_of_files() {
    let kind = Kind::of("configmaps");
    accepted("good keys", kind.create(json!({"data": {"a.b_c-D": "x", ".a": ""}, "binaryData": {"b": "YQ=="}})));
    let table = [
        (json!({"data": {"a b": "x"}}), format!("data[a b]: Invalid value: \"a b\": {NOT_A_KEY}")),
        (json!({"data": {"": "x"}}), format!("data[]: Invalid value: \"\": {NOT_A_KEY}")),
        (json!({"data": {"..": "x"}}), "data[..]: Invalid value: \"..\": must not be '..'".to_owned()),
        (
            json!({"data": {".": "x", "..a": "b"}}),
            "[data[.]: Invalid value: \".\": must not be '.', data[..a]: Invalid value: \"..a\": must not start with '..']"
                .to_owned(),
        ),
        (
            json!({"data": {"a": "x"}, "binaryData": {"a": "YQ==", "b c": "YQ=="}}),
            format!(
                "[data[a]: Invalid value: \"a\": duplicate of key present in binaryData, binaryData[b c]: Invalid value: \"b c\": {NOT_A_KEY}]"
            ),
        ),
        (json!({"data": {"a": "x".repeat((1 << 20) + 1)}}), "[]: Too long: may not be more than 1048576 bytes".to_owned()),
    ];
    for (body, expected) in table {
        invalid("a bad key", kind.create(body), &expected);
    }
    let long = "a".repeat(254);
    let expected = format!("data[{long}]: Invalid value: \"{long}\": must be no more than 253 characters");
    invalid("a long key", kind.create(json!({"data": {&long: "x"}})), &expected);
}

#[test]
fn an_immutable_config_map_keeps_its_data_and_nothing_else() {
    let kind = Kind::of("configmaps");
    let stored = kind.stored(json!({"data": {"a": "b"}, "immutable": true}));
    accepted("labels change", kind.change(&stored, json!({"metadata": {"labels": {"a": "b"}}})));
    let detail = "Forbidden: field is immutable when `immutable` is set";
    invalid(
        "data",
        kind.change(&stored, json!({"data": {"a": "c"}, "immutable": false})),
        &format!("[immutable: {detail}, data: {detail}]"),
    );
    invalid("binaryData", kind.change(&stored, json!({"binaryData": {"c": "YQ=="}})), &format!("binaryData: {detail}"));
    let free = kind.stored(json!({"data": {"a": "b"}, "immutable": false}));
    accepted("becomes immutable", kind.change(&free, json!({"data": {"a": "c"}, "immutable": true})));
}
