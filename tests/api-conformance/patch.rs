//! JSON patches, merge patches and strategic ones.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    h1_a_patch_says_its_kind,
    h1b_a_charset_does_not_matter,
    h1c_custom_kinds_have_no_strategic_patches,
    h2_a_patch_answers_with_what_is_stored,
    h2b_what_is_missing_is_not_made,
    h2c_a_body_is_required,
    h3_a_json_patch_is_a_list,
    h3b_a_json_patch_is_json,
    h3c_a_json_patch_has_a_length,
    h3d_an_empty_json_patch_changes_nothing,
    h3e_operations_add_replace_remove_move_and_copy,
    h3f_keys_are_escaped,
    h3g_an_index_may_count_from_the_end,
    h3h_an_element_can_be_added_behind_the_last,
    h3i_operations_are_objects_of_texts,
    h3j_a_json_patch_may_be_null,
    h3k_a_value_may_be_absent_or_null,
    h4_a_failed_operation_does_not_say_why,
    h4b_a_failed_operation_takes_back_those_before,
    h4c_a_text_has_no_keys,
    h4d_nothing_moves_into_itself,
    h4e_of_a_key_said_twice_the_last_counts,
    h5_an_absent_key_can_be_replaced,
    h5b_an_absent_key_can_be_copied,
    h5c_an_absent_key_is_null,
    h5d_an_absent_parent_has_no_keys,
    h6_a_version_can_be_tested,
    h6b_a_version_can_be_a_precondition,
    h6c_a_version_is_a_number,
    h6d_a_uid_can_be_a_precondition,
    h6e_zero_is_no_version,
    h7_a_patch_without_a_version_applies_to_any,
    h7b_patches_at_once_lose_nothing,
    h7c_a_version_is_not_taken_from_kinds_that_need_it,
    h8_the_uid_cannot_change,
    h8b_the_name_cannot_change,
    h8c_the_namespace_cannot_change,
    h8d_a_message_shows_a_cause_once,
    h8e_what_the_server_says_stays,
    h8f_a_name_is_required,
    h8g_a_patch_does_not_delete,
    h8h_owners_of_fields_can_be_cleared,
    h9_null_takes_a_key_away,
    h9b_an_empty_merge_patch_changes_nothing,
    h9c_a_merge_patch_replaces_lists,
    h9d_a_merge_patch_is_an_object,
    h9e_a_merge_patch_is_not_null,
    h9f_a_merge_patch_is_json,
    h9g_null_adds_nothing,
    h10_what_does_not_decode_is_shown,
    h10b_the_kind_cannot_change,
    h10c_the_version_is_a_known_one,
    h10d_a_strategic_patch_is_shown_alone,
    h11_unknown_fields_are_dropped_with_a_warning,
    h11b_unknown_fields_are_refused_if_asked,
    h11c_unknown_fields_are_dropped_silently_if_asked,
    h11d_of_duplicate_keys_the_last_counts,
    h11e_duplicate_keys_are_refused_if_asked,
    h11f_a_path_without_a_slash_loses_its_first_part,
    h12_force_is_for_apply,
    h13_a_strategic_patch_merges_maps,
    h13b_plain_lists_are_replaced,
    h13c_lists_of_a_node_are_replaced,
    h14_containers_merge_by_name,
    h14b_conditions_merge_by_type,
    h14c_addresses_merge_by_type,
    h14d_owners_merge_by_uid,
    h14e_finalizers_are_a_set,
    h14f_drivers_of_a_node_merge_by_name,
    h14g_secrets_of_an_account_merge_by_name,
    h14h_tolerations_are_replaced,
    h14i_annotations_merge_by_key,
    h14j_pull_secrets_of_an_account_are_replaced,
    h15_new_elements_come_first,
    h15b_the_order_can_be_said,
    h15c_the_order_has_to_be_that_of_the_patch,
    h15d_the_order_alone_sorts,
    h15e_the_order_has_all_that_is_patched,
    h15f_a_set_has_an_order_too,
    h16_an_element_can_be_taken_away,
    h16b_a_map_can_be_replaced_whole,
    h16c_values_can_be_taken_from_a_set,
    h16d_keys_that_stay_can_be_named,
    h16e_an_unknown_directive_is_refused,
    h16f_an_unknown_instruction_is_an_unknown_field,
    h16g_a_list_can_be_replaced_whole,
    h16h_what_is_absent_can_be_taken_away,
    h16i_directives_of_elements_are_checked,
    h16j_keys_that_stay_have_all_that_is_patched,
    h16k_a_list_can_be_taken_away_but_not_emptied,
    h17_an_element_has_its_key,
    h17b_a_strategic_patch_is_json,
    h17c_a_map_stays_a_map,
    h17d_a_list_stays_a_list,
    h17e_a_strategic_patch_is_an_object,
    h18_a_dry_run_stores_nothing,
    h18b_a_dry_run_is_validated,
}

const INVALID: &str = "the server rejected our request due to an error in our request";

/// 422 of a JSON patch that does not apply.
#[track_caller]
fn does_not_apply(reply: &Reply) {
    assert_eq!(reply.refused(422, "Invalid", INVALID), json!({}), "{}", reply.what);
}

/// Makes it in a collection, and says where it is.
async fn make(w: &World, collection: &str, body: &Value) -> (String, Value) {
    let made = w.post(collection, body).await.made();
    (format!("{collection}/{}", made["metadata"]["name"].as_str().expect("a name")), made)
}

/// A body sent as this kind of patch.
async fn send(w: &World, path: &str, kind: &str, body: &str) -> Reply {
    w.call("PATCH", path).content_type(kind).body(body).await
}

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";

async fn h1_a_patch_says_its_kind(w: &World) {
    let (path, _) = w.config_map("x").await;
    for reply in [
        send(w, &path, "application/json", "{}").await,
        send(w, &path, "text/plain", "{}").await,
        w.call("PATCH", &path).body("{}").await,
    ] {
        let details = reply.refused(415, "UnsupportedMediaType", "415: Unsupported Media Type");
        assert_eq!(details, json!({}));
    }
}

async fn h1b_a_charset_does_not_matter(w: &World) {
    let (path, _) = w.config_map("x").await;
    for (kind, body) in [(JSON_PATCH, "[]"), (MERGE, "{}"), (STRATEGIC, "{}")] {
        send(w, &path, &format!("{kind}; charset=utf-8"), body).await.ok();
    }
}

