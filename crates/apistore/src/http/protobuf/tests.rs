use serde_json::json;

use super::*;

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).expect("seven bits") | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).expect("seven bits"));
    out
}

/// A field that holds bytes.
fn bytes(number: u64, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    [&varint(number << 3 | 2), &varint(value.len() as u64), value].concat()
}

/// A field that holds a number.
fn number(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

fn envelope(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let of = [bytes(1, api_version), bytes(2, kind)].concat();
    [START, &bytes(1, of), &bytes(2, raw), &bytes(3, ""), &bytes(4, "")].concat()
}

fn entry(key: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
    [bytes(1, key), bytes(2, value)].concat()
}

#[test]
fn a_config_map_is_what_its_json_would_be() {
    // Go writes what is empty too.
    let meta = [bytes(1, "x"), bytes(2, ""), bytes(3, "ns"), number(7, 0), bytes(8, ""), bytes(11, entry("l", ""))].concat();
    let data = [bytes(2, entry("a", "b")), bytes(2, entry("e", "")), bytes(3, entry("bin", [0, 255]))].concat();
    let body = envelope("v1", "ConfigMap", &[bytes(1, meta), data, number(4, 0)].concat());
    let expected = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "x", "namespace": "ns", "creationTimestamp": null, "labels": {"l": ""}},
        "data": {"a": "b", "e": ""}, "binaryData": {"bin": "AP8="}, "immutable": false
    });
    assert_eq!(read(&body, "ConfigMap"), Ok(expected));
}

#[test]
fn times_have_the_precision_of_their_field() {
    let time = [number(1, 1_700_000_000), number(2, 123_456_789)].concat();
    let spec = [bytes(1, "me"), number(2, 15), bytes(4, &time), number(5, 0)].concat();
    let body = envelope("coordination.k8s.io/v1", "Lease", &bytes(2, spec));
    let value = read(&body, "Lease").expect("a lease");
    let expected = json!({
        "holderIdentity": "me", "leaseDurationSeconds": 15, "leaseTransitions": 0, "renewTime": "2023-11-14T22:13:20.123456Z"
    });
    assert_eq!(value["spec"], expected);
    let event = [bytes(6, &time), bytes(10, "")].concat();
    let value = read(&envelope("v1", "Event", &event), "Event").expect("an event");
    assert_eq!((&value["firstTimestamp"], &value["eventTime"]), (&json!("2023-11-14T22:13:20Z"), &json!(null)));
}

#[test]
fn lists_nested_messages_and_json_inside_are_read() {
    let owner = [bytes(1, "Pod"), bytes(3, "p"), number(6, 1)].concat();
    let managed = [bytes(1, "m"), bytes(7, bytes(1, r#"{"f:data":{}}"#))].concat();
    let meta = [bytes(13, &owner), bytes(13, &owner), bytes(14, "f1"), bytes(14, "f2"), bytes(17, managed)].concat();
    let value = read(&envelope("v1", "Secret", &bytes(1, meta)), "Secret").expect("a secret");
    let owner = json!({"kind": "Pod", "name": "p", "controller": true});
    let expected = json!({
        "ownerReferences": [owner, owner], "finalizers": ["f1", "f2"],
        "managedFields": [{"manager": "m", "fieldsV1": {"f:data": {}}}]
    });
    assert_eq!(value["metadata"], expected);
}

#[test]
fn an_envelope_that_says_nothing_holds_what_the_path_says() {
    let meta = bytes(1, bytes(1, "x"));
    assert_eq!(read(&envelope("", "", &meta), "Namespace"), Ok(json!({"metadata": {"name": "x"}})));
    // Options of a deletion are known in every group.
    let options = envelope("storage.k8s.io/v1", "DeleteOptions", &[number(1, 0), bytes(4, "Background")].concat());
    assert_eq!(
        read(&options, "DeleteOptions").map(|value| (value["gracePeriodSeconds"].clone(), value["propagationPolicy"].clone())),
        Ok((json!(0), json!("Background")))
    );
}

#[test]
fn another_kind_than_expected_is_named_and_one_that_is_not_read_is_refused() {
    assert_eq!(read(&envelope("v1", "Secret", b""), "ConfigMap"), Ok(json!({"apiVersion": "v1", "kind": "Secret"})));
    assert_eq!(read(&envelope("v2", "Nope", b""), "ConfigMap"), Ok(json!({"apiVersion": "v2", "kind": "Nope"})));
    assert_eq!(read(&envelope("v1", "Pod", b""), "Pod"), Err(Unread::Kind));
    assert_eq!(read(&envelope("", "", b""), "Pod"), Err(Unread::Kind));
    assert_eq!(read(&envelope("v2", "ConfigMap", b""), "ConfigMap"), Ok(json!({"apiVersion": "v2", "kind": "ConfigMap"})));
    // A custom resource may have the name of a built-in kind.
    assert_eq!(read(&envelope("boats.example/v1", "Lease", b""), "Lease"), Err(Unread::Kind));
}

#[test]
fn what_is_broken_is_refused_in_the_api_servers_words() {
    let outside = |body: &[u8]| match read(body, "ConfigMap") {
        Err(Unread::Envelope(why)) => why,
        other => panic!("{body:?}: {other:?}"),
    };
    assert_eq!(outside(b""), "empty data");
    assert_eq!(outside(START), "empty body");
    let no_envelope = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
    assert_eq!(outside(b"xyz"), no_envelope);
    assert_eq!(outside(b"k8s\0\xff\xff\xff"), "unexpected EOF");
    let whole = envelope("v1", "ConfigMap", &bytes(1, bytes(1, "x")));
    assert_eq!(outside(&whole[..whole.len() - 5]), "unexpected EOF");

    let inside = |raw: &[u8]| match read(&envelope("v1", "ConfigMap", raw), "ConfigMap") {
        Err(Unread::Content { kind, version, why }) => format!("{kind} {version} {why}"),
        other => panic!("{raw:?}: {other:?}"),
    };
    assert_eq!(inside(b"\x0a\x7fx"), "ConfigMap v1 unexpected EOF");
    assert_eq!(inside(&number(1, 5)), "ConfigMap v1 proto: wrong wireType = 0 for field ObjectMeta");
    assert_eq!(inside(&[0x0b]), "ConfigMap v1 proto: illegal wireType 3");
    assert_eq!(inside(&[[0x10].as_slice(), &[0xff; 11]].concat()), "ConfigMap v1 proto: integer overflow");
}

#[test]
fn no_bytes_at_all_panic() {
    proptest::proptest!(|(raw in proptest::collection::vec(proptest::num::u8::ANY, 0..200), kind in 0..5_usize)| {
        let kind = ["ConfigMap", "Event", "Lease", "TokenRequest", "Pod"][kind];
        let _ = read(&[START, &raw].concat(), kind);
        let raw = &raw[..raw.len().min(100)];
        let _ = read(&envelope("", kind, raw), kind);
    });
}
