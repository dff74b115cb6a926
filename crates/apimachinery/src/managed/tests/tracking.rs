//! What creates, updates and patches own. The expected sets are measured.

use serde_json::{Value, json};

use super::{claim, created, manager, owners, time};
use crate::managed::{Manager, keep_times, samples, track};

#[test]
fn a_create_owns_what_was_sent_and_defaulted() {
    assert_eq!(
        created(&samples::claim(), claim(), &[&["status"]]),
        json!({"f:spec": {
            "f:accessModes": {},
            "f:resources": {"f:requests": {".": {}, "f:storage": {}}},
            "f:selector": {},
            "f:volumeMode": {},
        }})
    );
    let object = json!({
        "metadata": {
            "name": "c1",
            "labels": {"a": "b"},
            "finalizers": ["x.io/a"],
            "ownerReferences": [{"kind": "Node", "name": "none", "uid": "u1"}],
        },
        "data": {"a": "1", "b": ""},
    });
    assert_eq!(
        created(&samples::config_map(), object, &[]),
        json!({
            "f:data": {".": {}, "f:a": {}, "f:b": {}},
            "f:metadata": {
                "f:finalizers": {".": {}, "v:\"x.io/a\"": {}},
                "f:labels": {".": {}, "f:a": {}},
                "f:ownerReferences": {".": {}, "k:{\"uid\":\"u1\"}": {}},
            },
        })
    );
}

#[test]
fn elements_of_keyed_lists_are_owned_by_their_whole_key() {
    let object = json!({
        "metadata": {"name": "o1"},
        "spec": {
            "containers": [{
                "name": "c",
                "image": "busybox",
                "ports": [{"containerPort": 80}, {"containerPort": 443, "protocol": "UDP"}],
                "env": [{"name": "A", "value": "1"}],
                "resources": {"requests": {"cpu": "1"}},
            }],
            "nodeSelector": {"nope": "x"},
        },
    });
    assert_eq!(
        created(&samples::pod(), object, &[&["status"]]),
        json!({"f:spec": {
            "f:containers": {"k:{\"name\":\"c\"}": {
                ".": {},
                "f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}},
                "f:image": {},
                "f:name": {},
                "f:ports": {
                    ".": {},
                    "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}},
                    "k:{\"containerPort\":443,\"protocol\":\"UDP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}},
                },
                "f:resources": {".": {}, "f:requests": {".": {}, "f:cpu": {}}},
            }},
            "f:nodeSelector": {},
        }})
    );
}

#[test]
fn a_create_is_one_entry_with_the_name_version_and_time() {
    let mut new = json!({"metadata": {"name": "x"}, "data": {"a": "1"}});
    track(None, &mut new, &samples::config_map(), manager("ua"), &[]);
    assert_eq!(
        new["metadata"]["managedFields"],
        json!([{
            "manager": "ua",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-01-01T00:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, "f:a": {}}},
        }])
    );
}

#[test]
fn who_owns_nothing_has_no_entry_and_what_nobody_owns_stays_untracked() {
    let schema = samples::config_map();
    let mut old = json!({"metadata": {"name": "x", "uid": "u"}});
    track(None, &mut old, &schema, manager("m"), &[]);
    assert_eq!(old["metadata"].get("managedFields"), None);
    let mut new = json!({"metadata": {"name": "x", "uid": "u"}, "data": {"a": "1"}});
    track(Some(&old), &mut new, &schema, manager("m"), &[]);
    assert_eq!(new["metadata"].get("managedFields"), None);
}

#[test]
fn status_has_an_entry_of_its_own() {
    let schema = samples::claim();
    let mut old = claim();
    track(None, &mut old, &schema, manager("m"), &[&["status"]]);
    let status = Manager { subresource: "status", time: time(9), ..manager("m") };
    let mut new = old.clone();
    new["status"] =
        json!({"phase": "Bound", "capacity": {"storage": "1Gi"}, "conditions": [{"type": "Resizing", "status": "True"}]});
    new["spec"]["volumeName"] = json!("not through this door");
    // And the list of managers cannot be edited through it.
    new["metadata"]["managedFields"] = json!([]);
    track(Some(&old), &mut new, &schema, status, &[&["spec"]]);
    assert_eq!(new["metadata"]["managedFields"][0], old["metadata"]["managedFields"][0]);
    let entry = &new["metadata"]["managedFields"][1];
    assert_eq!(entry["subresource"], "status");
    assert_eq!(entry["time"], "2026-01-01T00:00:09Z");
    assert_eq!(
        entry["fieldsV1"],
        json!({"f:status": {
            "f:capacity": {".": {}, "f:storage": {}},
            "f:conditions": {".": {}, "k:{\"type\":\"Resizing\"}": {".": {}, "f:status": {}, "f:type": {}}},
            "f:phase": {},
        }})
    );
}

#[test]
fn a_write_of_the_same_content_changes_no_entry() {
    let schema = samples::claim();
    let mut old = claim();
    track(None, &mut old, &schema, manager("m"), &[&["status"]]);
    let mut new = old.clone();
    // What this door does not open is no change, either.
    new["status"]["phase"] = json!("Bound");
    let later = Manager { time: time(60), ..manager("m") };
    track(Some(&old), &mut new, &schema, later, &[&["status"]]);
    assert_eq!(new["metadata"], old["metadata"]);
}