async fn h1c_custom_kinds_have_no_strategic_patches(w: &World) {
    let kind = CustomKind::new(w, "Thing").make(w).await;
    let (path, _) = make(w, &kind.collection(w).await, &kind.object("x", json!({}))).await;
    let message = "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    w.strategic(&path, &json!({})).await.refused(415, "UnsupportedMediaType", message);
}

async fn h2_a_patch_answers_with_what_is_stored(w: &World) {
    let (path, _) = w.config_map("x").await;
    for (value, reply) in [
        ("2", w.json_patch(&path, &json!([{"op": "replace", "path": "/data/a", "value": "2"}])).await),
        ("3", w.merge(&path, &json!({"data": {"a": "3"}})).await),
        ("4", w.strategic(&path, &json!({"data": {"a": "4"}})).await),
    ] {
        assert_eq!(reply.ok()["data"]["a"], value);
    }
    let found = w.merge(&path, &json!({"data": {"b": "1"}})).await.ok();
    assert_eq!(w.get(&path).await.ok(), found);
}

async fn h2b_what_is_missing_is_not_made(w: &World) {
    let path = format!("{}/x", w.core("configmaps").await);
    w.json_patch(&path, &json!([])).await.missing("configmaps", "x");
    w.merge(&path, &json!({})).await.missing("configmaps", "x");
    w.strategic(&path, &json!({})).await.missing("configmaps", "x");
    let missing = format!("{}/x", w.group(LEASES, "leases").await);
    w.merge(&missing, &json!({})).await.missing("leases.coordination.k8s.io", "x");
}

async fn h3_a_json_patch_is_a_list(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.json_patch(&path, &json!({})).await;
    reply.bad_request("error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp");
}

async fn h3b_a_json_patch_is_json(w: &World) {
    let (path, _) = w.config_map("x").await;
    send(w, &path, JSON_PATCH, "[").await.bad_request("error decoding patch: unexpected end of JSON input");
}

async fn h3c_a_json_patch_has_a_length(w: &World) {
    let (path, _) = w.config_map("x").await;
    let operations = vec![json!({"op": "test", "path": "/data/a", "value": "1"}); 10_001];
    let message = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001";
    w.json_patch(&path, &json!(operations)).await.refused(413, "RequestEntityTooLarge", message);
    w.json_patch(&path, &json!(operations[1..])).await.ok();
}

async fn h3d_an_empty_json_patch_changes_nothing(w: &World) {
    let (path, made) = w.config_map("x").await;
    assert_eq!(w.json_patch(&path, &json!([])).await.ok(), made);
}

async fn h3e_operations_add_replace_remove_move_and_copy(w: &World) {
    let (path, _) = w.config_map("x").await;
    let patch = json!([
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "add", "path": "/data/b", "value": "2"},
        {"op": "replace", "path": "/data/a", "value": "3"},
        {"op": "move", "from": "/data/b", "path": "/data/c"},
        {"op": "copy", "from": "/data/c", "path": "/data/d"},
        {"op": "remove", "path": "/data/a"},
        {"op": "add", "path": "/metadata/finalizers", "value": ["conf.example/b"]},
        {"op": "add", "path": "/metadata/finalizers/-", "value": "conf.example/c"},
        {"op": "add", "path": "/metadata/finalizers/0", "value": "conf.example/a"},
    ]);
    let found = w.json_patch(&path, &patch).await.ok();
    assert_eq!(found["data"], json!({"c": "2", "d": "2"}));
    assert_eq!(found["metadata"]["finalizers"], json!(["conf.example/a", "conf.example/b", "conf.example/c"]));
}

async fn h3f_keys_are_escaped(w: &World) {
    let (path, _) = w.config_map("x").await;
    let patch = json!([
        {"op": "add", "path": "/metadata/annotations", "value": {}},
        {"op": "add", "path": "/metadata/annotations/conf.example~1a", "value": "1"},
    ]);
    let found = w.json_patch(&path, &patch).await.ok();
    assert_eq!(found["metadata"]["annotations"], json!({"conf.example/a": "1"}));
}

