//! What is asked of a definition one by one: versions, columns, selectors, generations.

use std::cmp::Ordering;

use serde_json::{Value, json};

use super::{create, definition, now, put, refusal, served};
use crate::custom::version_priority;
use crate::{Resource, Subresource};

fn spec(properties: &Value) -> Resource {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}});
    served(&definition(&schema)).remove(0)
}

/// Of our own, with what definitions of snapshots use: sources of which exactly one is given and that never change, classes that
/// are not empty, sizes that are numbers or texts.
fn snapshots() -> Resource {
    let fixed = |name: &str| json!({"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": format!("{name} is fixed")}]});
    let schema = json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["origin"], "properties": {
            "origin": {"type": "object", "properties": {"claim": fixed("claim"), "content": fixed("content")},
                "x-kubernetes-validations": [
                    {"rule": "!has(oldSelf.claim) || has(self.claim)", "message": "claim stays"},
                    {"rule": "has(self.claim) != has(self.content)", "message": "one of claim and content"}]},
            "class": {"type": "string", "x-kubernetes-validations": [{"rule": "size(self) > 0", "message": "class is not empty"}]},
            "ref": {"type": "object", "x-kubernetes-map-type": "atomic",
                "properties": {"name": {"type": "string"}, "namespace": {"type": "string"}},
                "x-kubernetes-validations": [{"rule": "has(self.name) && has(self.__namespace__)", "message": "both"}]},
        }},
        "status": {"type": "object", "properties": {
            "ready": {"type": "boolean"},
            "size": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}],
                "pattern": "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE])?$"},
            "taken": {"type": "string", "format": "date-time"},
        }},
    }});
    let mut definition = definition(&schema);
    definition["spec"]["versions"][0]["subresources"] = json!({"status": {}});
    served(&definition).remove(0)
}

