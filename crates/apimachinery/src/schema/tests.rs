//! What the real API server wrote for these values. Whole kinds are decoded in `api-kinds`, which knows some.

use serde_json::{Value, json};

use super::time::{self, Precision};
use super::{Fields, Schema, Shape, bytes, quantity};

#[test]
fn quantities_are_written_as_the_api_server_writes_them() {
    let table = [
        (json!("1024Mi"), "1Gi"),
        (json!("1.5Gi"), "1536Mi"),
        (json!(1_073_741_824), "1073741824"),
        (json!("1500m"), "1500m"),
        (json!("1e3"), "1e3"),
        (json!("1E3"), "1E3"),
        (json!("1.5e-1"), "150e-3"),
        (json!("0.5"), "500m"),
        (json!("1000"), "1k"),
        (json!(1500), "1500"),
        (json!(1.5), "1500m"),
        (json!("0.5Gi"), "512Mi"),
        (json!("1.1Gi"), "1181116006400m"),
        (json!("0.5Ki"), "512"),
        (json!("1Ei"), "1Ei"),
        (json!("123456789012345678901"), "123456789012345678901"),
        (json!("-1Gi"), "-1Gi"),
        (json!("-1024Mi"), "-1Gi"),
        (json!("1024Ki"), "1Mi"),
        (json!("0Gi"), "0"),
        (json!("2000Ki"), "2000Ki"),
        (json!("1e0"), "1e0"),
        (json!("15e2"), "1500"),
        (json!("1234567n"), "1234567n"),
        (json!("0.0000000001"), "1n"),
        (json!("+5"), "+5"),
        (json!("5."), "5."),
        (json!(" 5"), "5"),
        (json!("-"), "0"),
        (json!("1048576000m"), "1048576"),
        (json!("1E"), "1E"),
    ];
    for (sent, written) in table {
        assert_eq!(quantity::canonical(&sent).as_deref(), Ok(written), "{sent}");
    }
}

#[test]
fn what_is_no_quantity_is_refused_with_the_words_of_the_api_server() {
    let form = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    for sent in [json!("x"), json!(""), json!("1Zi"), json!("1Mib"), json!(true), json!([]), json!({})] {
        assert_eq!(quantity::canonical(&sent), Err(form), "{sent}");
    }
    for sent in ["1ki", "1kk"] {
        assert_eq!(quantity::canonical(&json!(sent)), Err("unable to parse quantity's suffix"), "{sent}");
    }
}

#[test]
fn times_are_written_in_utc_with_whole_seconds_or_six_digits() {
    let table = [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T5:00:00Z", "2026-01-01T05:00:00Z"),
    ];
    for (sent, written) in table {
        assert_eq!(time::canonical(sent, Precision::Seconds).as_deref(), Ok(written), "{sent}");
    }
    for sent in ["2026-01-01T00:00:00,123456Z", "2026-01-01T02:00:00.123456+02:00"] {
        assert_eq!(time::canonical(sent, Precision::Micros).as_deref(), Ok("2026-01-01T00:00:00.123456Z"), "{sent}");
    }
}