async fn h4_a_failed_operation_does_not_say_why(w: &World) {
    let (path, made) = w.config_map("x").await;
    let operations = [
        json!({"op": "test", "path": "/data/a", "value": "2"}),
        json!({"op": "test", "path": "/data/b", "value": "2"}),
        json!({"op": "remove", "path": "/data/b"}),
        json!({"op": "add", "path": "/nope/b", "value": "1"}),
        json!({"op": "move", "from": "/data/b", "path": "/data/c"}),
        json!({"op": "add", "path": "/metadata/managedFields/7", "value": {}}),
        json!({"op": "remove", "path": "/metadata/managedFields/7"}),
        json!({"op": "foo", "path": "/data/a"}),
        json!({"op": "add", "value": "1"}),
        json!({"op": "add", "path": "/metadata/finalizers/-", "value": "conf.example/f"}),
    ];
    for operation in operations {
        does_not_apply(&w.json_patch(&path, &json!([operation])).await);
    }
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn h4b_a_failed_operation_takes_back_those_before(w: &World) {
    let (path, made) = w.config_map("x").await;
    let patch = json!([
        {"op": "replace", "path": "/data/a", "value": "2"},
        {"op": "test", "path": "/data/a", "value": "1"},
    ]);
    does_not_apply(&w.json_patch(&path, &patch).await);
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn h5_an_absent_key_can_be_replaced(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = w.json_patch(&path, &json!([{"op": "replace", "path": "/data/b", "value": "2"}])).await.ok();
    assert_eq!(found["data"], json!({"a": "1", "b": "2"}));
}

async fn h5b_an_absent_key_can_be_copied(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = w.json_patch(&path, &json!([{"op": "copy", "from": "/data/b", "path": "/data/c"}])).await.ok();
    assert_eq!(found["data"], json!({"a": "1", "c": ""}));
}

async fn h5c_an_absent_key_is_null(w: &World) {
    let (path, made) = w.config_map("x").await;
    assert_eq!(w.json_patch(&path, &json!([{"op": "test", "path": "/data/b", "value": null}])).await.ok(), made);
}

async fn h5d_an_absent_parent_has_no_keys(w: &World) {
    let (path, _) = w.config_map("x").await;
    let patch = json!([{"op": "replace", "path": "/metadata/labels/a", "value": "2"}]);
    does_not_apply(&w.json_patch(&path, &patch).await);
}

async fn h6_a_version_can_be_tested(w: &World) {
    let (path, made) = w.config_map("x").await;
    let patch = |version: &str| {
        json!([
            {"op": "test", "path": "/metadata/resourceVersion", "value": version},
            {"op": "replace", "path": "/data/a", "value": "2"},
        ])
    };
    assert_eq!(w.json_patch(&path, &patch(version(&made))).await.ok()["data"]["a"], "2");
    does_not_apply(&w.json_patch(&path, &patch(version(&made))).await);
}

async fn h6b_a_version_can_be_a_precondition(w: &World) {
    let (path, made) = w.config_map("x").await;
    let said = |value: &str| json!({"metadata": {"resourceVersion": version(&made)}, "data": {"a": value}});
    assert_eq!(w.merge(&path, &said("2")).await.ok()["data"]["a"], "2");
    w.merge(&path, &said("3")).await.modified_meanwhile("configmaps", "x");
    w.strategic(&path, &said("3")).await.modified_meanwhile("configmaps", "x");
    let patch = json!([
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version(&made)},
        {"op": "replace", "path": "/data/a", "value": "3"},
    ]);
    w.json_patch(&path, &patch).await.modified_meanwhile("configmaps", "x");
}

async fn h7_a_patch_without_a_version_applies_to_any(w: &World) {
    let (path, _) = w.config_map("x").await;
    w.merge(&path, &json!({"data": {"a": "2"}})).await.ok();
    w.merge(&path, &json!({"metadata": {"resourceVersion": null}, "data": {"a": "3"}})).await.ok();
    let (path, _) = make(w, &w.group(LEASES, "leases").await, &lease("x")).await;
    let found = w.merge(&path, &json!({"spec": {"holderIdentity": "b"}})).await.ok();
    assert_eq!(found["spec"]["holderIdentity"], "b");
}

async fn h7c_a_version_is_not_taken_from_kinds_that_need_it(w: &World) {
    let (path, _) = make(w, &w.group(LEASES, "leases").await, &lease("x")).await;
    let patch = json!({"metadata": {"resourceVersion": null}, "spec": {"holderIdentity": "c"}});
    let error = ("metadata.resourceVersion", "Invalid", "Invalid value: 0: must be specified for an update");
    w.merge(&path, &patch).await.invalid("leases.coordination.k8s.io", "x", &[error]);
}

async fn h7b_patches_at_once_lose_nothing(w: &World) {
    let (path, _) = w.config_map("x").await;
    let write = |key: usize| {
        let patch = json!({"data": {format!("k{key}"): "1"}});
        let call = w.merge(&path, &patch);
        async move { call.await.ok() }
    };
    futures::future::join_all((0..40).map(write)).await;
    let found = w.get(&path).await.ok();
    assert_eq!(found["data"].as_object().map(serde_json::Map::len), Some(41));
}

async fn h8_the_uid_cannot_change(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "Invalid value: \"5\": field is immutable";
    w.merge(&path, &json!({"metadata": {"uid": "5"}})).await.invalid_with("metadata.uid", "Invalid", message);
}

async fn h8b_the_name_cannot_change(w: &World) {
    let (path, _) = w.config_map("u").await;
    let message = "the name of the object (v) does not match the name on the URL (u)";
    w.merge(&path, &json!({"metadata": {"name": "v"}})).await.bad_request(message);
    let patch = json!([{"op": "replace", "path": "/metadata/name", "value": "v"}]);
    w.json_patch(&path, &patch).await.bad_request(message);
}

async fn h8c_the_namespace_cannot_change(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "the namespace of the provided object does not match the namespace sent on the request";
    w.merge(&path, &json!({"metadata": {"namespace": "other"}})).await.bad_request(message);
}

async fn h9_null_takes_a_key_away(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = w.merge(&path, &json!({"data": {"a": null, "b": "1"}})).await.ok();
    assert_eq!(found["data"], json!({"b": "1"}));
    assert_eq!(w.merge(&path, &json!({"data": {"z": null}})).await.ok(), found);
    assert_eq!(w.merge(&path, &json!({"data": null})).await.ok().get("data"), None);
}

async fn h9b_an_empty_merge_patch_changes_nothing(w: &World) {
    let (path, made) = w.config_map("x").await;
    assert_eq!(w.merge(&path, &json!({})).await.ok(), made);
    assert_eq!(w.strategic(&path, &json!({})).await.ok(), made);
}

async fn h9c_a_merge_patch_replaces_lists(w: &World) {
    let (path, _) = w.config_map("x").await;
    w.merge(&path, &json!({"metadata": {"finalizers": ["conf.example/a"]}})).await.ok();
    let found = w.merge(&path, &json!({"metadata": {"finalizers": ["conf.example/b"]}})).await.ok();
    assert_eq!(found["metadata"]["finalizers"], json!(["conf.example/b"]));
}

async fn h9d_a_merge_patch_is_an_object(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = |found: &str| {
        format!("error decoding patch: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}")
    };
    w.merge(&path, &json!([])).await.bad_request(&message("array"));
    w.merge(&path, &json!(1)).await.bad_request(&message("number"));
    w.merge(&path, &json!("a")).await.bad_request(&message("string"));
}

/// 422 of a patched object that is none of its kind, shown whole before `end`.
#[track_caller]
fn does_not_decode(reply: &Reply, end: &str) {
    let details = reply.refused_with(422, "Invalid", &[" \"\" is invalid: patch: Invalid value: \"{", end]);
    let message = reply.json()["message"].as_str().expect("a message").to_owned();
    assert!(message.starts_with(" \"\"") && message.ends_with(end), "{message}");
    let causes = details["causes"].as_array().expect("causes");
    assert_eq!((&causes[0]["reason"], &causes[0]["field"]), (&json!("FieldValueInvalid"), &json!("patch")));
}

async fn h10_what_does_not_decode_is_shown(w: &World) {
    let (path, _) = w.config_map("x").await;
    let end = ": json: cannot unmarshal number into Go struct field ConfigMap.data of type string";
    does_not_decode(&w.merge(&path, &json!({"data": {"a": 1}})).await, end);
    let patch = json!([{"op": "replace", "path": "/data/a", "value": 1}]);
    does_not_decode(&w.json_patch(&path, &patch).await, end);
}

async fn h10b_the_kind_cannot_change(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.merge(&path, &json!({"kind": "Secret", "data": {"a": "MQ=="}})).await;
    does_not_decode(&reply, ": converting (v1.Secret) to (core.ConfigMap): unknown conversion");
}

async fn h11_unknown_fields_are_dropped_with_a_warning(w: &World) {
    let (path, made) = w.config_map("x").await;
    for reply in [
        w.merge(&path, &json!({"foo": 1})).await,
        w.json_patch(&path, &json!([{"op": "add", "path": "/foo", "value": 1}])).await,
        w.strategic(&path, &json!({"foo": 1})).await,
    ] {
        assert_eq!(reply.ok(), made);
        assert_eq!(reply.warnings(), ["unknown field \"foo\""], "{}", reply.what);
    }
}

async fn h11b_unknown_fields_are_refused_if_asked(w: &World) {
    let (path, _) = w.config_map("x").await;
    let path = format!("{path}?fieldValidation=Strict");
    let end = ": strict decoding error: unknown field \"foo\"";
    does_not_decode(&w.merge(&path, &json!({"foo": 1})).await, end);
    does_not_decode(&w.json_patch(&path, &json!([{"op": "add", "path": "/foo", "value": 1}])).await, end);
}

async fn h11c_unknown_fields_are_dropped_silently_if_asked(w: &World) {
    let (path, made) = w.config_map("x").await;
    let reply = w.merge(&format!("{path}?fieldValidation=Ignore"), &json!({"foo": 1})).await;
    assert_eq!((reply.ok(), reply.warnings().len()), (made, 0));
}

async fn h12_force_is_for_apply(w: &World) {
    let (path, _) = w.config_map("x").await;
    let error = ("force", "Forbidden", "Forbidden: may not be specified for non-apply patch");
    let path = format!("{path}?force=true");
    w.merge(&path, &json!({})).await.invalid("PatchOptions.meta.k8s.io", "", &[error]);
    w.json_patch(&path, &json!([])).await.invalid("PatchOptions.meta.k8s.io", "", &[error]);
    w.strategic(&path, &json!({})).await.invalid("PatchOptions.meta.k8s.io", "", &[error]);
}

async fn h13_a_strategic_patch_merges_maps(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = w.strategic(&path, &json!({"data": {"b": "2"}})).await.ok();
    assert_eq!(found["data"], json!({"a": "1", "b": "2"}));
    let found = w.strategic(&path, &json!({"data": {"a": null}})).await.ok();
    assert_eq!(found["data"], json!({"b": "2"}));
}

async fn h13b_plain_lists_are_replaced(w: &World) {
    let mut body = volume(&w.name(""));
    body["spec"]["mountOptions"] = json!(["a", "b"]);
    let (path, _) = make(w, "/api/v1/persistentvolumes", &body).await;
    let patch = json!({"spec": {"mountOptions": ["c"], "accessModes": ["ReadOnlyMany"]}});
    let found = w.strategic(&path, &patch).await.ok();
    assert_eq!((&found["spec"]["mountOptions"], &found["spec"]["accessModes"]), (&json!(["c"]), &json!(["ReadOnlyMany"])),);
}

async fn make_node(w: &World) -> String {
    format!("{}/status", make(w, "/api/v1/nodes", &node(&w.name(""))).await.0)
}

async fn h13c_lists_of_a_node_are_replaced(w: &World) {
    let path = make_node(w).await;
    let attached = |name: &str| json!([{"name": name, "devicePath": "d"}]);
    w.strategic(&path, &json!({"status": {"volumesInUse": ["a"], "volumesAttached": attached("a")}})).await.ok();
    let found = w.strategic(&path, &json!({"status": {"volumesInUse": ["b"], "volumesAttached": attached("b")}})).await.ok();
    assert_eq!(found["status"]["volumesInUse"], json!(["b"]));
    assert_eq!(found["status"]["volumesAttached"], attached("b"));
}

async fn h14_containers_merge_by_name(w: &World) {
    let mut body = pod("x");
    body["spec"]["containers"] = json!([{"name": "a", "image": "i:1"}, {"name": "b", "image": "i:1"}]);
    let (path, _) = make(w, &w.core("pods").await, &body).await;
    let found = w.strategic(&path, &json!({"spec": {"containers": [{"name": "b", "image": "i:2"}]}})).await.ok();
    let containers = found["spec"]["containers"].as_array().expect("containers");
    let images: Vec<_> = containers.iter().map(|container| (&container["name"], &container["image"])).collect();
    assert_eq!(images, [(&json!("a"), &json!("i:1")), (&json!("b"), &json!("i:2"))]);
}

/// Type and status of each condition.
fn conditions(object: &Value) -> Vec<(String, String)> {
    let conditions = object["status"]["conditions"].as_array().expect("conditions").iter();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    conditions.map(|condition| (text(&condition["type"]), text(&condition["status"]))).collect()
}

async fn h14b_conditions_merge_by_type(w: &World) {
    let paths = [
        make(w, &w.core("pods").await, &pod("x")).await.0,
        make(w, &w.core("persistentvolumeclaims").await, &claim("x")).await.0,
    ];
    for path in paths {
        let path = format!("{path}/status");
        let patch = |kind: &str, status: &str| json!({"status": {"conditions": [{"type": kind, "status": status}]}});
        w.strategic(&path, &patch("conf.example/A", "True")).await.ok();
        w.strategic(&path, &patch("conf.example/B", "True")).await.ok();
        let found = w.strategic(&path, &patch("conf.example/A", "False")).await.ok();
        let mut found = conditions(&found);
        found.retain(|(kind, _)| kind.starts_with("conf"));
        let expected = [("conf.example/B", "True"), ("conf.example/A", "False")];
        assert_eq!(found, expected.map(|(kind, status)| (kind.to_owned(), status.to_owned())), "{path}");
    }
}

async fn h14c_addresses_merge_by_type(w: &World) {
    let path = make_node(w).await;
    let patch = |kind: &str, address: &str| json!({"status": {"addresses": [{"type": kind, "address": address}]}});
    w.strategic(&path, &patch("InternalIP", "10.0.0.1")).await.ok();
    w.strategic(&path, &patch("Hostname", "h")).await.ok();
    let found = w.strategic(&path, &patch("InternalIP", "10.0.0.2")).await.ok();
    let expected = json!([{"type": "Hostname", "address": "h"}, {"type": "InternalIP", "address": "10.0.0.2"}]);
    assert_eq!(found["status"]["addresses"], expected);
}

async fn h14d_owners_merge_by_uid(w: &World) {
    let (path, _) = w.config_map("x").await;
    // Owners that are there, or the garbage collector would remove what they own.
    let (_, one) = w.config_map("one").await;
    let (_, two) = w.config_map("two").await;
    let owner = |of: &Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": of["metadata"]["name"], "uid": of["metadata"]["uid"]});
    w.strategic(&path, &json!({"metadata": {"ownerReferences": [owner(&one)]}})).await.ok();
    w.strategic(&path, &json!({"metadata": {"ownerReferences": [owner(&two)]}})).await.ok();
    let patch = json!({"metadata": {"ownerReferences": [{"uid": one["metadata"]["uid"], "controller": true}]}});
    let found = w.strategic(&path, &patch).await.ok();
    let mut controller = owner(&one);
    controller["controller"] = true.into();
    assert_eq!(found["metadata"]["ownerReferences"], json!([owner(&two), controller]));
}

async fn h14e_finalizers_are_a_set(w: &World) {
    let (path, _) = w.config_map("x").await;
    let patch = |names: &[&str]| json!({"metadata": {"finalizers": names}});
    w.strategic(&path, &patch(&["conf.example/a"])).await.ok();
    let found = w.strategic(&path, &patch(&["conf.example/b"])).await.ok();
    assert_eq!(found["metadata"]["finalizers"], json!(["conf.example/b", "conf.example/a"]));
    assert_eq!(w.strategic(&path, &patch(&["conf.example/a"])).await.ok(), found);
}

async fn h14f_drivers_of_a_node_merge_by_name(w: &World) {
    let (path, made) = make(w, &format!("{STORAGE}/csinodes"), &csi_node(&w.name(""))).await;
    let second = json!({"name": "e.example", "nodeID": "n", "topologyKeys": null});
    let found = w.strategic(&path, &json!({"spec": {"drivers": [second]}})).await.ok();
    assert_eq!(found["spec"]["drivers"], json!([second, made["spec"]["drivers"][0]]));
}

async fn h14g_secrets_of_an_account_merge_by_name(w: &World) {
    let body = json!({"metadata": {"name": "x"}, "secrets": [{"name": "a"}]});
    let (path, _) = make(w, &w.core("serviceaccounts").await, &body).await;
    let found = w.strategic(&path, &json!({"secrets": [{"name": "b"}]})).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "b"}, {"name": "a"}]));
    let found = w.strategic(&path, &json!({"secrets": [{"$patch": "delete", "name": "a"}]})).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "b"}]));
}

