//! CustomResourceDefinitions, and what they make the server serve.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    m1_a_definition_is_filled_in,
    m2_a_definition_is_accepted_and_established,
    m2b_an_established_kind_is_discovered,
    m4_a_definition_is_named_by_its_plural_and_group,
    m4b_a_version_has_a_schema,
    m4c_a_schema_is_structural,
    m4d_a_protected_group_needs_approval,
    m4e_one_version_is_stored,
    m4f_the_scope_cannot_change,
    m5_names_that_are_taken_are_not_accepted,
    m6_an_object_says_its_kind,
    m6b_another_kind_is_refused,
    m6c_another_version_is_refused,
    m7_keys_of_an_object_are_sorted,
    m8_unknown_fields_are_pruned_with_warnings,
    m8b_unknown_fields_are_refused_if_asked,
    m8c_what_is_preserved_is_kept,
    m8d_defaults_are_filled_in,
    m8e_null_is_kept_where_it_may_be,
    m9_required_fields_are_required,
    m9b_types_are_checked,
    m9c_bounds_are_checked,
    m9d_choices_are_checked,
    m9e_lengths_are_checked,
    m9f_keyed_lists_have_no_duplicates,
    m10_a_rule_is_enforced,
    m10b_a_rule_may_look_at_what_was,
    m10c_rules_that_could_not_be_checked_are_said,
    m11_a_generation_counts_what_is_no_metadata,
    m12_status_is_written_by_itself,
    m12b_without_its_own_path_status_is_data,
    m13_a_put_says_which_version_it_changes,
    m13b_patches_work_but_strategic_ones,
    m13c_apply_knows_the_keys_of_lists,
    m13d_a_write_that_changes_nothing_keeps_the_version,
    m14_a_deletion_is_answered_with_a_status,
    m14b_a_deletion_that_waits_counts_as_a_generation,
    m15_every_served_version_shows_the_same_object,
    m15b_a_deprecated_version_warns,
    m15c_versions_are_listed_by_priority,
    m16_a_cluster_scoped_kind_has_no_namespaces,
    m17_with_its_definition_a_kind_goes,
    e1d_a_missing_custom_object_is_not_found,
    e2c_items_of_custom_kinds_have_their_kind,
    e11_selectable_fields_can_be_selected,
    f3c_an_empty_table_of_a_custom_kind_has_no_rows,
    f17_a_custom_kind_has_the_columns_it_asks_for,
    f17b_a_custom_kind_without_columns_shows_its_age,
    k19_custom_kinds_can_be_watched,
    n1_nothing_custom_is_created_in_a_missing_namespace,
}

/// A `spec` with something of everything.
fn schema() -> Value {
    json!({"type": "object", "required": ["size"], "properties": {
        "size": {"type": "integer", "minimum": 1},
        "since": {"type": "string"},
        "mode": {"type": "string", "enum": ["A", "B"], "default": "A"},
        "name": {"type": "string", "maxLength": 5},
        "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        "maybe": {"type": "string", "nullable": true},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "list": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "string"}}},
        },
    }})
}

/// A kind with that `spec`.
async fn thing(w: &World) -> CustomKind {
    CustomKind::new(w, "Thing").spec(schema()).make(w).await
}

/// With rules besides.
async fn ruled(w: &World) -> CustomKind {
    let mut schema = schema();
    schema["x-kubernetes-validations"] = json!([{"rule": "!has(self.size) || self.size != 7", "message": "seven is unlucky"}]);
    schema["properties"]["name"]["x-kubernetes-validations"] =
        json!([{"rule": "self == oldSelf", "message": "name is immutable"}]);
    CustomKind::new(w, "Ruled").spec(schema).make(w).await
}