#[test]
fn a_list_that_cannot_be_read_is_no_obstacle() {
    let schema = samples::config_map();
    let fields = json!({"f:data": {".": {}, "f:a": {}}});
    let entry = json!({"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields});
    for stored in [
        json!("text"),
        json!([1]),
        json!([{}]),
        json!([{"manager": "m", "operation": "Nope", "apiVersion": "v1"}]),
        json!([{"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:a": {}, "nonsense": {}}}}]),
        json!([{"manager": "m", "operation": "Update", "apiVersion": "v1", "fieldsV1": {"f:data": {"f:a": {"v:{": 7}}}}]),
    ] {
        let old = json!({"metadata": {"name": "x", "managedFields": stored}, "data": {"a": "1"}});
        let mut new = json!({"metadata": {"name": "x"}, "data": {"a": "2"}});
        track(Some(&old), &mut new, &schema, manager("n"), &[]);
        assert_eq!(new["data"], json!({"a": "2"}), "{stored}");
        let owns = |fields: &Value| fields["f:data"]["f:a"] == json!({});
        assert!(owners(&new).iter().all(|(name, fields)| name == "n" || !owns(fields)), "{stored}");
        // One that is sent is not taken.
        let old = json!({"metadata": {"name": "x", "managedFields": [entry]}, "data": {"a": "1"}});
        let mut new = json!({"metadata": {"name": "x", "managedFields": stored}, "data": {"a": "1"}});
        track(Some(&old), &mut new, &schema, manager("n"), &[]);
        if stored != json!([{}]) {
            assert_eq!(new, old, "{stored}");
        }
    }
}

#[test]
fn a_fields_absence_is_no_different_from_the_empty_value_that_go_writes_for_it() {
    let schema = samples::claim();
    let mut old = claim();
    track(None, &mut old, &schema, manager("m"), &[&["status"]]);
    let mut new = old.clone();
    new["spec"]["resources"] = json!({});
    track(Some(&old), &mut new, &schema, manager("n"), &[&["status"]]);
    let stored = new;
    let mut new = stored.clone();
    new["spec"].as_object_mut().unwrap().remove("resources");
    track(Some(&stored), &mut new, &schema, manager("n"), &[&["status"]]);
    assert_eq!(new["metadata"], stored["metadata"]);
}

#[test]
fn elements_that_are_there_twice_are_owned_as_one() {
    let schema = samples::widget();
    let widget = |items: Value| json!({"metadata": {"name": "x"}, "spec": {"items": items}});
    let mut old = widget(json!([{"k": "a", "v": "1"}]));
    track(None, &mut old, &schema, manager("m"), &[]);
    let mut new = widget(json!([{"k": "a", "v": "1"}, {"k": "a", "v": "2"}]));
    track(Some(&old), &mut new, &schema, manager("n"), &[]);
    let [(_, one), (_, other)] = &owners(&new)[..] else { panic!("two own something") };
    assert_eq!(*one, json!({"f:spec": {".": {}, "f:items": {}}}));
    assert_eq!(*other, json!({"f:spec": {"f:items": {"k:{\"k\":\"a\"}": {}}}}));
    let old = new;
    let mut new = widget(json!([{"k": "a", "v": "2"}]));
    track(Some(&old), &mut new, &schema, manager("o"), &[]);
    assert_eq!(owners(&new)[1].0, "o");
    assert_eq!(owners(&new)[1].1, json!({"f:spec": {"f:items": {"k:{\"k\":\"a\"}": {".": {}, "f:k": {}, "f:v": {}}}}}));
}

#[test]
fn times_are_kept_when_nothing_else_differs() {
    let entry = |time: &str| json!([{"manager": "m", "operation": "Apply", "apiVersion": "v1", "time": time, "fieldsV1": {}}]);
    let object = |time: &str, data: &str| json!({"metadata": {"managedFields": entry(time)}, "data": data});
    let mut new = object("2026-01-01T00:00:09Z", "a");
    keep_times(&object("2026-01-01T00:00:00Z", "a"), &mut new);
    assert_eq!(new, object("2026-01-01T00:00:00Z", "a"));
    let mut new = object("2026-01-01T00:00:09Z", "b");
    keep_times(&object("2026-01-01T00:00:00Z", "a"), &mut new);
    assert_eq!(new, object("2026-01-01T00:00:09Z", "b"));
}

#[test]
fn what_is_owned_in_the_words_of_another_group_is_forgotten() {
    let schema = samples::config_map();
    let entry = |version: &str| json!({"manager": "old", "operation": "Update", "apiVersion": version, "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}}});
    let old = |version: &str| json!({"metadata": {"name": "c", "managedFields": [entry(version)]}, "data": {"a": "1"}});
    let written = |version: &str, data: Value| {
        let mut new = old(version);
        new["data"] = data;
        track(Some(&old(version)), &mut new, &schema, manager("new"), &[]);
        let entries = new["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["manager"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(written("v1", json!({"a": "1", "b": "2"})), ["old", "new"]);
    assert_eq!(written("other.io/v1", json!({"a": "1", "b": "2"})), ["new"]);
    assert_eq!(written("other.io/v1", json!({"a": "1"})), Vec::<String>::new(), "though nothing changed");
}