async fn h14h_tolerations_are_replaced(w: &World) {
    let (path, made) = make(w, &w.core("pods").await, &pod("x")).await;
    let more = json!({"key": "conf.example/t", "operator": "Exists"});
    let found = w.strategic(&path, &json!({"spec": {"tolerations": [more]}})).await.ok();
    let usual = made["spec"]["tolerations"].as_array().expect("tolerations");
    assert_eq!(found["spec"]["tolerations"], json!([more, usual[0], usual[1]]));
}

async fn h14i_annotations_merge_by_key(w: &World) {
    let (path, _) = w.config_map("x").await;
    for kind in [MERGE, STRATEGIC] {
        send(w, &path, kind, "{\"metadata\":{\"annotations\":{\"a\":\"1\"}}}").await.ok();
        let found = send(w, &path, kind, "{\"metadata\":{\"annotations\":{\"b\":\"1\"}}}").await.ok();
        assert_eq!(found["metadata"]["annotations"], json!({"a": "1", "b": "1"}));
        let found = send(w, &path, kind, "{\"metadata\":{\"annotations\":{\"a\":null,\"b\":null}}}").await.ok();
        assert_eq!(found["metadata"].get("annotations"), None);
    }
}

/// An account with the secrets a and b.
async fn account(w: &World) -> String {
    let body = json!({"metadata": {"name": "x"}, "secrets": [{"name": "a"}, {"name": "b"}]});
    make(w, &w.core("serviceaccounts").await, &body).await.0
}

