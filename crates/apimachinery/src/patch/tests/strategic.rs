//! Measured, every one: the object, the patch, and what the API server answered.

use serde_json::{Value, json};

use crate::managed::samples;
use crate::patch::strategic;

fn patched(old: &Value, patch: &Value, schema: &crate::Schema) -> Result<Value, (u16, String)> {
    strategic(old, patch.to_string().as_bytes(), schema).map_err(|status| (status.code, status.message))
}

#[test]
fn finalizers_are_merged_as_a_set_with_new_ones_in_front() {
    let old = json!({"metadata": {"finalizers": ["x.io/a", "x.io/b", "x.io/c"]}});
    for (patch, finalizers) in [
        (json!({"finalizers": ["x.io/n"]}), json!(["x.io/n", "x.io/a", "x.io/b", "x.io/c"])),
        (json!({"finalizers": ["x.io/n", "x.io/b", "x.io/m"]}), json!(["x.io/n", "x.io/a", "x.io/b", "x.io/m", "x.io/c"])),
        (json!({"finalizers": ["x.io/c", "x.io/a"]}), json!(["x.io/b", "x.io/c", "x.io/a"])),
        (json!({"finalizers": ["x.io/n", "x.io/n"]}), json!(["x.io/n", "x.io/a", "x.io/b", "x.io/c"])),
        (
            json!({"finalizers": ["x.io/n"], "$setElementOrder/finalizers": ["x.io/a", "x.io/n", "x.io/b", "x.io/c"]}),
            json!(["x.io/a", "x.io/n", "x.io/b", "x.io/c"]),
        ),
        (json!({"$setElementOrder/finalizers": ["x.io/c", "x.io/a"]}), json!(["x.io/b", "x.io/c", "x.io/a"])),
        (
            json!({
                "$deleteFromPrimitiveList/finalizers": ["x.io/b", "x.io/q"],
                "finalizers": ["x.io/n"],
                "$setElementOrder/finalizers": ["x.io/c", "x.io/n", "x.io/a"],
            }),
            json!(["x.io/c", "x.io/n", "x.io/a"]),
        ),
        (json!({"$deleteFromPrimitiveList/finalizers": ["x.io/b"]}), json!(["x.io/a", "x.io/c"])),
        (json!({"finalizers": null}), json!(null)),
        (json!({"finalizers": []}), json!(["x.io/a", "x.io/b", "x.io/c"])),
    ] {
        let patch = json!({"metadata": patch});
        let new = patched(&old, &patch, &samples::config_map()).unwrap();
        assert_eq!(new["metadata"]["finalizers"], finalizers, "{patch}");
    }
}

#[test]
fn owner_references_are_merged_by_uid() {
    let owner = |uid: &str| json!({"kind": "ConfigMap", "name": "own", "uid": uid});
    for (old, patch, owners) in [
        (vec!["U1"], json!({"ownerReferences": [owner("U2")]}), json!([owner("U2"), owner("U1")])),
        (
            vec!["U1", "U2"],
            json!({"ownerReferences": [{"uid": "U1", "controller": true}]}),
            json!([{"kind": "ConfigMap", "name": "own", "uid": "U1", "controller": true}, owner("U2")]),
        ),
        (vec!["U1", "U2"], json!({"ownerReferences": [{"uid": "U1", "$patch": "delete"}]}), json!([owner("U2")])),
        (vec!["U1"], json!({"ownerReferences": [{"$patch": "replace"}, owner("U2")]}), json!([owner("U2")])),
        (
            vec!["U1", "U2"],
            json!({
                "ownerReferences": [{"uid": "U1", "controller": true}],
                "$setElementOrder/ownerReferences": [{"uid": "U2"}, {"uid": "U1"}],
            }),
            json!([owner("U2"), {"kind": "ConfigMap", "name": "own", "uid": "U1", "controller": true}]),
        ),
        (
            vec!["U1", "U2"],
            json!({
                "ownerReferences": [{"uid": "U1", "$patch": "delete"}],
                "$setElementOrder/ownerReferences": [{"uid": "U2"}],
            }),
            json!([owner("U2")]),
        ),
    ] {
        let old: Vec<Value> = old.into_iter().map(owner).collect();
        let patch = json!({"metadata": patch});
        let new = patched(&json!({"metadata": {"ownerReferences": old}}), &patch, &samples::config_map()).unwrap();
        assert_eq!(new["metadata"]["ownerReferences"], owners, "{patch}");
    }
}

#[test]
fn maps_merge_and_directives_replace_them_or_say_what_stays() {
    let old = json!({"data": {"k": "1", "l": "2"}});
    for (patch, data) in [
        (json!({"k": null, "zz": null, "l": "5", "n": "x"}), json!({"l": "5", "n": "x"})),
        (json!({"$patch": "replace", "z": "9"}), json!({"z": "9"})),
        (json!({"$patch": "delete"}), json!({})),
        (json!({"$retainKeys": ["k"], "k": "3"}), json!({"k": "3"})),
    ] {
        let patch = json!({"data": patch});
        assert_eq!(patched(&old, &patch, &samples::config_map()).unwrap()["data"], data, "{patch}");
    }
    let new = patched(&json!({}), &json!({"data": {"a": null, "b": "x", "c": {"$patch": "delete"}}}), &samples::config_map());
    assert_eq!(new.unwrap(), json!({"data": {"b": "x"}}));
}

