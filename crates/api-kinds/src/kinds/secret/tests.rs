use serde_json::json;

use crate::kinds::validation::testing::{Kind, accepted, invalid};

#[test]
fn plain_texts_are_written_into_the_data_and_not_returned() {
    let kind = Kind::of("secrets");
    let secret =
        accepted("stringData", kind.create(json!({"stringData": {"a": "b", "c": ""}, "data": {"a": "YQ==", "x": "YQ=="}})));
    assert_eq!(secret["data"], json!({"a": "Yg==", "c": "", "x": "YQ=="}));
    assert_eq!(secret["type"], "Opaque");
    assert!(secret.get("stringData").is_none());
}

#[test]
fn each_type_has_the_keys_that_it_needs() {
    let kind = Kind::of("secrets");
    let of = |name: &str| format!("kubernetes.io/{name}");
    let table = [
        ("tls", json!({}), "[data[tls.crt]: Required value, data[tls.key]: Required value]"),
        ("tls", json!({"tls.crt": "a"}), "data[tls.key]: Required value"),
        ("basic-auth", json!({}), "[data[username]: Required value, data[password]: Required value]"),
        ("ssh-auth", json!({"ssh-privatekey": ""}), "data[ssh-privatekey]: Required value"),
        ("dockerconfigjson", json!({}), "data[.dockerconfigjson]: Required value"),
        (
            "dockerconfigjson",
            json!({".dockerconfigjson": "x"}),
            "data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": invalid character 'x' looking for beginning of value",
        ),
        (
            "dockercfg",
            json!({".dockercfg": "[]"}),
            "data[.dockercfg]: Invalid value: \"<secret contents redacted>\": json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        ("service-account-token", json!({}), "metadata.annotations[kubernetes.io/service-account.name]: Required value"),
    ];
    for (name, data, expected) in table {
        invalid(name, kind.create(json!({"type": of(name), "stringData": data})), expected);
    }
    for (name, data) in
        [("basic-auth", json!({"username": "a"})), ("dockercfg", json!({".dockercfg": "{}"})), ("other", json!({}))]
    {
        accepted(name, kind.create(json!({"type": of(name), "stringData": data})));
    }
    let account =
        json!({"type": of("service-account-token"), "metadata": {"annotations": {"kubernetes.io/service-account.name": "a"}}});
    accepted("a token", kind.create(account));
    let long = "x".repeat((1 << 20) + 1);
    invalid("size", kind.create(json!({"stringData": {"a": long}})), "data: Too long: may not be more than 1048576 bytes");
    invalid("key", kind.create(json!({"stringData": {"..": "a"}})), "data[..]: Invalid value: \"..\": must not be '..'");
}

#[test]
fn the_type_stays_and_so_does_everything_once_immutable() {
    let kind = Kind::of("secrets");
    let stored = kind.stored(json!({"type": "foo", "data": {"a": "YQ=="}, "immutable": true}));
    let type_changed = |kind: &str| format!("type: Invalid value: \"{kind}\": field is immutable");
    invalid("type", kind.change(&stored, json!({"type": "bar"})), &type_changed("bar"));
    invalid("no type", kind.change(&stored, json!({"type": null})), &type_changed("Opaque"));
    let detail = "Forbidden: field is immutable when `immutable` is set";
    let both = format!("[immutable: {detail}, data: {detail}]");
    invalid("data", kind.change(&stored, json!({"data": {"b": "YQ=="}, "immutable": null})), &both);
    invalid("stringData", kind.change(&stored, json!({"stringData": {"b": "x"}})), &format!("data: {detail}"));
    accepted("the same", kind.change(&stored, json!({"stringData": {"a": "a"}})));
}