async fn h15_new_elements_come_first(w: &World) {
    let path = account(w).await;
    let found = w.strategic(&path, &json!({"secrets": [{"name": "c"}, {"name": "b"}, {"name": "d"}]})).await.ok();
    let names: Vec<_> = found["secrets"].as_array().expect("secrets").iter().map(|secret| &secret["name"]).collect();
    assert_eq!(names, ["c", "a", "b", "d"]);
}

async fn h15b_the_order_can_be_said(w: &World) {
    let path = account(w).await;
    let order = json!([{"name": "b"}, {"name": "a"}, {"name": "c"}]);
    let found = w.strategic(&path, &json!({"$setElementOrder/secrets": order, "secrets": [{"name": "c"}]})).await.ok();
    assert_eq!(found["secrets"], order);
}

async fn h15c_the_order_has_to_be_that_of_the_patch(w: &World) {
    let path = account(w).await;
    let patch = json!({
        "$setElementOrder/secrets": [{"name": "c"}, {"name": "d"}], "secrets": [{"name": "d"}, {"name": "c"}],
    });
    let parts = ["The order in patch list:", "doesn't match $setElementOrder list:"];
    w.strategic(&path, &patch).await.refused_with(500, "", &parts);
}

async fn h16_an_element_can_be_taken_away(w: &World) {
    let path = account(w).await;
    let found = w.strategic(&path, &json!({"secrets": [{"$patch": "delete", "name": "a"}]})).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "b"}]));
}

async fn h16b_a_map_can_be_replaced_whole(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = w.strategic(&path, &json!({"data": {"$patch": "replace", "b": "1"}})).await.ok();
    assert_eq!(found["data"], json!({"b": "1"}));
    let found = w.strategic(&path, &json!({"data": {"$patch": "delete"}})).await.ok();
    assert_eq!(found.get("data"), None);
}

