use serde_json::json;

use super::*;
use crate::http::tests::config_maps;

fn refused(content_type: &str, body: &str) -> String {
    read(content_type, body.as_bytes(), &config_maps(), "ConfigMap").expect_err(body).message
}

#[test]
fn a_body_that_is_no_object_is_refused_in_the_api_servers_words() {
    let head = "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind; json parse error: ";
    for (body, rest) in [
        ("{", "unexpected end of JSON input ({)"),
        ("", "unexpected end of JSON input (<empty>)"),
        ("xyz", "invalid character 'x' looking for beginning of value (78797a)"),
        (
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}} tra"#,
            r#"invalid character 't' after top-level value ({"apiVersion":"v1","kind":"Con ...)"#,
        ),
        (r#"{"kind":5}"#, r#"json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})"#),
        (
            "[]",
            r#"json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" } (5b5d)"#,
        ),
    ] {
        assert_eq!(refused("application/json", body), format!("{head}{rest}"), "{body}");
    }
}

#[test]
fn bodies_are_json_or_yaml_and_say_so() {
    let expected = json!({"kind": "ConfigMap", "data": {"a": "1", "2": "b"}});
    let json = br#"{"kind":"ConfigMap","data":{"a":"1","2":"b"}}"#;
    for content_type in ["", "application/json", "application/json; charset=utf-8", "application/yaml"] {
        assert_eq!(read(content_type, json, &config_maps(), "ConfigMap").expect("a body").0, expected, "{content_type}");
    }
    let yaml = b"kind: ConfigMap\ndata: {a: \"1\", 2: b}\n---\nother: document\n";
    assert_eq!(read("application/yaml", yaml, &config_maps(), "ConfigMap").expect("a body").0, expected);
    for content_type in ["text/plain", "application/cbor", "garbage"] {
        let status = read(content_type, json, &config_maps(), "ConfigMap").expect_err("another format");
        assert_eq!((status.code, status.reason), (415, Some("UnsupportedMediaType")));
    }
}

#[test]
fn an_empty_body_is_null_in_yaml() {
    for body in ["", "null", "---\n"] {
        assert_eq!(
            read("application/yaml", body.as_bytes(), &config_maps(), "ConfigMap").expect(body).0,
            Value::Null,
            "{body:?}"
        );
    }
}

#[test]
fn keys_that_are_there_twice_are_told() {
    let body = br#"{"metadata":{"name":"x","name":"y"}}"#;
    assert_eq!(read("", body, &config_maps(), "ConfigMap").expect("a body").1, [r#"duplicate field "metadata.name""#]);
}

#[test]
fn yaml_that_does_not_parse_is_refused() {
    assert!(refused("application/yaml", "a: b: c").contains("yaml: mapping values are not allowed in this context"));
}
