//! Each text is what kube-apiserver v1.36.1 answered.

use serde_json::{Value, json};

use crate::kinds::validation::testing::{Kind, NOT_KEY, NOT_LABEL_VALUE, NOT_SUBDOMAIN, NOW, accepted, invalid};

const NOT_LABEL_KEY: &str = "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
const UNQUALIFIED: &str = "name is neither a standard finalizer name nor is it fully qualified";
const IMMUTABLE: &str = "field is immutable";

fn with(metadata: Value) -> Value {
    json!({ "metadata": metadata })
}

#[test]
fn metadata_of_a_new_object_is_refused_in_upstreams_words() {
    let long = "a".repeat(254);
    let cases = [
        ("a name is needed", json!({"name": ""}), "metadata.name: Required value: name or generateName is required".to_owned()),
        ("a name is a subdomain", json!({"name": "Bad_Name"}), format!("metadata.name: Invalid value: \"Bad_Name\": {NOT_SUBDOMAIN}")),
        ("a name is not too long", json!({"name": long}), format!("metadata.name: Invalid value: \"{long}\": must be no more than 253 characters")),
        (
            "a bad prefix is said twice",
            json!({"generateName": "Bad_", "name": "Bad_8nbr6"}),
            format!("[metadata.generateName: Invalid value: \"Bad_\": {NOT_SUBDOMAIN}, metadata.name: Invalid value: \"Bad_8nbr6\": {NOT_SUBDOMAIN}]"),
        ),
        (
            "labels have keys and values",
            json!({"labels": {"a b": "c d"}}),
            format!("[metadata.labels: Invalid value: \"a b\": {NOT_KEY}, metadata.labels: Invalid value: \"c d\": {NOT_LABEL_VALUE}]"),
        ),
        (
            "a label's key has a domain and a name",
            json!({"labels": {"/b": "", "A_/x": "", "a/b/c": "", "x/": ""}}),
            format!("[metadata.labels: Invalid value: \"/b\": prefix part must be non-empty, metadata.labels: Invalid value: \"A_/x\": prefix part {NOT_SUBDOMAIN}, metadata.labels: Invalid value: \"a/b/c\": {NOT_LABEL_KEY}, metadata.labels: Invalid value: \"x/\": name part must be non-empty, metadata.labels: Invalid value: \"x/\": {NOT_KEY}]"),
        ),
        (
            "annotations have keys, and 256 KiB in all",
            json!({"annotations": {"a b": "c d", "B": "x".repeat(262_144)}}),
            format!("[metadata.annotations: Invalid value: \"a b\": {NOT_KEY}, metadata.annotations: Too long: may not be more than 262144 bytes]"),
        ),
        (
            "finalizers are qualified, and do not contradict each other",
            json!({"finalizers": ["foo", "a b", "x/y/z", "orphan", "foregroundDeletion"]}),
            format!("[metadata.finalizers: Invalid value: \"a b\": {NOT_KEY}, metadata.finalizers: Invalid value: \"x/y/z\": {NOT_LABEL_KEY}, metadata.finalizers: Invalid value: [\"foo\",\"a b\",\"x/y/z\",\"orphan\",\"foregroundDeletion\"]: finalizer orphan and foregroundDeletion cannot be both set, metadata.finalizers[0]: Invalid value: \"foo\": {UNQUALIFIED}, metadata.finalizers[1]: Invalid value: \"a b\": {UNQUALIFIED}]"),
        ),
        (
            "an owner is named in full",
            json!({"ownerReferences": [{"apiVersion": "", "kind": "", "name": "", "uid": ""}]}),
            "[metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty, metadata.ownerReferences.kind: Invalid value: \"\": must not be empty, metadata.ownerReferences.name: Invalid value: \"\": must not be empty, metadata.ownerReferences.uid: Invalid value: \"\": must not be empty]".to_owned(),
        ),
        (
            "there is one controller",
            json!({"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1", "controller": true}, {"apiVersion": "v1", "kind": "Pod", "name": "b", "uid": "2", "controller": true, "blockOwnerDeletion": false}]}),
            "metadata.ownerReferences: Invalid value: [{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"a\",\"uid\":\"1\",\"controller\":true},{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"b\",\"uid\":\"2\",\"controller\":true,\"blockOwnerDeletion\":false}]: Only one reference can have Controller set to true. Found \"true\" in references for Pod/a and Pod/b".to_owned(),
        ),
        (
            "an event owns nothing",
            json!({"ownerReferences": [{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "1", "controller": true}]}),
            "metadata.ownerReferences: Invalid value: {\"apiVersion\":\"v1\",\"kind\":\"Event\",\"name\":\"a\",\"uid\":\"1\",\"controller\":true}: /v1, Kind=Event is disallowed from being an owner".to_owned(),
        ),
        ("a generation counts up", json!({"generation": -1}), "metadata.generation: Invalid value: -1: must be greater than or equal to 0".to_owned()),
    ];
    let kind = Kind::of("configmaps");
    for (rule, metadata, expected) in cases {
        invalid(rule, kind.create(with(metadata)), &expected);
    }
}