async fn h16c_values_can_be_taken_from_a_set(w: &World) {
    let (path, _) = w.config_map("x").await;
    w.merge(&path, &json!({"metadata": {"finalizers": ["conf.example/a", "conf.example/b"]}})).await.ok();
    let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["conf.example/a"]}});
    assert_eq!(w.strategic(&path, &patch).await.ok()["metadata"]["finalizers"], json!(["conf.example/b"]));
}

async fn h16d_keys_that_stay_can_be_named(w: &World) {
    let (path, _) = w.config_map("x").await;
    w.merge(&path, &json!({"data": {"b": "1", "c": "1"}})).await.ok();
    let found = w.strategic(&path, &json!({"data": {"$retainKeys": ["b", "d"], "d": "1"}})).await.ok();
    assert_eq!(found["data"], json!({"b": "1", "d": "1"}));
}

async fn h16e_an_unknown_directive_is_refused(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.strategic(&path, &json!({"data": {"$patch": "foo"}})).await;
    reply.refused(500, "", "unknown patch type: foo in map: map[$patch:foo]");
}

async fn h16f_an_unknown_instruction_is_an_unknown_field(w: &World) {
    let (path, made) = w.config_map("x").await;
    let reply = w.strategic(&path, &json!({"$foo": "1"})).await;
    assert_eq!((reply.ok(), reply.warnings()), (made, vec!["unknown field \"$foo\"".to_owned()]));
}

async fn h17_an_element_has_its_key(w: &World) {
    let (path, _) = make(w, &w.core("pods").await, &pod("x")).await;
    let reply = w.strategic(&path, &json!({"spec": {"containers": [{"image": "busybox:3"}]}})).await;
    reply.refused(500, "", "map: map[image:busybox:3] does not contain declared merge key: name");
}

async fn h17b_a_strategic_patch_is_json(w: &World) {
    let (path, _) = w.config_map("x").await;
    send(w, &path, STRATEGIC, "{").await.bad_request("unexpected end of JSON input");
}

async fn h17c_a_map_stays_a_map(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.strategic(&path, &json!({"metadata": {"labels": "x"}})).await;
    let message = " \"\" is invalid: patch: Invalid value: \"map[metadata:map[labels:x]]\": cannot restore map from string";
    reply.refused(422, "Invalid", message);
}