#[test]
fn rules_hold_for_what_is_there_and_for_how_it_changes() {
    let snapshots = snapshots();
    let claim = json!({"origin": {"claim": "a"}});
    let cases = [
        (None, json!({"origin": {"claim": "a"}, "class": "c"}), None),
        (None, json!({"origin": {}}), Some("spec.origin: Invalid value: one of claim and content")),
        (None, json!({"origin": {"claim": "a", "content": "b"}}), Some("spec.origin: Invalid value: one of claim and content")),
        (None, json!({"origin": {"claim": "a"}, "class": ""}), Some(r#"spec.class: Invalid value: "": class is not empty"#)),
        (None, json!({"origin": {"claim": "a"}, "ref": {"name": "x"}}), Some("spec.ref: Invalid value: both")),
        (None, json!({"origin": {"claim": "a"}, "ref": {"name": "x", "namespace": "y"}}), None),
        (Some(&claim), json!({"origin": {"claim": "b"}}), Some(r#"spec.origin.claim: Invalid value: "b": claim is fixed"#)),
        (Some(&claim), json!({"origin": {"content": "b"}}), Some("spec.origin: Invalid value: claim stays")),
        (Some(&claim), json!({"origin": {"claim": "a"}, "class": "c"}), None),
    ];
    for (old, new, expected) in cases {
        assert_eq!(refusal(&snapshots, old, &new).as_deref(), expected, "{old:?} {new}");
    }
}

#[test]
fn the_status_door_writes_the_status_and_the_main_door_the_rest() {
    let snapshots = snapshots();
    let object = |spec: Value, status: Value| {
        json!({"apiVersion": "test.example/v1", "kind": "Wid", "metadata": {"name": "x", "labels": {"a": "b"}},
            "spec": spec, "status": status})
    };
    let claim = json!({"origin": {"claim": "a"}});
    let (stored, _) = create(&snapshots, &object(claim.clone(), json!({"ready": true}))).expect("created");
    assert_eq!((&stored["status"], &stored["metadata"]["generation"]), (&Value::Null, &json!(1)));
    let ready = json!({"ready": true, "size": 5, "taken": "2026-01-01T00:00:00Z"});
    let mut relabelled = object(json!({}), ready.clone());
    relabelled["metadata"]["labels"] = json!({"z": "z"});
    let (told, _) = put(&snapshots, Subresource::Status, Some(&stored), &relabelled).expect("a status");
    assert_eq!((&told["status"], &told["spec"], &told["metadata"]), (&ready, &claim, &stored["metadata"]));
    let mut grown = object(json!({"origin": {"claim": "a"}, "class": "c"}), json!({}));
    let (grown_to, _) = put(&snapshots, Subresource::Main, Some(&told), &grown).expect("an update");
    assert_eq!((&grown_to["status"], &grown_to["metadata"]["generation"]), (&ready, &json!(2)));
    grown["metadata"]["labels"] = json!({"other": "label"});
    let (labelled, _) = put(&snapshots, Subresource::Main, Some(&grown_to), &grown).expect("an update");
    assert_eq!(labelled["metadata"]["generation"], json!(2));
}

#[test]
fn what_was_wrong_before_the_schema_said_so_may_stay() {
    let before = spec(&json!({"a": {"type": "string"}, "b": {"type": "string"}}));
    let after = spec(&json!({"a": {"type": "string", "maxLength": 1}, "b": {"type": "string"}}));
    let object = |spec: Value| json!({"apiVersion": "test.example/v1", "kind": "Wid", "metadata": {"name": "x"}, "spec": spec});
    let (stored, _) = create(&before, &object(json!({"a": "long"}))).expect("created");
    let change = |spec: Value| put(&after, Subresource::Main, Some(&stored), &object(spec)).is_ok();
    assert!(change(json!({"a": "long", "b": "new"})));
    assert!(!change(json!({"a": "longer"})));
}

#[test]
fn a_finalizer_without_a_domain_is_warned_of_once() {
    let resource = spec(&json!({}));
    let object = json!({"apiVersion": "test.example/v1", "kind": "Wid",
        "metadata": {"name": "x", "finalizers": ["plain", "a.b/c", "kubernetes"]}});
    let warning = "metadata.finalizers: \"plain\": prefer a domain-qualified finalizer name to avoid accidental conflicts with other \
                   finalizer writers";
    let (stored, warnings) = create(&resource, &object).expect("created");
    assert_eq!(warnings, [warning]);
    let (_, warnings) = put(&resource, Subresource::Main, Some(&stored), &object).expect("an update");
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn columns_show_what_their_paths_find() {
    let mut definition = definition(&json!({"type": "object"}));
    let columns = [
        ("Size", "integer", ".spec.size"),
        ("Share", "number", ".spec.share"),
        ("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
        ("Names", "string", ".spec.items[*].name"),
        ("Last", "string", ".spec.items[-1].name"),
        ("Dotted", "string", ".metadata.labels.a\\.b/c"),
        ("Open", "boolean", ".spec.open"),
        ("Taken", "date", ".spec.taken"),
        ("None", "string", ".spec.none"),
    ];
    let columns = columns.map(|(name, kind, path)| json!({"name": name, "type": kind, "jsonPath": path}));
    definition["spec"]["versions"][0]["additionalPrinterColumns"] = json!(columns);
    let resource = served(&definition).remove(0);
    let object = json!({
        "metadata": {"name": "x", "labels": {"a.b/c": "l"}},
        "spec": {"size": 3, "share": 0.5, "open": true, "taken": "2026-01-02T03:02:05Z", "items": [{"name": "a"}, {"name": "b"}]},
        "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]},
    });
    let row = crate::table::row(&resource, &object, now());
    assert_eq!(json!(row), json!(["x", 3, 0.5, "True", "a b", "b", "l", true, "2m", null]));
    let headings = crate::table::columns(&resource);
    assert_eq!(headings.len(), row.len());
    assert_eq!(headings[1].description, "Custom resource definition column (in JSONPath format): .spec.size");
}

#[test]
fn without_columns_the_age_is_shown() {
    let resource = spec(&json!({}));
    let object = json!({"metadata": {"name": "x", "creationTimestamp": "2026-01-02T03:03:05Z"}});
    assert_eq!(json!(crate::table::row(&resource, &object, now())), json!(["x", "60s"]));
}

#[test]
fn versions_are_preferred_by_stability_and_age() {
    let mut versions = ["foo", "v1alpha1", "v2", "v10", "v1beta2", "v11alpha2", "v1", "bar", "v1beta10"];
    versions.sort_by(|a, b| version_priority(a, b));
    assert_eq!(versions, ["v10", "v2", "v1", "v1beta10", "v1beta2", "v11alpha2", "v1alpha1", "bar", "foo"]);
    assert_eq!(version_priority("v1", "v1"), Ordering::Equal);
}

#[test]
fn each_served_version_is_a_resource_over_the_same_objects() {
    let mut definition = definition(&json!({"type": "object"}));
    let version = |name: &str, served: bool, deprecated: bool| {
        json!({"name": name, "served": served, "storage": name == "v1", "deprecated": deprecated,
            "schema": {"openAPIV3Schema": {"type": "object"}}})
    };
    definition["spec"]["versions"] =
        json!([version("v1beta1", true, true), version("v1", true, false), version("v2", false, false)]);
    let resources = served(&definition);
    let names: Vec<&str> = resources.iter().map(|resource| resource.version.as_str()).collect();
    assert_eq!(names, ["v1beta1", "v1"]);
    assert_eq!(resources[0].storage_key(), resources[1].storage_key());
    let warning = |resource: &Resource| resource.custom.as_ref().and_then(|custom| custom.deprecation().map(str::to_owned));
    assert_eq!(warning(&resources[0]).as_deref(), Some("test.example/v1beta1 Wid is deprecated; use test.example/v1 Wid"));
    assert_eq!(warning(&resources[1]), None);
}

#[test]
fn selectable_fields_are_those_that_the_definition_names() {
    let mut definition = definition(&json!({"type": "object"}));
    definition["spec"]["versions"][0]["selectableFields"] = json!([{"jsonPath": ".spec.size"}]);
    let resource = served(&definition).remove(0);
    assert!(crate::fields::offers(&resource, "spec.size"));
    assert!(!crate::fields::offers(&resource, "spec.other"));
}

#[test]
fn a_definition_whose_names_are_not_accepted_serves_nothing() {
    assert!(crate::custom::resources(&definition(&json!({"type": "object"}))).is_empty());
    assert!(crate::custom::resources(&Value::Null).is_empty());
}