#[test]
fn what_is_no_time_is_refused_with_the_words_of_go() {
    let table = [
        ("xx", r#"cannot parse "xx" as "2006""#),
        ("", r#"cannot parse "" as "2006""#),
        ("2026-1-01T00:00:00Z", r#"cannot parse "1-01T00:00:00Z" as "01""#),
        ("2026-01-01", r#"cannot parse "" as "T""#),
        ("2026-01-01T00:00:00", r#"cannot parse "" as "Z07:00""#),
        ("2026-01-01t00:00:00z", r#"cannot parse "t00:00:00z" as "T""#),
        ("2026-01-01T02:00:00+0200", r#"cannot parse "+0200" as "Z07:00""#),
    ];
    for (sent, words) in table {
        let words = format!(r#"parsing time "{sent}" as "2006-01-02T15:04:05Z07:00": {words}"#);
        assert_eq!(time::canonical(sent, Precision::Seconds), Err(words));
    }
    let table = [
        ("2026-13-01T00:00:00Z", "month out of range"),
        ("2026-01-41T00:00:00Z", "day out of range"),
        ("2026-02-30T00:00:00Z", "day out of range"),
        ("2026-01-01T25:00:00Z", "hour out of range"),
        ("2026-01-01T00:61:00Z", "minute out of range"),
        ("2026-01-01T00:00:61Z", "second out of range"),
        ("2026-01-01T00:00:00Zx", r#"extra text: "x""#),
        ("2026-01-01T02:00:00+25:00", "time zone offset hour out of range"),
        ("2026-01-01T02:00:00+02:99", "time zone offset minute out of range"),
    ];
    for (sent, words) in table {
        assert_eq!(time::canonical(sent, Precision::Seconds), Err(format!("parsing time {sent:?}: {words}")));
    }
    let table = [
        ("2026-01-01T00:00:00Z", r#"cannot parse "Z" as ".000000""#),
        ("2026-01-01T00:00:00.1Z", r#"cannot parse ".1Z" as ".000000""#),
        ("2026-01-01T00:00:00.1234567Z", r#"cannot parse "7Z" as "Z07:00""#),
        ("2026-01-01T00:00:00.12345aZ", r#"cannot parse ".12345aZ" as ".000000""#),
    ];
    for (sent, words) in table {
        let words = format!(r#"parsing time "{sent}" as "2006-01-02T15:04:05.000000Z07:00": {words}"#);
        assert_eq!(time::canonical(sent, Precision::Micros), Err(words));
    }
}

#[test]
fn base64_is_read_as_go_reads_it() {
    for (sent, outcome) in [
        ("", Ok("")),
        ("YQ==", Ok("YQ==")),
        ("YQ==\n", Ok("YQ==")),
        ("Y\r\nWI=", Ok("YWI=")),
        ("YR==", Ok("YQ==")),
        ("!!!!", Err(0)),
        ("YQ", Err(0)),
        ("YWJjYQ", Err(4)),
        ("Y", Err(0)),
        ("YQ=", Err(3)),
        ("YQ=x", Err(2)),
        ("YQ==YQ==", Err(4)),
        ("=", Err(0)),
        ("Y=", Err(1)),
        ("YWJj!", Err(4)),
    ] {
        assert_eq!(bytes::canonical(sent).as_deref(), outcome.as_ref().copied(), "{sent:?}");
    }
}

/// An object of a custom resource with these fields.
fn custom(fields: impl IntoIterator<Item = (&'static str, Schema)>) -> Schema {
    let known = fields.into_iter().map(|(name, schema)| (name.into(), schema.into())).collect();
    Schema::of(Shape::Object(Fields { known, ..Fields::default() }))
}

#[test]
fn a_custom_resource_is_pruned_and_keeps_what_validation_will_judge() {
    let nullable = Schema { nullable: true, ..Schema::of(Shape::String) };
    let spec = custom([("size", Schema::of(Shape::Integer)), ("name", Schema::of(Shape::String)), ("maybe", nullable)]);
    let schema = custom([("spec", spec)]);
    let mut value = json!({"spec": {"size": "much", "name": null, "maybe": null, "other": {"a": 1}}, "foo": 1});
    assert_eq!(schema.decode(&mut value, "Foo"), Ok(vec!["foo".to_owned(), "spec.other".to_owned()]));
    assert_eq!(value, json!({"spec": {"size": "much", "maybe": null}}));
}

#[test]
fn a_custom_resource_keeps_unknown_fields_where_it_says_so() {
    let open = Schema::of(Shape::Object(Fields { preserve_unknown: true, ..Fields::default() }));
    let schema = custom([("spec", open)]);
    let mut value = json!({"spec": {"other": {"a": null}}});
    let sent = value.clone();
    assert_eq!(schema.decode(&mut value, "Foo"), Ok(Vec::new()));
    assert_eq!(value, sent);
    assert_eq!(schema.check_typed(&value), Ok(()));
}

proptest::proptest! {
    #[test]
    fn a_canonical_quantity_stays_as_it_is(text in r"[-+]?[0-9]{0,20}(\.[0-9]{0,12})?(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|e[-+]?[0-9]{1,2})?") {
        if let Ok(once) = quantity::canonical(&Value::from(text)) {
            proptest::prop_assert_eq!(quantity::canonical(&Value::from(once.clone())), Ok(once));
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in r"\PC{0,40}|[0-9:TZ.+-]{0,40}|[A-Za-z0-9+/=\r\n]{0,12}") {
        let _ = time::canonical(&text, Precision::Seconds);
        let _ = time::canonical(&text, Precision::Micros);
        let _ = bytes::canonical(&text);
        let _ = quantity::canonical(&Value::from(text));
    }
}