async fn h18_a_dry_run_stores_nothing(w: &World) {
    let (path, made) = w.config_map("x").await;
    let dry = format!("{path}?dryRun=All");
    for reply in [
        w.json_patch(&dry, &json!([{"op": "replace", "path": "/data/a", "value": "2"}])).await,
        w.merge(&dry, &json!({"data": {"a": "2"}})).await,
        w.strategic(&dry, &json!({"data": {"a": "2"}})).await,
    ] {
        let would_be = reply.ok();
        assert_eq!((&would_be["data"]["a"], version(&would_be)), (&json!("2"), version(&made)));
    }
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn h18b_a_dry_run_is_validated(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.merge(&format!("{path}?dryRun=All"), &json!({"metadata": {"labels": {"a": "a b"}}})).await;
    reply.refused_with(422, "Invalid", &["metadata.labels: Invalid value: \"a b\": "]);
}

async fn h2c_a_body_is_required(w: &World) {
    let (path, _) = w.config_map("x").await;
    for kind in [JSON_PATCH, MERGE] {
        send(w, &path, kind, "").await.bad_request("error decoding patch: unexpected end of JSON input");
    }
    send(w, &path, STRATEGIC, "").await.bad_request("unexpected end of JSON input");
}

/// A ConfigMap with the finalizers a, b, c.
async fn listed(w: &World, name: &str) -> String {
    let mut body = config_map(name);
    body["metadata"]["finalizers"] = json!(["conf.example/a", "conf.example/b", "conf.example/c"]);
    make(w, &w.core("configmaps").await, &body).await.0
}

/// Of [`listed`] after an operation.
async fn after(w: &World, name: &str, operation: Value) -> String {
    let found = w.json_patch(&listed(w, name).await, &json!([operation])).await.ok();
    let finalizers = found["metadata"]["finalizers"].as_array().expect("finalizers").iter();
    finalizers.map(|name| name.as_str().expect("a name").trim_start_matches("conf.example/")).collect()
}

async fn h3g_an_index_may_count_from_the_end(w: &World) {
    assert_eq!(after(w, "x", json!({"op": "remove", "path": "/metadata/finalizers/-1"})).await, "ab");
    assert_eq!(after(w, "y", json!({"op": "remove", "path": "/metadata/finalizers/01"})).await, "ac");
    let patch = json!([{"op": "remove", "path": "/metadata/finalizers/x"}]);
    does_not_apply(&w.json_patch(&listed(w, "z").await, &patch).await);
}

async fn h3h_an_element_can_be_added_behind_the_last(w: &World) {
    let add = |at: &str| json!({"op": "add", "path": format!("/metadata/finalizers/{at}"), "value": "conf.example/d"});
    assert_eq!(after(w, "x", add("3")).await, "abcd");
    assert_eq!(after(w, "y", add("-1")).await, "abcd");
    does_not_apply(&w.json_patch(&listed(w, "z").await, &json!([add("4")])).await);
}

async fn h3i_operations_are_objects_of_texts(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp";
    w.json_patch(&path, &json!([1])).await.bad_request(message);
    let message = "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string";
    w.json_patch(&path, &json!([{"op": 1, "path": "/data/a"}])).await.bad_request(message);
}

async fn h3j_a_json_patch_may_be_null(w: &World) {
    let (path, made) = w.config_map("x").await;
    assert_eq!(w.json_patch(&path, &Value::Null).await.ok(), made);
}

async fn h3k_a_value_may_be_absent_or_null(w: &World) {
    let (path, _) = w.config_map("x").await;
    let patch = json!([{"op": "add", "path": "/data/b"}, {"op": "add", "path": "/data/c", "value": null}]);
    assert_eq!(w.json_patch(&path, &patch).await.ok()["data"], json!({"a": "1", "b": "", "c": ""}));
    let patch = json!([{"op": "replace", "path": "/data/a", "value": null}]);
    assert_eq!(w.json_patch(&path, &patch).await.ok()["data"]["a"], "");
}

async fn h4c_a_text_has_no_keys(w: &World) {
    let (path, _) = w.config_map("x").await;
    does_not_apply(&w.json_patch(&path, &json!([{"op": "add", "path": "/data/a/b", "value": "1"}])).await);
    does_not_apply(&w.json_patch(&path, &json!([{"op": "test", "path": "", "value": {}}])).await);
}

async fn h4d_nothing_moves_into_itself(w: &World) {
    let (path, _) = w.config_map("x").await;
    does_not_apply(&w.json_patch(&path, &json!([{"op": "move", "from": "/data", "path": "/data/b"}])).await);
}

async fn h4e_of_a_key_said_twice_the_last_counts(w: &World) {
    let (path, _) = w.config_map("x").await;
    let body = "[{\"op\":\"add\",\"op\":\"test\",\"path\":\"/data/a\",\"value\":\"7\"}]";
    does_not_apply(&send(w, &path, JSON_PATCH, body).await);
}

async fn h6c_a_version_is_a_number(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.merge(&path, &json!({"metadata": {"resourceVersion": "abc"}})).await;
    reply.refused(500, "", "strconv.ParseUint: parsing \"abc\": invalid syntax");
}

async fn h6d_a_uid_can_be_a_precondition(w: &World) {
    let (path, made) = w.config_map("x").await;
    let patch = json!({"metadata": {"uid": made["metadata"]["uid"]}, "data": {"a": "2"}});
    assert_eq!(w.merge(&path, &patch).await.ok()["data"]["a"], "2");
}

async fn h6e_zero_is_no_version(w: &World) {
    let (path, _) = w.config_map("x").await;
    let patch = json!({"metadata": {"resourceVersion": "0"}, "data": {"a": "2"}});
    assert_eq!(w.merge(&path, &patch).await.ok()["data"]["a"], "2");
}

async fn h8d_a_message_shows_a_cause_once(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "ConfigMap \"x\" is invalid: metadata.uid: Invalid value: \"5\": field is immutable";
    let cause = json!({
        "reason": "FieldValueInvalid", "message": "Invalid value: \"5\": field is immutable", "field": "metadata.uid",
    });
    let patch = json!({"metadata": {"uid": "5"}});
    for reply in [w.merge(&path, &patch).await, w.strategic(&path, &patch).await] {
        let details = reply.refused(422, "Invalid", message);
        // A kube-apiserver lists it several times here.
        let causes = details["causes"].as_array().expect("causes");
        assert!(!causes.is_empty() && causes.iter().all(|found| *found == cause), "{details}");
    }
}

async fn h8e_what_the_server_says_stays(w: &World) {
    let (path, made) = w.config_map("x").await;
    for metadata in [
        json!({"creationTimestamp": "2001-01-01T00:00:00Z"}),
        json!({"creationTimestamp": null, "uid": null}),
        json!({"namespace": null}),
    ] {
        assert_eq!(w.merge(&path, &json!({"metadata": metadata})).await.ok(), made);
    }
    assert_eq!(w.merge(&path, &json!({"kind": null})).await.ok(), made);
}

async fn h8f_a_name_is_required(w: &World) {
    let (path, _) = w.config_map("u").await;
    let message = "the name of the object (u based on URL) was undeterminable: name must be provided";
    w.merge(&path, &json!({"metadata": {"name": null}})).await.bad_request(message);
    w.merge(&path, &json!({"metadata": null})).await.bad_request(message);
    w.json_patch(&path, &json!([{"op": "remove", "path": "/metadata"}])).await.bad_request(message);
    w.strategic(&path, &json!({"$patch": "delete"})).await.bad_request(message);
    let whole = json!({"apiVersion": "v1", "kind": "ConfigMap"});
    w.json_patch(&path, &json!([{"op": "replace", "path": "", "value": whole}])).await.bad_request(message);
}

async fn h8g_a_patch_does_not_delete(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.merge(&path, &json!({"metadata": {"deletionTimestamp": "2030-01-01T00:00:00Z"}})).await;
    let message = "Invalid value: \"2030-01-01T00:00:00Z\": field is immutable";
    reply.invalid_with("metadata.deletionTimestamp", "Invalid", message);
}

async fn h8h_owners_of_fields_can_be_cleared(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = w.merge(&path, &json!({"metadata": {"managedFields": [{}]}})).await.ok();
    assert_eq!(found["metadata"].get("managedFields"), None);
}

async fn h9e_a_merge_patch_is_not_null(w: &World) {
    let (path, made) = w.config_map("x").await;
    w.merge(&path, &Value::Null).await.bad_request("Invalid JSON Patch");
    assert_eq!(w.strategic(&path, &Value::Null).await.ok(), made);
}

async fn h9f_a_merge_patch_is_json(w: &World) {
    let (path, _) = w.config_map("x").await;
    send(w, &path, MERGE, "{").await.bad_request("error decoding patch: unexpected end of JSON input");
}

async fn h9g_null_adds_nothing(w: &World) {
    let (path, made) = w.config_map("x").await;
    let patch = json!({"metadata": {"annotations": {"a": null}}});
    assert_eq!(w.merge(&path, &patch).await.ok(), made);
    assert_eq!(w.strategic(&path, &patch).await.ok(), made);
}

async fn h10c_the_version_is_a_known_one(w: &World) {
    let (path, _) = w.config_map("x").await;
    let end = ": no kind \"ConfigMap\" is registered for version \"v2\" in scheme \"pkg/runtime/scheme.go:111\"";
    does_not_decode(&w.merge(&path, &json!({"apiVersion": "v2"})).await, end);
}

/// 422 of a strategic patch, which is shown as Go prints it.
#[track_caller]
fn does_not_fit(reply: &Reply, message: &str) {
    let details = reply.refused(422, "Invalid", &format!(" \"\" is invalid: patch: {message}"));
    let cause = json!({"reason": "FieldValueInvalid", "message": message, "field": "patch"});
    assert_eq!(details, json!({"causes": [cause]}));
}

async fn h10d_a_strategic_patch_is_shown_alone(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "Invalid value: \"map[data:map[a:1]]\": cannot convert int64 to string";
    does_not_fit(&w.strategic(&path, &json!({"data": {"a": 1}})).await, message);
    let message = "Invalid value: \"map[metadata:map[resourceVersion:1]]\": cannot convert int64 to string";
    does_not_fit(&w.strategic(&path, &json!({"metadata": {"resourceVersion": 1}})).await, message);
    let message = "Invalid value: \"map[foo:1]\": strict decoding error: unknown field \"foo\"";
    does_not_fit(&w.strategic(&format!("{path}?fieldValidation=Strict"), &json!({"foo": 1})).await, message);
}

async fn h11d_of_duplicate_keys_the_last_counts(w: &World) {
    let (path, _) = w.config_map("x").await;
    for (kind, last) in [(MERGE, "3"), (STRATEGIC, "4")] {
        let body = format!("{{\"data\":{{\"a\":\"2\",\"a\":\"{last}\"}}}}");
        let reply = send(w, &path, kind, &body).await;
        assert_eq!((&reply.ok()["data"]["a"], reply.warnings()), (&json!(last), vec!["duplicate field \"data.a\"".to_owned()]));
    }
}

async fn h11e_duplicate_keys_are_refused_if_asked(w: &World) {
    let (path, _) = w.config_map("x").await;
    let body = "{\"data\":{\"a\":\"2\",\"a\":\"3\"}}";
    let reply = send(w, &format!("{path}?fieldValidation=Strict"), MERGE, body).await;
    does_not_decode(&reply, ": strict decoding error: duplicate field \"data.a\"");
}

async fn h11f_a_path_without_a_slash_loses_its_first_part(w: &World) {
    let (path, made) = w.config_map("x").await;
    let reply = w.json_patch(&path, &json!([{"op": "add", "path": "data/b", "value": "1"}])).await;
    assert_eq!((reply.ok(), reply.warnings()), (made, vec!["unknown field \"b\"".to_owned()]));
}

async fn h14j_pull_secrets_of_an_account_are_replaced(w: &World) {
    let body = json!({"metadata": {"name": "x"}, "imagePullSecrets": [{"name": "a"}]});
    let (path, _) = make(w, &w.core("serviceaccounts").await, &body).await;
    let found = w.strategic(&path, &json!({"imagePullSecrets": [{"name": "b"}]})).await.ok();
    assert_eq!(found["imagePullSecrets"], json!([{"name": "b"}]));
}

async fn h15d_the_order_alone_sorts(w: &World) {
    let path = account(w).await;
    let found = w.strategic(&path, &json!({"$setElementOrder/secrets": [{"name": "b"}, {"name": "a"}]})).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "b"}, {"name": "a"}]));
    let patch = json!({"$setElementOrder/secrets": [{"name": "a"}, {"name": "c"}], "secrets": [{"name": "c"}]});
    let found = w.strategic(&path, &patch).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "b"}, {"name": "a"}, {"name": "c"}]));
}

