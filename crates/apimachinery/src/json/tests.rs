use serde_json::json;

use super::*;

#[test]
fn keys_that_are_there_twice_are_named_by_their_path() {
    let text = br#"{"metadata":{"name":"x","name":"y"},"a":[{"b":1},{"b":1,"b":2}],"data":{"k":"1"},"data":{"l":"2","k":"3"}}"#;
    let read = read(text, true).expect("JSON");
    assert_eq!(read.duplicates, ["metadata.name", "a[1].b", "data"]);
    assert_eq!(read.value, json!({"metadata": {"name": "y"}, "a": [{"b": 1}, {"b": 2}], "data": {"k": "3", "l": "2"}}));
}

#[test]
fn objects_that_are_there_twice_are_united_only_where_the_type_is_known() {
    let text = br#"{"data":{"k":"1"},"data":{"l":"2"}}"#;
    assert_eq!(read(text, true).expect("JSON").value, json!({"data": {"k": "1", "l": "2"}}));
    assert_eq!(read(text, false).expect("JSON").value, json!({"data": {"l": "2"}}));
}

#[test]
fn what_is_no_json_is_refused_in_gos_words() {
    for (text, message) in [
        ("", "unexpected end of JSON input"),
        ("{", "unexpected end of JSON input"),
        (r#"{"a":"1 }"#, "unexpected end of JSON input"),
        ("{} tra", "invalid character 't' after top-level value"),
        (r#"{"a":"v1" "b":1}"#, "invalid character '\"' after object key:value pair"),
        ("xyz", "invalid character 'x' looking for beginning of value"),
        ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
        (r#"{"a":1,}"#, "invalid character '}' looking for beginning of object key string"),
        (r#"{"a":tru}"#, "invalid character '}' in literal true (expecting 'e')"),
        (r#"{"a":nulx}"#, "invalid character 'x' in literal null (expecting 'l')"),
        (r#"{"a":1.}"#, "invalid character '}' after decimal point in numeric literal"),
        (r#"{"a":01}"#, "invalid character '1' after object key:value pair"),
        (r#"{"a":"\q"}"#, "invalid character 'q' in string escape code"),
        (r#"{"a":"\u12x"}"#, "invalid character 'x' in \\u hexadecimal character escape"),
        ("{\"a\":\"\t\"}", "invalid character '\\t' in string literal"),
        (r#"{"a":[1 2]}"#, "invalid character '2' after array element"),
        (r#"{"a" 1}"#, "invalid character '1' after object key"),
        (r#"{"a":-}"#, "invalid character '}' in numeric literal"),
        (r#"{"a":1e}"#, "invalid character '}' in exponent of numeric literal"),
    ] {
        assert_eq!(read(text.as_bytes(), true), Err(message.to_owned()), "{text}");
    }
    assert_eq!(read("[".repeat(100_000).as_bytes(), true), Err("exceeded max depth".to_owned()));
}

#[test]
fn broken_utf8_is_read_with_replacement_characters() {
    assert_eq!(read(b"{\"a\":\"\xff\"}", true).expect("JSON").value, json!({"a": "\u{fffd}"}));
}

#[test]
fn one_value_can_be_had_without_the_rest() {
    let text = br#"{"metadata":{"labels":{"a":"b"},"name":"x"},"spec":{"size":3,"flag":true}}"#;
    assert_eq!(pick(text, &["metadata", "labels"]), Some(json!({"a": "b"})));
    assert_eq!(pick(text, &["spec", "size"]), Some(json!(3)));
    assert_eq!(pick(text, &["spec", "size", "deeper"]), None);
    assert_eq!(pick(text, &["status", "phase"]), None);
    assert_eq!(pick(b"nonsense", &["a"]), None);
}

proptest::proptest! {
    #[test]
    fn a_text_is_read_or_complained_about(text in "[\\[\\]{}\",:a-fnrtu0-9.eE+ \\\\-]{0,24}") {
        match read(text.as_bytes(), true) {
            Ok(_) => proptest::prop_assert_eq!(complaint(text.as_bytes()), None),
            // Numbers out of range and lone surrogates are grammar to both, and values to neither.
            Err(error) if complaint(text.as_bytes()).is_none() =>
                proptest::prop_assert!(error.contains("out of range") || error.contains("escape") || error.contains("surrogate"), "{}", error),
            Err(_) => {}
        }
    }
}
