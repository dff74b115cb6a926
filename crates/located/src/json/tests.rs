use proptest::prelude::*;

use super::*;
use crate::Place;

fn damage(text: &str) -> (usize, usize, String) {
    let damage = json(text).expect_err(text);
    (damage.place.line, damage.place.column, damage.reason)
}

#[test]
fn every_field_has_its_place() {
    let read = json("{\n  \"a\": [1, {\"b.c\": true}],\n  \"d\": {}\n}\n").expect("JSON");
    let place = |field: &str| read.lines.place(field).map(|place| (place.line, place.column));
    assert_eq!(place("a"), Some((2, 3)));
    assert_eq!(place("a[1]"), Some((2, 12)));
    assert_eq!(place("a[1][\"b.c\"]"), Some((2, 13)));
    assert_eq!(place("d.missing"), Some((3, 3)), "the nearest one around it");
    assert_eq!(place("nothing"), Some((1, 1)));
    assert_eq!(read.value["a"][1]["b.c"], true);
}

#[test]
fn columns_count_characters() {
    let read = json("{\"ä\": 1, \"b\": 2}").expect("JSON");
    assert_eq!(read.lines.place("b"), Some(Place { line: 1, column: 10 }));
}

#[test]
fn a_field_that_is_there_twice_is_named() {
    let read = json(r#"{"a": {"b": 1, "b": 2}, "l": [{"x": 1}, {"x": 1}]}"#).expect("JSON");
    assert_eq!(read.twice, ["a.b"]);
}

#[test]
fn a_missing_comma_is_named_with_the_line_before_it() {
    let (line, column, reason) = damage("{\n  \"a\": {\n  }\n  \"b\": {\n  }\n}");
    assert_eq!((line, column), (4, 3));
    assert_eq!(reason, "a comma is missing after line 3, before \"b\"");
    assert_eq!(damage("[1 2]").2, "a comma is missing before 2");
    assert_eq!(damage("[\n{}\n{}]").2, "a comma is missing after line 2, before {");
}

#[test]
fn pseudo_json_of_documentation_is_named() {
    let (line, _, reason) = damage("TaskInfo {\n  ...\n  \"command\" : {}\n}");
    assert_eq!(line, 1);
    assert!(reason.contains("remove TaskInfo"), "{reason}");
    let (line, _, reason) = damage("{\n  ...\n  \"command\" : {}\n}");
    assert_eq!(line, 2);
    assert!(reason.contains("leaves out"), "{reason}");
}

#[test]
fn each_damage_has_its_cause() {
    for (text, expected) in [
        ("", "nothing"),
        (" \n", "nothing"),
        ("{\"a\": 1,}", "after the last field"),
        ("[1,\n]", "after the last element"),
        ("{\"a\" 1}", "a colon is missing"),
        ("{\"a\"}", "has no value"),
        ("{\"a\" = 1}", "not ="),
        ("{\"a\":}", "a value is missing"),
        ("{a: 1}", "double quotes"),
        ("{'a': 1}", "not with '"),
        ("{\"a\": 'b'}", "not with '"),
        ("{\"a\": True}", "true, false and null"),
        ("{\"a\": yes}", "double quotes"),
        ("{\"a\": 1 // one\n}", "comment"),
        ("# c\n{}", "comment"),
        ("{\"a\": 1", "ends before the }"),
        ("{\"a\": [1", "ends before the ]"),
        ("{\"a\": [1}", "before the ]"),
        ("[{\"a\": 1]", "before the }"),
        ("{\"a\": \"b\n}", "not closed"),
        ("{\"a\": \"b", "not closed"),
        ("{\"a\": \"b\\", "not closed"),
        ("{\"a\": \"\t\"}", "a tab"),
        ("{\"a\": \"\\x\"}", "backslash"),
        ("{} {}", "two documents"),
        ("id: x", "YAML"),
        ("<html>", "XML"),
        ("{\"a\": 01}", "number"),
        ("{\"a\": 1,, \"b\": 2}", "two commas"),
        ("{\"a\": ...}", "leaves out"),
        ("nonsense", "begins with {"),
    ] {
        let (.., reason) = damage(text);
        assert!(reason.contains(expected), "{text}: {reason}");
    }
}

#[test]
fn a_message_does_not_repeat_a_value() {
    for text in
        ["{\"a\": \"x\" \"hunter2\"}", "[\"x\" \"hunter2\"]", "{\"password\": \"hunter2\n\"}", "{\"password\": \"hunter2\\x\"}"]
    {
        let (.., reason) = damage(text);
        assert!(!reason.contains("hunter2"), "{reason}");
    }
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    assert!(damage(&"[".repeat(100_000)).2.contains("nested"));
    assert!(json(&("[".repeat(DEEPEST) + &"]".repeat(DEEPEST))).is_ok());
}

fn piece() -> impl Strategy<Value = String> {
    const FIXED: [&str; 19] =
        ["{", "}", "[", "]", ",", ":", "\"a\"", "\"", "1", "-", "true", "nul", "\n", " ", "...", "//", "\\", "é", "\t"];
    prop_oneof![4 => proptest::sample::select(&FIXED[..]).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// It agrees with serde_json on what is JSON, and whatever it refuses has a place in the text.
    #[test]
    fn it_reads_what_serde_json_reads(pieces in proptest::collection::vec(piece(), 0..24)) {
        let text = pieces.concat();
        let expected = serde_json::from_str::<Value>(&text);
        match (json(&text), expected) {
            (Ok(read), Ok(value)) => prop_assert_eq!(read.value, value),
            (Err(damage), Err(_)) => {
                prop_assert!(damage.place.line <= text.matches('\n').count() + 1);
                prop_assert!(!damage.reason.is_empty());
            }
            (ours, theirs) => prop_assert!(false, "{:?}: {:?}, {:?}", text, ours, theirs),
        }
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(text) = crate::text(&bytes) {
            let _ = json(text);
        }
    }
}