async fn h15e_the_order_has_all_that_is_patched(w: &World) {
    let path = account(w).await;
    let patch = json!({"$setElementOrder/secrets": [{"name": "a"}], "secrets": [{"name": "c"}]});
    let message = "The order in patch list:\n[map[name:c]]\n doesn't match $setElementOrder list:\n[map[name:a]]\n";
    w.strategic(&path, &patch).await.refused(500, "", message);
}

async fn h15f_a_set_has_an_order_too(w: &World) {
    let order = json!(["conf.example/c", "conf.example/b", "conf.example/a"]);
    let patch = json!({"metadata": {"$setElementOrder/finalizers": order}});
    let found = w.strategic(&listed(w, "x").await, &patch).await.ok();
    assert_eq!(found["metadata"]["finalizers"], order);
}

async fn h16g_a_list_can_be_replaced_whole(w: &World) {
    let path = account(w).await;
    let found = w.strategic(&path, &json!({"secrets": [{"$patch": "replace"}, {"name": "z"}]})).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "z"}]));
    let found = w.strategic(&path, &json!({"secrets": [{"$patch": "replace", "name": "q"}, {"name": "y"}]})).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "y"}]));
}

async fn h16h_what_is_absent_can_be_taken_away(w: &World) {
    let path = account(w).await;
    let found = w.strategic(&path, &json!({"secrets": [{"$patch": "delete", "name": "q"}]})).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "a"}, {"name": "b"}]));
    let patch = json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["conf.example/q"]}});
    let found = w.strategic(&listed(w, "x").await, &patch).await.ok();
    assert_eq!(found["metadata"]["finalizers"].as_array().map(Vec::len), Some(3));
}

async fn h16i_directives_of_elements_are_checked(w: &World) {
    let path = account(w).await;
    for (element, message) in [
        (json!({"$patch": "merge", "name": "q"}), "merging lists cannot yet be specified in the patch"),
        (json!({"$patch": "foo", "name": "q"}), "unknown patch type: foo in map: map[$patch:foo name:q]"),
        (json!({"$patch": "delete"}), "map: map[$patch:delete] does not contain declared merge key: name"),
        (json!("x"), "list element types are not identical: [[map[name:a] map[name:b]] [x]]"),
    ] {
        w.strategic(&path, &json!({"secrets": [element]})).await.refused(500, "", message);
    }
}

async fn h16j_keys_that_stay_have_all_that_is_patched(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.strategic(&path, &json!({"data": {"$retainKeys": ["b"], "d": "1"}})).await;
    reply.bad_request("invalid patch format of retainKeys");
}

async fn h16k_a_list_can_be_taken_away_but_not_emptied(w: &World) {
    let path = account(w).await;
    let found = w.strategic(&path, &json!({"secrets": []})).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "a"}, {"name": "b"}]));
    assert_eq!(w.strategic(&path, &json!({"secrets": null})).await.ok().get("secrets"), None);
}

async fn h17d_a_list_stays_a_list(w: &World) {
    let message = "Invalid value: \"map[secrets:map[name:x]]\": cannot restore slice from map";
    does_not_fit(&w.strategic(&account(w).await, &json!({"secrets": {"name": "x"}})).await, message);
}

async fn h17e_a_strategic_patch_is_an_object(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "json: cannot unmarshal array into Go value of type map[string]interface {}";
    w.strategic(&path, &json!([])).await.bad_request(message);
}