#[test]
fn containers_merge_by_name_and_what_is_in_them_too() {
    let old = json!({"spec": {
        "containers": [
            {"name": "a", "image": "i1", "ports": [{"containerPort": 80, "protocol": "TCP"}], "args": ["x"]},
            {"name": "b", "image": "i2"},
        ],
        "tolerations": [{"key": "t1"}],
    }});
    let patch = json!({"spec": {
        "containers": [
            {"name": "a", "image": null, "ports": [{"containerPort": 80, "name": "web"}, {"containerPort": 81}], "args": ["y"]},
        ],
        "tolerations": [{"key": "t2"}],
    }});
    let new = json!({"spec": {
        "containers": [
            {"name": "a", "ports": [{"containerPort": 80, "protocol": "TCP", "name": "web"}, {"containerPort": 81}], "args": ["y"]},
            {"name": "b", "image": "i2"},
        ],
        "tolerations": [{"key": "t2"}],
    }});
    assert_eq!(patched(&old, &patch, &samples::pod()).unwrap(), new);
}

#[test]
fn senseless_directives_are_refused_in_upstreams_words() {
    let old = json!({
        "metadata": {"finalizers": ["x.io/a", "x.io/b", "x.io/c"], "ownerReferences": [{"uid": "U1"}, {"uid": "U2"}]},
        "data": {"k": "1", "l": "2"},
    });
    let meta = |patch: Value| json!({"metadata": patch});
    for (patch, code, words) in [
        (
            meta(json!({"finalizers": ["x.io/n"], "$setElementOrder/finalizers": ["x.io/c", "x.io/a"]})),
            500,
            "The order in patch list:\n[x.io/n]\n doesn't match $setElementOrder list:\n[x.io/c x.io/a]\n",
        ),
        (
            meta(json!({
                "ownerReferences": [{"uid": "U1"}, {"uid": "U2"}],
                "$setElementOrder/ownerReferences": [{"uid": "U2"}, {"uid": "U1"}],
            })),
            500,
            "The order in patch list:\n[map[uid:U1] map[uid:U2]]\n doesn't match $setElementOrder list:\n[map[uid:U2] map[uid:U1]]\n",
        ),
        (meta(json!({"finalizers": [1]})), 500, "list element types are not identical: [[x.io/a x.io/b x.io/c] [1]]"),
        (meta(json!({"finalizers": [["x"]]})), 500, "list element types are not identical: [[x.io/a x.io/b x.io/c] [[x]]]"),
        (meta(json!({"ownerReferences": ["x"]})), 500, "list element types are not identical: [[map[uid:U1] map[uid:U2]] [x]]"),
        (meta(json!({"ownerReferences": [{"name": "x"}]})), 500, "map: map[name:x] does not contain declared merge key: uid"),
        (
            meta(json!({"ownerReferences": [{"$patch": "delete"}]})),
            500,
            "map: map[$patch:delete] does not contain declared merge key: uid",
        ),
        (
            meta(json!({"ownerReferences": [{"$patch": "merge", "uid": "U1"}]})),
            500,
            "merging lists cannot yet be specified in the patch",
        ),
        (
            meta(json!({"ownerReferences": [{"$patch": "foo", "uid": "U1"}]})),
            500,
            "unknown patch type: foo in map: map[$patch:foo uid:U1]",
        ),
        (meta(json!({"$setElementOrder/finalizers": "x"})), 500, "expected a []interface {}, but received a string"),
        (json!({"data": {"$patch": "merge", "z": "9"}}), 500, "unknown patch type: merge in map: map[$patch:merge z:9]"),
        (json!({"data": {"$patch": 7}}), 500, "unknown patch type: %!s(int64=7) in map: map[$patch:7]"),
        (json!({"data": {"$retainKeys": ["k"], "q": "3"}}), 400, "invalid patch format of retainKeys"),
        (json!({"data": {"$retainKeys": "k"}}), 400, "invalid patch format of retainKeys"),
        (json!({"$setElementOrder": ["x"]}), 400, "invalid patch format of setElementOrder list"),
        (json!({"$setElementOrder/foo": ["x"]}), 500, "unable to find api field in struct ConfigMap for the json field \"foo\""),
        (json!({"$deleteFromPrimitiveList": ["x"]}), 400, "invalid patch format of primitive list"),
    ] {
        assert_eq!(patched(&old, &patch, &samples::config_map()), Err((code, words.to_owned())), "{patch}");
    }
    for (patch, words) in [
        ("[]", "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ("\"x\"", "json: cannot unmarshal string into Go value of type map[string]interface {}"),
        ("{", "unexpected end of JSON input"),
    ] {
        let status = strategic(&old, patch.as_bytes(), &samples::config_map()).expect_err("refused");
        assert_eq!((status.code, status.message.as_str()), (400, words), "{patch}");
    }
    assert_eq!(strategic(&old, b"null", &samples::config_map()).unwrap(), old);
}

#[test]
fn what_is_no_longer_of_its_kind_is_refused_and_the_patch_shown() {
    for (schema, patch, words) in [
        (samples::config_map(), json!({"metadata": {"finalizers": [{"a": "b"}]}}), "unrecognized type: string"),
        (samples::config_map(), json!({"metadata": {"finalizers": "x"}}), "cannot restore slice from string"),
        (samples::config_map(), json!({"metadata": "x"}), "cannot restore struct from: string"),
        (samples::config_map(), json!({"metadata": {"labels": "x"}}), "cannot restore map from string"),
        (samples::config_map(), json!({"data": {"a": 1}}), "cannot convert int64 to string"),
        (
            samples::pod(),
            json!({"spec": {"containers": [{"name": "a", "ports": [{"containerPort": 1.5}]}]}}),
            "cannot convert float64 to int64",
        ),
    ] {
        let shown = crate::patch::shown(&patch);
        let message = format!(" \"\" is invalid: patch: Invalid value: \"{shown}\": {words}");
        assert_eq!(patched(&json!({}), &patch, &schema), Err((422, message)));
    }
}
