use serde_json::{Value, json};

use super::*;

fn selects(text: &str, labels: Value) -> bool {
    LabelSelector::parse(text).expect(text).matches(&labels)
}

fn refused(text: &str) -> String {
    let status = LabelSelector::parse(text).expect_err(text);
    assert_eq!((status.code, status.reason), (400, Some("BadRequest")), "{text}");
    status.message
}

#[test]
fn each_operator_selects_as_the_api_server_does() {
    let a = json!({"a": "1", "b": "in"});
    for text in [
        "",
        "a=1",
        "a==1",
        "a",
        "!c",
        "a!=2",
        "c!=1",
        "a in (1,2)",
        "a notin (2)",
        "c notin ()",
        "a>0",
        "a<2",
        "b=in",
        " a = 1 , b ",
    ] {
        assert!(selects(text, a.clone()), "{text}");
    }
    for text in ["a=2", "c", "!a", "a!=1", "a in ()", "a in (2)", "a notin (1)", "a>1", "b>0", "c<1", "a=1,b=x"] {
        assert!(!selects(text, a.clone()), "{text}");
    }
}

#[test]
fn nothing_where_a_value_is_expected_is_the_empty_value() {
    let empty = json!({"a": ""});
    for text in ["a=", "a==", "a in ()", "a in (,1)", "a in (1,)", "a in (1,,2)", "a in (,)", "a=,a"] {
        assert!(selects(text, empty.clone()), "{text}");
    }
    assert!(!selects("a in (1,2)", empty));
}

#[test]
fn an_object_without_labels_is_selected_by_what_may_be_absent() {
    assert!(selects("!a,b!=1,c notin (x)", Value::Null));
    assert!(!selects("a", Value::Null));
}

#[test]
fn what_cannot_be_read_is_refused_in_the_api_servers_words() {
    for (text, message) in [
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("a!", "unable to parse requirement: found '!', expected: in, notin, =, ==, !=, gt, lt"),
        ("a=b=c", "found '=', expected: ',' or 'end of string'"),
        ("!a=1", "found '=', expected: ',' or 'end of string'"),
        ("a=x y", "found 'y', expected: ',' or 'end of string'"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("()", "found '(', expected: !, identifier, or 'end of string'"),
        ("a,", "found '', expected: identifier after ','"),
        ("a in 1", "unable to parse requirement: found '1' expected: '('"),
        ("a in (1", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier"),
        ("a>=1", "unable to parse requirement: found '=', expected: identifier"),
        (
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
    ] {
        assert_eq!(refused(text), message, "{text}");
    }
    assert!(refused("a=-x").starts_with("unable to parse requirement: values[0][a]: Invalid value: \"-x\": a valid label must"));
    assert!(refused("a in (-x,-y)").starts_with("unable to parse requirement: [values[0][a]: Invalid value: \"-x\": "));
    assert!(refused("A_/b").starts_with("unable to parse requirement: <nil>: Invalid value: \"A_/b\": prefix part a lowercase"));
}

#[test]
fn field_terms_are_equal_or_not_and_may_be_escaped() {
    let parsed = FieldSelector::parse(r",metadata.name==a,type!=b,x=a\,b\=c\\,").expect("a selector");
    let expected = [("metadata.name", true, "a"), ("type", false, "b"), ("x", true, r"a,b=c\")];
    assert_eq!(parsed.terms, expected.map(|(field, equal, value)| (field.to_owned(), equal, value.to_owned())));
    assert_eq!(parsed.exact("metadata.name"), Some("a"));
    assert_eq!(parsed.exact("type"), None);
    assert!(parsed.matches(|field| if field == "x" { r"a,b=c\".into() } else { "a".into() }));
    assert!(!parsed.matches(|_| "b".into()));
}

#[test]
fn a_field_selector_that_cannot_be_read_is_refused_in_the_api_servers_words() {
    for (text, message) in [
        ("foo", "invalid selector: 'foo'; can't understand 'foo'"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
        (r"a=b\x", r"invalid field selector: invalid escape sequence: \x"),
        (r"a=b\", r"invalid field selector: invalid escape sequence: \"),
    ] {
        assert_eq!(FieldSelector::parse(text).expect_err(text), Status::bad_request(message));
    }
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_a_parser(text in "[ab =!<>(),\\\\in/é\\-]{0,24}") {
        let _ = (LabelSelector::parse(&text), FieldSelector::parse(&text));
    }
}