#[test]
fn kinds_differ_in_what_a_name_and_a_finalizer_may_be() {
    let dots = "metadata.name: Invalid value: \"a.b\": must not contain dots";
    invalid("a namespace is a label", Kind::of("namespaces").create(with(json!({"name": "a.b"}))), dots);
    let finalizer = format!("metadata.finalizers[0]: Invalid value: \"foo\": {UNQUALIFIED}");
    let class = json!({"metadata": {"finalizers": ["foo"]}, "provisioner": "p"});
    invalid("a class wants a domain", Kind::of("storageclasses").create(class), &finalizer);
    accepted("a lease takes any finalizer", Kind::of("leases").create(with(json!({"finalizers": ["foo"]}))));
}

#[test]
fn what_the_server_owns_of_a_new_object_is_dropped() {
    let sent = json!({"selfLink": "x", "deletionTimestamp": NOW, "deletionGracePeriodSeconds": 5, "generation": 3});
    let object = accepted("create", Kind::of("configmaps").create(with(sent)));
    // QUIRK: a kind that does not count generations keeps what it is given.
    assert_eq!(object["metadata"], json!({"name": "x", "namespace": "ns", "generation": 3}));
}

#[test]
fn what_the_server_owns_of_a_stored_object_is_restored() {
    let kind = Kind::of("configmaps");
    let stored = kind.stored(with(json!({"generation": 3, "generateName": "a-"})));
    let change = json!({"metadata": {"generation": 9, "uid": null, "creationTimestamp": "2001-01-01T00:00:00Z"}});
    assert_eq!(accepted("restored", kind.change(&stored, change)), stored);
    let other = json!({"metadata": {"generateName": "b-"}});
    assert_eq!(accepted("a prefix may change", kind.change(&stored, other))["metadata"]["generateName"], "b-");
}

#[test]
fn what_cannot_change_is_refused_in_upstreams_words() {
    let kind = Kind::of("configmaps");
    let stored = kind.stored(with(json!({"finalizers": ["x.io/f"]})));
    let mut going = stored.clone();
    going["metadata"]["deletionTimestamp"] = NOW.into();
    going["metadata"]["deletionGracePeriodSeconds"] = 0.into();
    let cases = [
        (
            "only a deletion sets deletionTimestamp",
            &stored,
            json!({"deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 5}),
            format!("[metadata.deletionTimestamp: Invalid value: \"2020-01-01T00:00:00Z\": {IMMUTABLE}, metadata.deletionGracePeriodSeconds: Invalid value: 5: {IMMUTABLE}]"),
        ),
        ("a uid stays", &stored, json!({"uid": "5"}), format!("metadata.uid: Invalid value: \"5\": {IMMUTABLE}")),
        ("finalizers are looked at again", &stored, json!({"finalizers": ["foo"]}), format!("metadata.finalizers[0]: Invalid value: \"foo\": {UNQUALIFIED}")),
        (
            "no finalizer is added to what is going",
            &going,
            json!({"finalizers": ["x.io/f", "x.io/g", "a.io/g"]}),
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"a.io/g\", \"x.io/g\"}".to_owned(),
        ),
        ("the grace period stays", &going, json!({"deletionGracePeriodSeconds": 7}), format!("metadata.deletionGracePeriodSeconds: Invalid value: 7: {IMMUTABLE}")),
    ];
    for (rule, old, change, expected) in cases {
        invalid(rule, kind.change(old, with(change)), &expected);
    }
    let revived = json!({"deletionTimestamp": null, "deletionGracePeriodSeconds": null});
    assert_eq!(accepted("a deletion is not taken back", kind.change(&going, with(revived))), going);
    accepted("finalizers go", kind.change(&going, with(json!({"finalizers": []}))));
}

#[test]
fn an_owner_that_is_named_twice_is_kept_once_with_a_warning() {
    let pod = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": "1"});
    let sent = json!({"ownerReferences": [pod("a"), pod("a"), pod("b")]});
    let written = Kind::of("configmaps").create(with(sent)).unwrap();
    assert_eq!(written.object["metadata"]["ownerReferences"], json!([pod("a"), pod("b")]));
    assert_eq!(
        written.warnings,
        [
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: 1"
        ]
    );
}