async fn m1_a_definition_is_filled_in(w: &World) {
    let kind = CustomKind::new(w, "Thing");
    let made = w.post(DEFINITIONS, &kind.definition).await.made();
    assert_eq!(made["metadata"]["generation"], 1);
    let names = json!({"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"});
    assert_eq!((&made["spec"]["names"], &made["spec"]["conversion"]), (&names, &json!({"strategy": "None"})));
    let status = json!({"conditions": null, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": ["v1"]});
    assert_eq!(made["status"], status);
}

fn condition<'o>(definition: &'o Value, kind: &str) -> &'o Value {
    let conditions = definition["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

async fn m2_a_definition_is_accepted_and_established(w: &World) {
    let kind = CustomKind::new(w, "Thing");
    let name = kind.resource();
    let selector = format!("metadata.name={name}");
    let mut watch = w.watch(&with(DEFINITIONS, &[("watch", "1"), ("fieldSelector", &selector)])).await;
    w.post(DEFINITIONS, &kind.definition).await.made();
    watch.expect_of("ADDED", &name).await;
    let mut last = Value::Null;
    while condition(&last, "Established")["status"] != "True" {
        last = watch.expect_of("MODIFIED", &name).await;
    }
    includes(
        condition(&last, "NamesAccepted"),
        &json!({"status": "True", "reason": "NoConflicts", "message": "no conflicts found"}),
    );
    let message = "the initial names have been accepted";
    includes(condition(&last, "Established"), &json!({"reason": "InitialNamesAccepted", "message": message}));
    let names = json!({"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"});
    assert_eq!(last["status"]["acceptedNames"], names);
    assert_eq!(last["metadata"]["generation"], 1, "status is not counted");
}

async fn m2b_an_established_kind_is_discovered(w: &World) {
    let mut kind = CustomKind::new(w, "Thing").with_status();
    kind.definition["spec"]["names"]["shortNames"] = json!(["th"]);
    let kind = kind.make(w).await;
    let path = format!("/apis/{}", kind.api_version());
    let list = eventually("its resources", async || Some(w.get(&path).await).filter(|reply| reply.code == 200)).await.ok();
    includes(&list, &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": kind.api_version()}));
    let verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    let thing = json!({
        "name": "things", "singularName": "thing", "namespaced": true, "kind": "Thing", "shortNames": ["th"], "verbs": verbs,
    });
    includes(&list["resources"][0], &thing);
    includes(&list["resources"][1], &json!({"name": "things/status", "singularName": "", "verbs": ["get", "patch", "update"]}));
    let group = json!({"groupVersion": kind.api_version(), "version": "v1"});
    let found = w.get(&format!("/apis/{}", kind.group)).await.ok();
    assert_eq!((&found["versions"], &found["preferredVersion"]), (&json!([group]), &group));
    let has = async || {
        let groups = w.get("/apis").await.ok();
        groups["groups"].as_array()?.iter().any(|entry| entry["name"] == kind.group).then_some(())
    };
    eventually("the group among the others", has).await;
}

async fn refused(w: &World, kind: &CustomKind, field: &str, reason: &str, message: &str) {
    let reply = w.post(DEFINITIONS, &kind.definition).await;
    reply.invalid_with(field, reason, message);
}

async fn m4_a_definition_is_named_by_its_plural_and_group(w: &World) {
    let mut kind = CustomKind::new(w, "Thing");
    let name = format!("foo.{}", kind.group);
    kind.definition["metadata"]["name"] = name.clone().into();
    let message = format!("Invalid value: \"{name}\": must be spec.names.plural+\".\"+spec.group");
    refused(w, &kind, "metadata.name", "Invalid", &message).await;
}

async fn m4b_a_version_has_a_schema(w: &World) {
    let mut kind = CustomKind::new(w, "Thing");
    kind.version().as_object_mut().expect("a map").remove("schema");
    refused(w, &kind, "spec.versions[0].schema.openAPIV3Schema", "Required", "Required value").await;
}

async fn m4c_a_schema_is_structural(w: &World) {
    let kind = CustomKind::new(w, "Thing").spec(json!({"type": "object", "properties": {"a": {}}}));
    let message = "Required value: must not be empty for specified object fields";
    refused(w, &kind, "spec.validation.openAPIV3Schema.properties[spec].properties[a].type", "Required", message).await;
}

async fn m4d_a_protected_group_needs_approval(w: &World) {
    let mut kind = CustomKind::new(w, "Thing");
    kind.definition["spec"]["group"] = "conf.k8s.io".into();
    kind.definition["metadata"]["name"] = "things.conf.k8s.io".into();
    refused(
        w,
        &kind,
        "metadata.annotations[api-approved.kubernetes.io]",
        "Required",
        "Required value: protected groups must have approval annotation \"api-approved.kubernetes.io\"",
    )
    .await;
}

async fn m4e_one_version_is_stored(w: &World) {
    let mut kind = CustomKind::new(w, "Thing");
    kind.version()["storage"] = false.into();
    let reply = w.post(DEFINITIONS, &kind.definition).await;
    let message = "must have exactly one version marked as storage version";
    reply.refused_with(422, "Invalid", &["spec.versions: Invalid value: ", message]);
}

async fn m4f_the_scope_cannot_change(w: &World) {
    let kind = thing(w).await;
    let reply = w.merge(&kind.path(), &json!({"spec": {"scope": "Cluster"}})).await;
    reply.invalid_with("spec.scope", "Invalid", "Invalid value: \"Cluster\": field is immutable");
}

async fn m5_names_that_are_taken_are_not_accepted(w: &World) {
    let first = thing(w).await;
    let mut second = CustomKind::new(w, "Other");
    second.definition["spec"]["names"]["listKind"] = "ThingList".into();
    w.post(DEFINITIONS, &second.definition).await.made();
    let decided = async || {
        let found = w.get(&second.path()).await.ok();
        (condition(&found, "Established")["reason"] == "NotAccepted").then_some(found)
    };
    let found = eventually("its names being looked at", decided).await;
    includes(
        condition(&found, "NamesAccepted"),
        &json!({"status": "False", "reason": "ListKindConflict", "message": "\"ThingList\" is already in use"}),
    );
    assert_eq!(condition(&found, "Established")["status"], "False");
    w.get(&second.collection(w).await).await.nowhere();
    w.get(&first.collection(w).await).await.ok();
}

async fn m6_an_object_says_its_kind(w: &World) {
    let kind = thing(w).await;
    let reply = w.post(&kind.collection(w).await, &json!({"metadata": {"name": "x"}})).await;
    let text = "{\"metadata\":{\"name\":\"x\"}}";
    reply.bad_request(&format!(
        "the object provided is unrecognized (must be of type Thing): Object 'Kind' is missing in '{text}' ({text})"
    ));
}

async fn m6b_another_kind_is_refused(w: &World) {
    let kind = thing(w).await;
    let mut body = kind.object("x", json!({"size": 1}));
    body["kind"] = "Foo".into();
    let reply = w.post(&kind.collection(w).await, &body).await;
    reply.invalid(&format!("Foo.{}", kind.group), "x", &[("kind", "Invalid", "Invalid value: \"Foo\": must be Thing")]);
}

async fn m6c_another_version_is_refused(w: &World) {
    let kind = thing(w).await;
    let mut body = kind.object("x", json!({"size": 1}));
    body["apiVersion"] = format!("{}/v2", kind.group).into();
    let message = format!("the API version in the data ({0}/v2) does not match the expected API version ({0}/v1)", kind.group);
    w.post(&kind.collection(w).await, &body).await.bad_request(&message);
}

async fn m7_keys_of_an_object_are_sorted(w: &World) {
    let kind = thing(w).await;
    let reply = w.post(&kind.collection(w).await, &kind.object("x", json!({"size": 1}))).await;
    reply.made();
    let text = reply.text();
    let places: Vec<_> =
        ["{\"apiVersion\":", "\"kind\":\"Thing\"", "\"metadata\":{", "\"spec\":{"].map(|key| text.find(key)).into();
    assert!(places[0] == Some(0) && places.is_sorted() && places.iter().all(Option::is_some), "{text}");
}

fn with_unknown_fields(kind: &CustomKind) -> Value {
    let mut body = kind.object("x", json!({"size": 1, "unknown": {"a": 1}}));
    body["foo"] = 1.into();
    body
}

async fn m8_unknown_fields_are_pruned_with_warnings(w: &World) {
    let kind = thing(w).await;
    let reply = w.post(&kind.collection(w).await, &with_unknown_fields(&kind)).await;
    let made = reply.made();
    assert_eq!((made.get("foo"), &made["spec"]), (None, &json!({"size": 1, "mode": "A"})));
    assert_eq!(reply.warnings(), ["unknown field \"foo\"", "unknown field \"spec.unknown\""]);
}

async fn m8b_unknown_fields_are_refused_if_asked(w: &World) {
    let kind = thing(w).await;
    let reply = w.post(&format!("{}?fieldValidation=Strict", kind.collection(w).await), &with_unknown_fields(&kind)).await;
    reply.bad_request("Thing in version \"v1\" cannot be handled as a Thing: strict decoding error: unknown field \"foo\", unknown field \"spec.unknown\"");
}

async fn make(w: &World, kind: &CustomKind, spec: Value) -> Value {
    w.post(&kind.collection(w).await, &kind.object("x", spec)).await.made()
}

async fn m8c_what_is_preserved_is_kept(w: &World) {
    let kind = thing(w).await;
    let spec = json!({"size": 1, "mode": "B", "free": {"any": [{"thing": 1.5}]}});
    assert_eq!(make(w, &kind, spec.clone()).await["spec"], spec);
}

async fn m8d_defaults_are_filled_in(w: &World) {
    let kind = thing(w).await;
    assert_eq!(make(w, &kind, json!({"size": 1})).await["spec"]["mode"], "A");
}

async fn m8e_null_is_kept_where_it_may_be(w: &World) {
    let kind = thing(w).await;
    let made = make(w, &kind, json!({"size": 1, "maybe": null, "name": null, "mode": null})).await;
    assert_eq!(made["spec"], json!({"size": 1, "maybe": null, "mode": "A"}));
}

async fn invalid(w: &World, kind: &CustomKind, spec: Value, errors: &[(&str, &str, &str)]) {
    let reply = w.post(&kind.collection(w).await, &kind.object("x", spec)).await;
    reply.invalid(&format!("{}.{}", kind.kind, kind.group), "x", errors);
}

async fn m9_required_fields_are_required(w: &World) {
    let kind = thing(w).await;
    invalid(w, &kind, json!({}), &[("spec.size", "Required", "Required value")]).await;
}

async fn m9b_types_are_checked(w: &World) {
    let kind = thing(w).await;
    let message = "Invalid value: \"string\": spec.size in body must be of type integer: \"string\"";
    invalid(w, &kind, json!({"size": "x"}), &[("spec.size", "TypeInvalid", message)]).await;
}

async fn m9c_bounds_are_checked(w: &World) {
    let kind = thing(w).await;
    let message = "Invalid value: 0: spec.size in body should be greater than or equal to 1";
    invalid(w, &kind, json!({"size": 0}), &[("spec.size", "Invalid", message)]).await;
}

async fn m9d_choices_are_checked(w: &World) {
    let kind = thing(w).await;
    let message = "Unsupported value: \"C\": supported values: \"A\", \"B\"";
    invalid(w, &kind, json!({"size": 1, "mode": "C"}), &[("spec.mode", "NotSupported", message)]).await;
}

async fn m9e_lengths_are_checked(w: &World) {
    let kind = thing(w).await;
    let message = "Too long: may not be more than 5 bytes";
    invalid(w, &kind, json!({"size": 1, "name": "toolong"}), &[("spec.name", "TooLong", message)]).await;
    let message = "Too many: 3: must have at most 2 items";
    invalid(w, &kind, json!({"size": 1, "tags": ["a", "b", "c"]}), &[("spec.tags", "TooMany", message)]).await;
}

async fn m9f_keyed_lists_have_no_duplicates(w: &World) {
    let kind = thing(w).await;
    let spec = json!({"size": 1, "list": [{"k": "a"}, {"k": "a"}]});
    invalid(w, &kind, spec, &[("spec.list[1]", "Duplicate", "Duplicate value: {\"k\":\"a\"}")]).await;
}

async fn m10_a_rule_is_enforced(w: &World) {
    let kind = ruled(w).await;
    invalid(w, &kind, json!({"size": 7}), &[("spec", "Invalid", "Invalid value: seven is unlucky")]).await;
    make(w, &kind, json!({"size": 8})).await;
}

async fn m10b_a_rule_may_look_at_what_was(w: &World) {
    let kind = ruled(w).await;
    make(w, &kind, json!({"size": 1, "name": "a"})).await;
    let reply = w.merge(&format!("{}/x", kind.collection(w).await), &json!({"spec": {"name": "b"}})).await;
    let error = ("spec.name", "Invalid", "Invalid value: \"b\": name is immutable");
    reply.invalid(&format!("Ruled.{}", kind.group), "x", &[error]);
}

async fn m10c_rules_that_could_not_be_checked_are_said(w: &World) {
    let kind = ruled(w).await;
    let message = "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    let errors = [("spec.size", "Required", "Required value"), ("<nil>", "Invalid", message)];
    invalid(w, &kind, json!({}), &errors).await;
    // Some errors are no reason not to look at the rules.
    let bound = ("spec.size", "Invalid", "Invalid value: 0: spec.size in body should be greater than or equal to 1");
    invalid(w, &kind, json!({"size": 0}), &[bound]).await;
}

fn generation(object: &Value) -> &Value {
    &object["metadata"]["generation"]
}

async fn m11_a_generation_counts_what_is_no_metadata(w: &World) {
    let kind = thing(w).await;
    assert_eq!(generation(&make(w, &kind, json!({"size": 1})).await), 1);
    let path = format!("{}/x", kind.collection(w).await);
    let found = w.merge(&path, &json!({"metadata": {"labels": {"a": "1"}}})).await.ok();
    assert_eq!(generation(&found), 1);
    let found = w.merge(&path, &json!({"spec": {"size": 2}})).await.ok();
    assert_eq!(generation(&found), 2);
}

async fn m12_status_is_written_by_itself(w: &World) {
    let kind = CustomKind::new(w, "Thing").with_status().make(w).await;
    let mut body = kind.object("x", json!({"size": 1}));
    body["status"] = json!({"phase": "Early"});
    let made = w.post(&kind.collection(w).await, &body).await.made();
    assert_eq!(made.get("status"), None);
    let path = format!("{}/x", kind.collection(w).await);
    let found = w.merge(&path, &json!({"status": {"phase": "Ignored"}})).await.ok();
    assert_eq!(found, made);
    let patch = json!({"status": {"phase": "Done"}, "spec": {"size": 9}, "metadata": {"labels": {"a": "1"}}});
    let found = w.merge(&format!("{path}/status"), &patch).await.ok();
    assert_eq!((&found["status"], &found["spec"]), (&json!({"phase": "Done"}), &json!({"size": 1})));
    assert_eq!((found["metadata"].get("labels"), generation(&found)), (None, &json!(1)));
    assert_eq!(w.get(&format!("{path}/status")).await.ok(), found);
}

async fn m12b_without_its_own_path_status_is_data(w: &World) {
    let kind = CustomKind::new(w, "Thing").make(w).await;
    let mut body = kind.object("x", json!({}));
    body["status"] = json!({"phase": "Kept"});
    let made = w.post(&kind.collection(w).await, &body).await.made();
    assert_eq!(made["status"], json!({"phase": "Kept"}));
    let path = format!("{}/x", kind.collection(w).await);
    w.get(&format!("{path}/status")).await.missing(&kind.resource(), "x");
    let found = w.merge(&path, &json!({"status": {"phase": "Changed"}})).await.ok();
    assert_eq!((&found["status"]["phase"], generation(&found)), (&json!("Changed"), &json!(2)));
}

async fn m13_a_put_says_which_version_it_changes(w: &World) {
    let kind = thing(w).await;
    let made = make(w, &kind, json!({"size": 1})).await;
    let path = format!("{}/x", kind.collection(w).await);
    let reply = w.put(&path, &kind.object("x", json!({"size": 2}))).await;
    let message = "Invalid value: 0: must be specified for an update";
    reply.invalid(&kind.resource(), "x", &[("metadata.resourceVersion", "Invalid", message)]);
    let mut body = made.clone();
    body["spec"]["size"] = 2.into();
    assert_eq!(w.put(&path, &body).await.ok()["spec"]["size"], 2);
    w.put(&path, &made).await.modified_meanwhile(&kind.resource(), "x");
}

async fn m13b_patches_work_but_strategic_ones(w: &World) {
    let kind = thing(w).await;
    make(w, &kind, json!({"size": 1})).await;
    let path = format!("{}/x", kind.collection(w).await);
    let found = w.json_patch(&path, &json!([{"op": "replace", "path": "/spec/size", "value": 2}])).await.ok();
    assert_eq!(found["spec"]["size"], 2);
    assert_eq!(w.merge(&path, &json!({"spec": {"tags": ["a"]}})).await.ok()["spec"]["tags"], json!(["a"]));
    let message = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    w.strategic(&path, &json!({})).await.refused(415, "UnsupportedMediaType", message);
}

async fn m13c_apply_knows_the_keys_of_lists(w: &World) {
    let kind = thing(w).await;
    let path = format!("{}/x", kind.collection(w).await);
    let apply = async |manager: &str, list: Value| {
        let body = kind.object("x", json!({"size": 1, "list": list}));
        w.apply(&format!("{path}?fieldManager={manager}"), &body).await
    };
    apply("one", json!([{"k": "a", "v": "1"}])).await.made();
    let found = apply("two", json!([{"k": "b", "v": "2"}])).await.ok();
    assert_eq!(found["spec"]["list"], json!([{"k": "a", "v": "1"}, {"k": "b", "v": "2"}]));
    let found = apply("one", json!([])).await.ok();
    assert_eq!(found["spec"]["list"], json!([{"k": "b", "v": "2"}]));
    assert_eq!(apply("one", json!([{"k": "b", "v": "3"}])).await.code, 409);
}

async fn m13d_a_write_that_changes_nothing_keeps_the_version(w: &World) {
    let kind = thing(w).await;
    let made = make(w, &kind, json!({"size": 1})).await;
    let path = format!("{}/x", kind.collection(w).await);
    assert_eq!(w.put(&path, &made).await.ok(), made);
    assert_eq!(w.merge(&path, &json!({"spec": {"size": 1}})).await.ok(), made);
}

async fn m14_a_deletion_is_answered_with_a_status(w: &World) {
    let kind = thing(w).await;
    let made = make(w, &kind, json!({"size": 1})).await;
    let path = format!("{}/x", kind.collection(w).await);
    let mut details = reply::about(&kind.resource(), "x");
    details["uid"] = made["metadata"]["uid"].clone();
    let expected = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    assert_eq!(w.delete(&path).await.ok(), expected);
    w.get(&path).await.missing(&kind.resource(), "x");
}

async fn m14b_a_deletion_that_waits_counts_as_a_generation(w: &World) {
    let kind = thing(w).await;
    let mut body = kind.object("x", json!({"size": 1}));
    body["metadata"]["finalizers"] = json!(["x.io/f"]);
    w.post(&kind.collection(w).await, &body).await.made();
    let path = format!("{}/x", kind.collection(w).await);
    let marked = w.delete(&path).await.ok();
    assert_eq!((generation(&marked), &marked["metadata"]["deletionGracePeriodSeconds"]), (&json!(2), &json!(0)));
    assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
    w.merge(&path, &json!({"metadata": {"finalizers": null}})).await.ok();
    w.get(&path).await.missing(&kind.resource(), "x");
}

/// A kind with v1 (stored) and v1beta1 (deprecated).
async fn two_versions(w: &World) -> CustomKind {
    let mut kind = CustomKind::new(w, "Thing");
    let mut old = kind.version().clone();
    old["name"] = "v1beta1".into();
    old["storage"] = false.into();
    old["deprecated"] = true.into();
    kind.definition["spec"]["versions"].as_array_mut().expect("a list").insert(0, old);
    let kind = kind.make(w).await;
    let path = format!("/apis/{}/v1beta1/{}", kind.group, kind.plural);
    eventually("the old version", async || (w.get(&path).await.code == 200).then_some(())).await;
    kind
}

async fn m15_every_served_version_shows_the_same_object(w: &World) {
    let kind = two_versions(w).await;
    let made = make(w, &kind, json!({"a": 1})).await;
    let path = format!("{}/x", w.group(&format!("{}/v1beta1", kind.group), "things").await);
    let mut old = w.get(&path).await.ok();
    assert_eq!(old["apiVersion"], format!("{}/v1beta1", kind.group));
    old["apiVersion"] = made["apiVersion"].clone();
    assert_eq!(old, made);
}

async fn m15b_a_deprecated_version_warns(w: &World) {
    let kind = two_versions(w).await;
    let reply = w.get(&w.group(&format!("{}/v1beta1", kind.group), "things").await).await;
    assert_eq!(reply.warnings(), [format!("{0}/v1beta1 Thing is deprecated; use {0}/v1 Thing", kind.group)]);
    assert_eq!(w.get(&kind.collection(w).await).await.warnings().len(), 0);
}

async fn m15c_versions_are_listed_by_priority(w: &World) {
    let kind = two_versions(w).await;
    let both = async || {
        let found = w.get(&format!("/apis/{}", kind.group)).await;
        (found.code == 200 && found.json()["versions"].as_array()?.len() == 2).then(|| found.json())
    };
    let found = eventually("both versions", both).await;
    assert_eq!((&found["versions"][0]["version"], &found["preferredVersion"]["version"]), (&json!("v1"), &json!("v1")));
}

async fn m16_a_cluster_scoped_kind_has_no_namespaces(w: &World) {
    let kind = CustomKind::new(w, "Thing").cluster_scoped().make(w).await;
    let mut body = kind.object("x", json!({}));
    body["metadata"]["namespace"] = "other".into();
    let made = w.post(&kind.collection(w).await, &body).await.made();
    assert_eq!(made["metadata"].get("namespace"), None);
    w.get(&format!("{}/x", kind.collection(w).await)).await.ok();
    w.get(&format!("/apis/{}/namespaces/default/things/x", kind.api_version())).await.nowhere();
}

async fn m17_with_its_definition_a_kind_goes(w: &World) {
    let kind = thing(w).await;
    let path = format!("{}/x", kind.collection(w).await);
    make(w, &kind, json!({"size": 1})).await;
    let marked = w.delete(&kind.path()).await.ok();
    assert_eq!(marked["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
    eventually("the definition's end", async || (w.get(&kind.path()).await.code == 404).then_some(())).await;
    eventually("the kind's end", async || (w.get(&path).await.text() == "404 page not found\n").then_some(())).await;
    w.get(&path).await.nowhere();
    eventually("the group's end", async || (w.get(&format!("/apis/{}", kind.api_version())).await.code == 404).then_some(()))
        .await;
    w.get(&format!("/apis/{}", kind.api_version())).await.nowhere();
    // Under the same name nothing comes back.
    kind.make(w).await;
    let found =
        eventually("the kind again", async || Some(w.get(&path).await).filter(|reply| !reply.text().starts_with("404 page")));
    assert_eq!(found.await.code, 404);
}

async fn e1d_a_missing_custom_object_is_not_found(w: &World) {
    let kind = thing(w).await;
    w.get(&format!("{}/nope", kind.collection(w).await)).await.missing(&kind.resource(), "nope");
}

async fn e2c_items_of_custom_kinds_have_their_kind(w: &World) {
    let kind = thing(w).await;
    let made = make(w, &kind, json!({"size": 1})).await;
    let list = w.get(&kind.collection(w).await).await.ok();
    includes(&list, &json!({"kind": "ThingList", "apiVersion": kind.api_version()}));
    assert_eq!(list["items"], json!([made]));
}

async fn e11_selectable_fields_can_be_selected(w: &World) {
    let mut kind = CustomKind::new(w, "Thing").spec(schema());
    kind.version()["selectableFields"] = json!([{"jsonPath": ".spec.mode"}]);
    let kind = kind.make(w).await;
    let collection = kind.collection(w).await;
    for (name, mode) in [("a", "A"), ("b", "B")] {
        w.post(&collection, &kind.object(name, json!({"size": 1, "mode": mode}))).await.made();
    }
    let list = w.get(&with(&collection, &[("fieldSelector", "spec.mode=B")])).await.ok();
    assert_eq!(names(&list), ["b"]);
    let list = w.get(&with(&collection, &[("fieldSelector", "metadata.name!=b")])).await.ok();
    assert_eq!(names(&list), ["a"]);
    let reply = w.get(&with(&collection, &[("fieldSelector", "spec.size=1")])).await;
    reply.bad_request("field label not supported: spec.size");
}

const TABLE_V1: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

async fn f3c_an_empty_table_of_a_custom_kind_has_no_rows(w: &World) {
    let kind = thing(w).await;
    let found = w.get(&kind.collection(w).await).accept(TABLE_V1).await.ok();
    assert_eq!(found["rows"], json!([]));
}

fn column<'t>(table: &'t Value, name: &str) -> &'t Value {
    let columns = table["columnDefinitions"].as_array().expect("columns");
    columns.iter().find(|column| column["name"] == name).unwrap_or_else(|| panic!("no column {name} in {table}"))
}

async fn f17_a_custom_kind_has_the_columns_it_asks_for(w: &World) {
    let mut kind = CustomKind::new(w, "Thing").spec(schema());
    kind.version()["additionalPrinterColumns"] = json!([
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Since", "type": "date", "jsonPath": ".spec.since"},
        {"name": "First", "type": "string", "jsonPath": ".spec.tags[0]", "priority": 1, "description": "The first tag."},
    ]);
    let kind = kind.make(w).await;
    let spec = json!({"size": 3, "since": "2020-01-01T00:00:00Z", "tags": ["t"]});
    let found = w.post(&kind.collection(w).await, &kind.object("x", spec)).accept(TABLE_V1).await.made();
    let description = "Custom resource definition column (in JSONPath format): .spec.size";
    let size = json!({"name": "Size", "type": "integer", "format": "", "description": description, "priority": 0});
    assert_eq!(column(&found, "Size"), &size);
    includes(column(&found, "First"), &json!({"type": "string", "description": "The first tag.", "priority": 1}));
    let mut cells = found["rows"][0]["cells"].clone();
    assert!(cells[2].take().as_str().is_some_and(|age| age.ends_with('y') || age.ends_with('d')), "{found}");
    assert_eq!(cells, json!(["x", 3, null, "t"]));
    let found = w.post(&kind.collection(w).await, &kind.object("y", json!({"size": 1}))).accept(TABLE_V1).await.made();
    assert_eq!(found["rows"][0]["cells"], json!(["y", 1, null, null]));
}

async fn f17b_a_custom_kind_without_columns_shows_its_age(w: &World) {
    let kind = thing(w).await;
    let found = w.post(&kind.collection(w).await, &kind.object("x", json!({"size": 1}))).accept(TABLE_V1).await.made();
    includes(column(&found, "Name"), &json!({"type": "string", "format": "name"}));
    includes(column(&found, "Age"), &json!({"type": "date"}));
    assert_eq!(found["columnDefinitions"].as_array().map(Vec::len), Some(2));
    let cells = found["rows"][0]["cells"].as_array().expect("cells");
    assert!(cells[0] == "x" && cells[1].as_str().is_some_and(|age| age.ends_with('s')), "{cells:?}");
}

async fn k19_custom_kinds_can_be_watched(w: &World) {
    let kind = thing(w).await;
    let collection = kind.collection(w).await;
    let mut watch = w.watch(&format!("{collection}?watch=1&allowWatchBookmarks=true")).await;
    let end = watch.expect_end_of_list().await;
    includes(&end, &json!({"kind": "Thing", "apiVersion": kind.api_version()}));
    let made = make(w, &kind, json!({"size": 1})).await;
    assert_eq!(watch.expect("ADDED").await, made);
    let changed = w.merge(&format!("{collection}/x"), &json!({"spec": {"size": 2}})).await.ok();
    assert_eq!(watch.expect("MODIFIED").await, changed);
    w.delete(&format!("{collection}/x")).await.ok();
    includes(&watch.expect_of("DELETED", "x").await, &json!({"kind": "Thing", "spec": {"size": 2}}));
}

async fn n1_nothing_custom_is_created_in_a_missing_namespace(w: &World) {
    let kind = thing(w).await;
    let path = format!("/apis/{}/namespaces/conf-missing/things", kind.api_version());
    w.post(&path, &kind.object("x", json!({"size": 1}))).await.missing("namespaces", "conf-missing");
    assert_eq!(w.get(&path).await.ok()["items"], json!([]));
}
