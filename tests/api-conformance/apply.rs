//! Server-side apply, and who owns which field. managedFields are compared whole, except their times.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    c20d_a_patch_is_recorded_too,
    c20e_a_manager_has_one_entry_per_operation,
    c20f_a_status_write_owns_nothing_of_the_spec,
    c21b_defaults_of_volumes_and_classes_are_recorded,
    c21c_keys_of_metadata_are_recorded_one_by_one,
    c21d_status_is_not_owned_by_a_write_that_ignores_it,
    c22b_what_nobody_tracked_stays_untracked,
    g8_owners_stay_if_a_put_does_not_name_them,
    g8b_owners_can_be_cleared,
    g8c_a_changed_field_changes_its_owner,
    g8d_an_owner_of_nothing_is_forgotten,
    g8e_a_removed_field_is_nobodys,
    g25_a_status_has_owners_of_its_own,
    g25b_a_status_can_be_applied,
    i1_an_apply_names_its_manager,
    i2_an_apply_creates_what_is_absent,
    i2b_an_apply_may_be_yaml,
    i2c_an_apply_has_one_content_type,
    i2d_an_apply_changes_what_is_there,
    i2e_a_custom_object_can_be_applied,
    i2f_yaml_is_of_version_1_1,
    i3_an_apply_is_recorded,
    i3b_the_same_apply_again_changes_nothing,
    i4_what_is_not_applied_any_more_is_removed,
    i4b_what_another_one_applies_too_stays,
    i4c_what_another_one_wrote_too_stays,
    i4d_who_applies_nothing_owns_nothing,
    i4e_an_element_that_is_not_applied_any_more_is_removed,
    i5_anothers_field_is_a_conflict,
    i5b_a_conflict_with_an_update_names_its_version,
    i5c_conflicts_are_listed_by_manager,
    i5d_several_conflicts_with_one_manager_are_listed,
    i5e_a_conflict_in_status_names_the_subresource,
    i5f_a_conflict_changes_nothing,
    i6_the_same_value_is_shared,
    i7_force_takes_a_field,
    i7b_who_loses_everything_is_forgotten,
    i8_ones_own_update_is_anothers,
    i9_a_kind_is_required,
    i9b_another_kind_is_refused,
    i9c_an_existing_name_may_be_left_out,
    i9d_a_new_name_may_not_be_left_out,
    i9e_another_name_is_refused,
    i10_owners_are_not_applied,
    i10b_an_old_version_is_a_conflict,
    i10c_a_version_means_nothing_to_a_new_object,
    i10d_another_uid_is_refused,
    i11_an_unknown_field_is_refused,
    i11b_another_type_is_refused,
    i11c_elements_with_one_key_are_refused,
    i11d_an_unknown_field_of_a_custom_object_is_refused,
    i12_of_duplicate_keys_the_last_counts,
    i12b_what_is_not_yaml_is_refused,
    i12c_duplicate_keys_are_named_with_their_lines,
    i13_elements_are_owned_by_their_keys,
    i13b_a_set_is_owned_by_its_values,
    i13c_a_custom_list_is_owned_as_its_schema_says,
    i14_what_was_there_before_has_an_owner,
    i14b_what_was_there_before_conflicts,
    i15_who_applies_comes_first,
    i16_nothing_is_applied_in_a_namespace_that_is_missing,
    i16b_a_dry_run_creates_nothing,
    i16c_a_dry_run_changes_nothing,
    n10_kubectl_takes_over_what_it_wrote,
}

/// An apply in the name of this manager.
fn apply_as<'w>(w: &'w World, manager: &str, path: &str, body: &Value) -> Call<'w> {
    w.apply(&with(path, &[("fieldManager", manager)]), body)
}

fn force_as<'w>(w: &'w World, manager: &str, path: &str, body: &Value) -> Call<'w> {
    w.apply(&with(path, &[("fieldManager", manager), ("force", "true")]), body)
}

/// A ConfigMap named x with this data.
fn data(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data})
}

/// Where that ConfigMap is.
async fn at(w: &World) -> String {
    format!("{}/x", w.core("configmaps").await)
}

/// managedFields without times.
#[track_caller]
fn owners(object: &Value) -> Value {
    let mut found = object["metadata"]["managedFields"].clone();
    for entry in found.as_array_mut().into_iter().flatten() {
        entry.as_object_mut().expect("an entry").remove("time");
    }
    found
}

fn entry(manager: &str, operation: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

/// Who applied this data, or wrote it with its parent.
fn applied(manager: &str, fields: Value) -> Value {
    entry(manager, "Apply", json!({"f:data": fields}))
}

fn wrote(manager: &str, fields: Value) -> Value {
    entry(manager, "Update", json!({"f:data": fields}))
}

fn conflict(manager: &str, field: &str) -> Value {
    json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": field})
}

async fn c20d_a_patch_is_recorded_too(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = w.merge(&with(&path, &[("fieldManager", "me")]), &json!({"data": {"b": "1"}})).await.ok();
    let first = wrote("conformance", json!({".": {}, "f:a": {}}));
    assert_eq!(owners(&found), json!([first, wrote("me", json!({"f:b": {}}))]));
}

async fn c20e_a_manager_has_one_entry_per_operation(w: &World) {
    let (path, _) = w.config_map("x").await;
    w.merge(&path, &json!({"data": {"b": "1"}})).await.ok();
    let found = w.json_patch(&path, &json!([{"op": "add", "path": "/data/c", "value": "1"}])).await.ok();
    assert_eq!(owners(&found), json!([wrote("conformance", json!({".": {}, "f:a": {}, "f:b": {}, "f:c": {}}))]));
}

async fn c20f_a_status_write_owns_nothing_of_the_spec(w: &World) {
    let path = format!("{}/status", some_attachment(w).await);
    let mut body = w.get(&path).await.ok();
    let before = owners(&body);
    body["spec"]["nodeName"] = "other".into();
    let found = w.put(&with(&path, &[("fieldManager", "other")]), &body).await.ok();
    assert_eq!((&found["spec"]["nodeName"], owners(&found)), (&json!("conf-nowhere"), before));
}

async fn c21b_defaults_of_volumes_and_classes_are_recorded(w: &World) {
    let name = w.name("");
    let made = w.post("/api/v1/persistentvolumes", &volume(&name)).await.made();
    let fields = json!({"f:spec": {
        "f:accessModes": {}, "f:capacity": {".": {}, "f:storage": {}},
        "f:csi": {".": {}, "f:driver": {}, "f:volumeHandle": {}},
        "f:persistentVolumeReclaimPolicy": {}, "f:storageClassName": {}, "f:volumeMode": {},
    }});
    assert_eq!(owners(&made), json!([entry("conformance", "Update", fields)]));
    let made = w.post(&format!("{STORAGE}/storageclasses"), &storage_class(&name)).await.made();
    let mut expected =
        entry("conformance", "Update", json!({"f:provisioner": {}, "f:reclaimPolicy": {}, "f:volumeBindingMode": {}}));
    expected["apiVersion"] = "storage.k8s.io/v1".into();
    assert_eq!(owners(&made), json!([expected]));
}

async fn c21c_keys_of_metadata_are_recorded_one_by_one(w: &World) {
    let owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "self", "uid": "u"});
    let body = json!({"metadata": {
        "name": "x", "labels": {"a": "1"}, "annotations": {"b": "2"}, "finalizers": ["x.io/f"], "ownerReferences": [owner],
    }});
    let made = w.post(&w.core("configmaps").await, &body).await.made();
    let fields = json!({"f:metadata": {
        "f:annotations": {".": {}, "f:b": {}}, "f:finalizers": {".": {}, "v:\"x.io/f\"": {}}, "f:labels": {".": {}, "f:a": {}},
        "f:ownerReferences": {".": {}, "k:{\"uid\":\"u\"}": {}},
    }});
    assert_eq!(owners(&made), json!([entry("conformance", "Update", fields)]));
}

async fn c21d_status_is_not_owned_by_a_write_that_ignores_it(w: &World) {
    let mut body = claim("x");
    body["status"] = json!({"phase": "Lost"});
    let made = w.post(&w.core("persistentvolumeclaims").await, &body).await.made();
    assert_eq!(made["status"]["phase"], "Pending");
    assert_eq!(made["metadata"]["managedFields"].as_array().map(Vec::len), Some(1));
    assert_eq!(made["metadata"]["managedFields"][0]["fieldsV1"].get("f:status"), None);
}

async fn c22b_what_nobody_tracked_stays_untracked(w: &World) {
    w.post(&w.core("configmaps").await, &json!({"metadata": {"name": "x"}})).await.made();
    let found = w.merge(&at(w).await, &json!({"data": {"a": "1"}})).await.ok();
    assert_eq!(found["metadata"].get("managedFields"), None);
}

async fn g8_owners_stay_if_a_put_does_not_name_them(w: &World) {
    let (path, made) = w.config_map("x").await;
    let found = w.put(&with(&path, &[("fieldManager", "other")]), &config_map("x")).await.ok();
    assert_eq!(found["metadata"]["managedFields"], made["metadata"]["managedFields"]);
    assert_eq!(version(&found), version(&made));
}

async fn g8b_owners_can_be_cleared(w: &World) {
    let (path, _) = w.config_map("x").await;
    let mut body = config_map("x");
    body["metadata"]["managedFields"] = json!([{}]);
    let found = w.put(&path, &body).await.ok();
    assert_eq!(found["metadata"].get("managedFields"), None);
}

async fn g8c_a_changed_field_changes_its_owner(w: &World) {
    let (path, _) = w.config_map("x").await;
    let mut body = config_map("x");
    body["data"] = json!({"a": "2", "b": "1"});
    let found = w.put(&with(&path, &[("fieldManager", "other")]), &body).await.ok();
    // The parent stays with who made it.
    assert_eq!(owners(&found), json!([wrote("conformance", json!({})), wrote("other", json!({"f:a": {}, "f:b": {}}))]));
}

async fn g8d_an_owner_of_nothing_is_forgotten(w: &World) {
    let collection = w.core("configmaps").await;
    w.post(&with(&collection, &[("fieldManager", "first")]), &config_map("x")).await.made();
    let path = format!("{collection}/x");
    w.merge(&with(&path, &[("fieldManager", "second")]), &json!({"data": {"b": "1"}})).await.ok();
    let found = w.merge(&with(&path, &[("fieldManager", "third")]), &json!({"data": {"b": "2"}})).await.ok();
    let expected = json!([wrote("first", json!({".": {}, "f:a": {}})), wrote("third", json!({"f:b": {}}))]);
    assert_eq!(owners(&found), expected);
}

async fn g8e_a_removed_field_is_nobodys(w: &World) {
    let (path, _) = w.config_map("x").await;
    w.merge(&with(&path, &[("fieldManager", "me")]), &json!({"data": {"b": "1"}})).await.ok();
    let found = w.merge(&with(&path, &[("fieldManager", "other")]), &json!({"data": {"b": null}})).await.ok();
    assert_eq!(owners(&found), json!([wrote("conformance", json!({".": {}, "f:a": {}}))]));
}

/// An attachment, which no controller writes to.
async fn some_attachment(w: &World) -> String {
    let name = w.name("");
    w.post(&format!("{STORAGE}/volumeattachments"), &attachment(&name)).await.made();
    format!("{STORAGE}/volumeattachments/{name}")
}

async fn g25_a_status_has_owners_of_its_own(w: &World) {
    let path = some_attachment(w).await;
    let found = w.merge(&format!("{path}/status"), &json!({"status": {"attached": true}})).await.ok();
    let spec = json!({"f:spec": {"f:attacher": {}, "f:nodeName": {}, "f:source": {"f:persistentVolumeName": {}}}});
    let mut first = entry("conformance", "Update", spec);
    let mut second = entry("conformance", "Update", json!({"f:status": {"f:attached": {}}}));
    first["apiVersion"] = "storage.k8s.io/v1".into();
    second["apiVersion"] = "storage.k8s.io/v1".into();
    second["subresource"] = "status".into();
    assert_eq!(owners(&found), json!([first, second]));
}

async fn g25b_a_status_can_be_applied(w: &World) {
    let path = some_attachment(w).await;
    let name = w.name("");
    let body = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": name},
        "status": {"attached": true, "attachmentMetadata": {"a": "1"}},
    });
    let found = apply_as(w, "me", &format!("{path}/status"), &body).await.ok();
    let fields = json!({"f:status": {"f:attached": {}, "f:attachmentMetadata": {"f:a": {}}}});
    let mut expected = entry("me", "Apply", fields);
    expected["apiVersion"] = "storage.k8s.io/v1".into();
    expected["subresource"] = "status".into();
    assert_eq!(owners(&found)[0], expected);
    assert_eq!(found["status"]["attached"], true);
}

async fn i1_an_apply_names_its_manager(w: &World) {
    let message = "Required value: is required for apply patch";
    let reply = w.apply(&at(w).await, &data(json!({"a": "1"}))).await;
    reply.invalid("PatchOptions.meta.k8s.io", "", &[("fieldManager", "Required", message)]);
}

async fn i2_an_apply_creates_what_is_absent(w: &World) {
    let path = at(w).await;
    let made = apply_as(w, "m", &path, &data(json!({"a": "1"}))).await.made();
    includes(&made, &json!({"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}));
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn i2b_an_apply_may_be_yaml(w: &World) {
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  c: 'no'\n  b: |\n    text\n";
    assert_eq!(apply_text(w, yaml).await.made()["data"], json!({"c": "no", "b": "text\n"}));
}

async fn i2f_yaml_is_of_version_1_1(w: &World) {
    let reply = apply_text(w, "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {y: '1'}}").await;
    let key = if w.is_exception() { "y" } else { "true" };
    assert_eq!(reply.made()["data"], json!({key: "1"}));
}

async fn i2c_an_apply_has_one_content_type(w: &World) {
    let path = with(&at(w).await, &[("fieldManager", "m")]);
    let body = data(json!({"a": "1"})).to_string();
    let reply = w.call("PATCH", &path).content_type("application/apply-patch+json").body(body).await;
    reply.refused(415, "UnsupportedMediaType", "415: Unsupported Media Type");
}

async fn i2d_an_apply_changes_what_is_there(w: &World) {
    let path = at(w).await;
    let made = apply_as(w, "m", &path, &data(json!({"a": "1"}))).await.made();
    let found = apply_as(w, "m", &path, &data(json!({"a": "2"}))).await.ok();
    assert_eq!(found["data"], json!({"a": "2"}));
    assert_ne!(version(&found), version(&made));
}

async fn i2e_a_custom_object_can_be_applied(w: &World) {
    let kind = CustomKind::new(w, "Thing").make(w).await;
    let path = format!("{}/x", kind.collection(w).await);
    let body = kind.object("x", json!({"a": {"b": 1}, "c": [1, 2]}));
    let made = apply_as(w, "m", &path, &body).await.made();
    let mut expected = entry("m", "Apply", json!({"f:spec": {"f:a": {".": {}, "f:b": {}}, "f:c": {}}}));
    expected["apiVersion"] = kind.api_version().into();
    assert_eq!(owners(&made), json!([expected]));
    let again = apply_as(w, "m", &path, &body).await.ok();
    assert_eq!(again, made);
    let less = apply_as(w, "m", &path, &kind.object("x", json!({"c": [1]}))).await.ok();
    assert_eq!(less["spec"], json!({"c": [1]}));
}

async fn i3_an_apply_is_recorded(w: &World) {
    let made = apply_as(w, "m", &at(w).await, &data(json!({"a": "1"}))).await.made();
    let mut expected = applied("m", json!({"f:a": {}}));
    expected["time"] = made["metadata"]["creationTimestamp"].clone();
    assert_eq!(made["metadata"]["managedFields"], json!([expected]));
}

async fn i3b_the_same_apply_again_changes_nothing(w: &World) {
    let path = at(w).await;
    let made = apply_as(w, "m", &path, &data(json!({"a": "1"}))).await.made();
    // A second later its time would be another.
    let collection = w.core("configmaps").await;
    eventually("the next second", async || {
        let would = w.post(&format!("{collection}?dryRun=All"), &config_map("y")).await.made();
        (would["metadata"]["creationTimestamp"] != made["metadata"]["creationTimestamp"]).then_some(())
    })
    .await;
    assert_eq!(apply_as(w, "m", &path, &data(json!({"a": "1"}))).await.ok(), made);
}

async fn i4_what_is_not_applied_any_more_is_removed(w: &World) {
    let path = at(w).await;
    apply_as(w, "m", &path, &data(json!({"a": "1", "b": "1"}))).await.made();
    let found = apply_as(w, "m", &path, &data(json!({"a": "1"}))).await.ok();
    assert_eq!(found["data"], json!({"a": "1"}));
    assert_eq!(owners(&found), json!([applied("m", json!({"f:a": {}}))]));
}

async fn i4b_what_another_one_applies_too_stays(w: &World) {
    let path = at(w).await;
    apply_as(w, "m1", &path, &data(json!({"a": "1", "b": "1"}))).await.made();
    apply_as(w, "m2", &path, &data(json!({"b": "1"}))).await.ok();
    let found = apply_as(w, "m1", &path, &data(json!({"a": "1"}))).await.ok();
    assert_eq!(found["data"], json!({"a": "1", "b": "1"}));
    assert_eq!(owners(&found), json!([applied("m2", json!({"f:b": {}})), applied("m1", json!({"f:a": {}}))]));
}

async fn i4c_what_another_one_wrote_too_stays(w: &World) {
    let (path, _) = w.config_map("x").await;
    apply_as(w, "m", &path, &data(json!({"a": "1", "b": "1"}))).await.ok();
    let found = apply_as(w, "m", &path, &data(json!({"b": "1"}))).await.ok();
    assert_eq!(found["data"], json!({"a": "1", "b": "1"}));
    let expected = json!([applied("m", json!({"f:b": {}})), wrote("conformance", json!({".": {}, "f:a": {}}))]);
    assert_eq!(owners(&found), expected);
}

async fn i4d_who_applies_nothing_owns_nothing(w: &World) {
    let path = at(w).await;
    apply_as(w, "m1", &path, &data(json!({"a": "1"}))).await.made();
    apply_as(w, "m2", &path, &data(json!({"b": "1"}))).await.ok();
    let nothing = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
    let found = apply_as(w, "m2", &path, &nothing).await.ok();
    assert_eq!((&found["data"], owners(&found)), (&json!({"a": "1"}), json!([applied("m1", json!({"f:a": {}}))])));
    let found = apply_as(w, "m1", &path, &nothing).await.ok();
    assert_eq!((found.get("data"), found["metadata"].get("managedFields")), (None, None));
}

async fn i4e_an_element_that_is_not_applied_any_more_is_removed(w: &World) {
    let path = format!("{}/x", w.core("serviceaccounts").await);
    let body = |names: &[&str]| {
        let secrets: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"}, "secrets": secrets})
    };
    apply_as(w, "m1", &path, &body(&["a", "b"])).await.made();
    apply_as(w, "m2", &path, &body(&["c"])).await.ok();
    let found = apply_as(w, "m1", &path, &body(&["b"])).await.ok();
    assert_eq!(found["secrets"], json!([{"name": "b"}, {"name": "c"}]));
}

async fn i5_anothers_field_is_a_conflict(w: &World) {
    let path = at(w).await;
    apply_as(w, "m1", &path, &data(json!({"a": "1"}))).await.made();
    let reply = apply_as(w, "m2", &path, &data(json!({"a": "2"}))).await;
    let details = reply.refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"m1\": .data.a");
    assert_eq!(details, json!({"causes": [conflict("\"m1\"", ".data.a")]}));
}

async fn i5b_a_conflict_with_an_update_names_its_version(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = apply_as(w, "m", &path, &data(json!({"a": "2"}))).await;
    let message = "Apply failed with 1 conflict: conflict with \"conformance\" using v1: .data.a";
    let details = reply.refused(409, "Conflict", message);
    assert_eq!(details, json!({"causes": [conflict("\"conformance\" using v1", ".data.a")]}));
}

async fn i5c_conflicts_are_listed_by_manager(w: &World) {
    let path = at(w).await;
    apply_as(w, "m1", &path, &data(json!({"a": "1"}))).await.made();
    w.merge(&with(&path, &[("fieldManager", "up")]), &json!({"data": {"q": "1"}})).await.ok();
    let reply = apply_as(w, "m2", &path, &data(json!({"a": "2", "q": "2"}))).await;
    let message = "Apply failed with 2 conflicts: conflicts with \"m1\":\n- .data.a\nconflicts with \"up\" using v1:\n- .data.q";
    let mut details = reply.refused(409, "Conflict", message);
    // In any order.
    let causes = details["causes"].as_array_mut().expect("causes");
    causes.sort_by_key(|cause| cause["field"].to_string());
    assert_eq!(details, json!({"causes": [conflict("\"m1\"", ".data.a"), conflict("\"up\" using v1", ".data.q")]}));
}

async fn i5d_several_conflicts_with_one_manager_are_listed(w: &World) {
    let path = at(w).await;
    apply_as(w, "m1", &path, &data(json!({"a": "1", "b": "1"}))).await.made();
    let reply = apply_as(w, "m2", &path, &data(json!({"a": "2", "b": "2"}))).await;
    let message = "Apply failed with 2 conflicts: conflicts with \"m1\":\n- .data.a\n- .data.b";
    let details = reply.refused(409, "Conflict", message);
    assert_eq!(details, json!({"causes": [conflict("\"m1\"", ".data.a"), conflict("\"m1\"", ".data.b")]}));
}

async fn i5e_a_conflict_in_status_names_the_subresource(w: &World) {
    let path = format!("{}/status", some_attachment(w).await);
    w.merge(&with(&path, &[("fieldManager", "up")]), &json!({"status": {"attached": true}})).await.ok();
    let body = json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": w.name("")}, "status": {"attached": false},
    });
    let reply = apply_as(w, "m", &path, &body).await;
    let with_whom = "\"up\" with subresource \"status\" using storage.k8s.io/v1";
    let message = format!("Apply failed with 1 conflict: conflict with {with_whom}: .status.attached");
    let details = reply.refused(409, "Conflict", &message);
    assert_eq!(details, json!({"causes": [conflict(with_whom, ".status.attached")]}));
}

async fn i5f_a_conflict_changes_nothing(w: &World) {
    let path = at(w).await;
    let made = apply_as(w, "m1", &path, &data(json!({"a": "1"}))).await.made();
    apply_as(w, "m2", &path, &data(json!({"a": "2", "b": "2"}))).await.is(409);
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn i6_the_same_value_is_shared(w: &World) {
    let path = at(w).await;
    let made = apply_as(w, "m1", &path, &data(json!({"a": "1"}))).await.made();
    let found = apply_as(w, "m2", &path, &data(json!({"a": "1"}))).await.ok();
    assert_ne!(version(&found), version(&made));
    assert_eq!(owners(&found), json!([applied("m2", json!({"f:a": {}})), applied("m1", json!({"f:a": {}}))]));
    assert_eq!(found["metadata"]["managedFields"][0].get("time"), None, "the values are as they were");
    // Each of both may not change it alone.
    let reply = apply_as(w, "m2", &path, &data(json!({"a": "2"}))).await;
    reply.refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"m1\": .data.a");
}

async fn i7_force_takes_a_field(w: &World) {
    let path = at(w).await;
    apply_as(w, "m1", &path, &data(json!({"a": "1", "b": "1"}))).await.made();
    let found = force_as(w, "m2", &path, &data(json!({"a": "2"}))).await.ok();
    assert_eq!(found["data"], json!({"a": "2", "b": "1"}));
    let (one, two) = (applied("m1", json!({"f:b": {}})), applied("m2", json!({"f:a": {}})));
    let owners = owners(&found);
    assert!(owners == json!([one, two]) || owners == json!([two, one]), "{owners}");
}

async fn i7b_who_loses_everything_is_forgotten(w: &World) {
    let path = at(w).await;
    apply_as(w, "m1", &path, &data(json!({"a": "1"}))).await.made();
    let found = force_as(w, "m2", &path, &data(json!({"a": "2"}))).await.ok();
    assert_eq!(owners(&found), json!([applied("m2", json!({"f:a": {}}))]));
}

async fn i8_ones_own_update_is_anothers(w: &World) {
    let collection = w.core("configmaps").await;
    w.post(&with(&collection, &[("fieldManager", "m")]), &config_map("x")).await.made();
    let reply = apply_as(w, "m", &format!("{collection}/x"), &data(json!({"a": "2"}))).await;
    reply.refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"m\" using v1: .data.a");
}

async fn i9_a_kind_is_required(w: &World) {
    let reply = apply_as(w, "m", &at(w).await, &json!({"metadata": {"name": "x"}})).await;
    reply.bad_request("invalid object type: /, Kind=");
}

async fn i9b_another_kind_is_refused(w: &World) {
    let reply = apply_as(w, "m", &at(w).await, &secret("x")).await;
    reply.bad_request("invalid object type: /v1, Kind=Secret");
}

async fn i9c_an_existing_name_may_be_left_out(w: &World) {
    let (path, _) = w.config_map("x").await;
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"b": "1"}});
    let found = apply_as(w, "m", &path, &body).await.ok();
    includes(&found, &json!({"metadata": {"name": "x"}, "data": {"a": "1", "b": "1"}}));
}

async fn i9d_a_new_name_may_not_be_left_out(w: &World) {
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"b": "1"}});
    let reply = apply_as(w, "m", &at(w).await, &body).await;
    reply.bad_request("the name of the object (x based on URL) was undeterminable: name must be provided");
}

async fn i9e_another_name_is_refused(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = apply_as(w, "m", &path, &config_map("y")).await;
    reply.bad_request("the name of the object (y) does not match the name on the URL (x)");
}

async fn i10_owners_are_not_applied(w: &World) {
    let mut body = data(json!({"a": "1"}));
    for owners in [json!([]), json!([{"manager": "m", "operation": "Apply"}])] {
        body["metadata"]["managedFields"] = owners;
        apply_as(w, "m", &at(w).await, &body).await.bad_request("metadata.managedFields must be nil");
    }
}

async fn i10b_an_old_version_is_a_conflict(w: &World) {
    let (path, _) = w.config_map("x").await;
    let mut body = data(json!({"b": "1"}));
    body["metadata"]["resourceVersion"] = "1".into();
    apply_as(w, "m", &path, &body).await.modified_meanwhile("configmaps", "x");
}

async fn i10c_a_version_means_nothing_to_a_new_object(w: &World) {
    let mut body = data(json!({"a": "1"}));
    body["metadata"]["resourceVersion"] = "1".into();
    apply_as(w, "m", &at(w).await, &body).await.made();
}

async fn i10d_another_uid_is_refused(w: &World) {
    let (path, _) = w.config_map("x").await;
    let mut body = data(json!({"b": "1"}));
    body["metadata"]["uid"] = "5".into();
    let reply = apply_as(w, "m", &path, &body).await;
    reply.refused_with(422, "Invalid", &["metadata.uid: Invalid value: \"5\": field is immutable"]);
}

/// 500 without a reason, as every failure of a typed patch is answered.
#[track_caller]
fn untyped(reply: &Reply, what: &str) {
    reply.refused(500, "", &format!("failed to create typed patch object ({what}"));
}

async fn i11_an_unknown_field_is_refused(w: &World) {
    let path = at(w).await;
    let mut body = data(json!({"a": "1"}));
    body["foo"] = 1.into();
    for validation in ["Strict", "Ignore"] {
        let reply = apply_as(w, "m", &with(&path, &[("fieldValidation", validation)]), &body).await;
        untyped(&reply, "/x; /v1, Kind=ConfigMap): .foo: field not declared in schema");
    }
}

async fn i11b_another_type_is_refused(w: &World) {
    let mut body = data(json!({"a": 1}));
    let what = "/x; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}";
    untyped(&apply_as(w, "m", &at(w).await, &body).await, what);
    // The namespace is the body's own.
    body["metadata"]["namespace"] = w.namespace().await.into();
    untyped(&apply_as(w, "m", &at(w).await, &body).await, &format!("{}{what}", w.namespace().await));
}

async fn i11c_elements_with_one_key_are_refused(w: &World) {
    let path = format!("{}/x", w.core("pods").await);
    let mut body = pod("x");
    let container = body["spec"]["containers"][0].clone();
    body["spec"]["containers"] = json!([container, container]);
    let reply = apply_as(w, "m", &path, &body).await;
    untyped(&reply, "/x; /v1, Kind=Pod): .spec.containers: duplicate entries for key [name=\"c\"]");
}

async fn i11d_an_unknown_field_of_a_custom_object_is_refused(w: &World) {
    let kind = CustomKind::new(w, "Thing").spec(json!({"type": "object", "properties": {"a": {"type": "string"}}})).make(w).await;
    let path = format!("{}/x", kind.collection(w).await);
    let reply = apply_as(w, "m", &path, &kind.object("x", json!({"b": 1}))).await;
    let what = format!("/x; {}, Kind=Thing): .spec.b: field not declared in schema", kind.api_version());
    untyped(&reply, &what);
}

async fn apply_text(w: &World, text: &str) -> Reply {
    let path = with(&at(w).await, &[("fieldManager", "m")]);
    w.call("PATCH", &path).content_type("application/apply-patch+yaml").body(text).await
}

async fn i12_of_duplicate_keys_the_last_counts(w: &World) {
    let reply = apply_text(w, "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {k: '1', k: '2'}}").await;
    assert_eq!(reply.made()["data"], json!({"k": "2"}));
    assert_eq!(reply.warnings(), ["line 1: key \"k\" already set in map"]);
}

async fn i12c_duplicate_keys_are_named_with_their_lines(w: &World) {
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\ndata:\n  k: '1'\n  l: '1'\n  k: '2'\n  l: '2'\n";
    let reply = apply_text(w, yaml).await;
    assert_eq!(reply.made()["data"], json!({"k": "2", "l": "2"}));
    assert_eq!(reply.warnings(), ["line 8: key \"k\" already set in map", "line 9: key \"l\" already set in map"]);
    let json = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"k":"3","k":"4"}}"#;
    let reply = apply_text(w, json).await;
    assert_eq!(
        (&reply.ok()["data"], reply.warnings()),
        (&json!({"k": "4"}), vec!["line 1: key \"k\" already set in map".to_owned()])
    );
}

async fn i12b_what_is_not_yaml_is_refused(w: &World) {
    let why = "error decoding YAML: error converting YAML to JSON: yaml: mapping values are not allowed in this context";
    apply_text(w, "a: b: c").await.bad_request(why);
}

async fn i13_elements_are_owned_by_their_keys(w: &World) {
    let mut body = pod("x");
    body["spec"]["containers"][0]["ports"] = json!([{"containerPort": 80}]);
    body["spec"]["containers"][0]["env"] = json!([{"name": "E", "value": "1"}]);
    let made = apply_as(w, "m", &format!("{}/x", w.core("pods").await), &body).await.made();
    let fields = json!({"f:spec": {
        "f:schedulerName": {},
        "f:containers": {"k:{\"name\":\"c\"}": {
            ".": {}, "f:name": {}, "f:image": {},
            "f:env": {"k:{\"name\":\"E\"}": {".": {}, "f:name": {}, "f:value": {}}},
            "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}},
        }},
    }});
    assert_eq!(owners(&made)[0], entry("m", "Apply", fields));
}

async fn i13b_a_set_is_owned_by_its_values(w: &World) {
    let path = at(w).await;
    let body =
        |finalizers: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "finalizers": finalizers}});
    apply_as(w, "m1", &path, &body(json!(["x.io/a"]))).await.made();
    let found = apply_as(w, "m2", &path, &body(json!(["x.io/b"]))).await.ok();
    assert_eq!(found["metadata"]["finalizers"], json!(["x.io/a", "x.io/b"]));
    let set = |manager: &str, value: &str| {
        let mut fields = json!({"f:metadata": {"f:finalizers": {}}});
        fields["f:metadata"]["f:finalizers"][format!("v:\"{value}\"")] = json!({});
        entry(manager, "Apply", fields)
    };
    assert_eq!(owners(&found), json!([set("m1", "x.io/a"), set("m2", "x.io/b")]));
    let found = apply_as(w, "m1", &path, &body(json!([]))).await.ok();
    assert_eq!(found["metadata"]["finalizers"], json!(["x.io/b"]));
}

async fn i13c_a_custom_list_is_owned_as_its_schema_says(w: &World) {
    let item = json!({"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}, "v": {"type": "integer"}}});
    let schema = json!({"type": "object", "properties": {
        "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": item},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"}},
        "plain": {"type": "array", "items": {"type": "string"}},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": {"type": "string"}}},
    }});
    let kind = CustomKind::new(w, "Thing").spec(schema).make(w).await;
    let spec = json!({"map": [{"k": "a", "v": 1}], "set": [1, 2], "plain": ["p"], "whole": {"a": "1"}});
    let path = format!("{}/x", kind.collection(w).await);
    let made = apply_as(w, "m", &path, &kind.object("x", spec)).await.made();
    let fields = json!({"f:spec": {
        "f:map": {"k:{\"k\":\"a\"}": {".": {}, "f:k": {}, "f:v": {}}}, "f:plain": {}, "f:set": {"v:1": {}, "v:2": {}}, "f:whole": {},
    }});
    assert_eq!(owners(&made)[0]["fieldsV1"], fields);
    let other = json!({"map": [{"k": "b", "v": 2}], "set": [3]});
    let found = apply_as(w, "n", &path, &kind.object("x", other)).await.ok();
    assert_eq!(
        (&found["spec"]["map"], &found["spec"]["set"]),
        (&json!([{"k": "a", "v": 1}, {"k": "b", "v": 2}]), &json!([1, 2, 3]))
    );
}

/// A ConfigMap with data whose owner nobody knows.
async fn untracked(w: &World) -> String {
    w.post(&w.core("configmaps").await, &json!({"metadata": {"name": "x"}})).await.made();
    w.merge(&at(w).await, &json!({"data": {"a": "1"}})).await.ok();
    at(w).await
}

async fn i14_what_was_there_before_has_an_owner(w: &World) {
    let path = untracked(w).await;
    let found = apply_as(w, "m", &path, &data(json!({"b": "1"}))).await.ok();
    let expected = json!([applied("m", json!({"f:b": {}})), wrote("before-first-apply", json!({".": {}, "f:a": {}}))]);
    assert_eq!(owners(&found), expected);
}

async fn i14b_what_was_there_before_conflicts(w: &World) {
    let path = untracked(w).await;
    let reply = apply_as(w, "m", &path, &data(json!({"a": "2"}))).await;
    reply.refused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"before-first-apply\" using v1: .data.a");
}

async fn i15_who_applies_comes_first(w: &World) {
    let collection = w.core("configmaps").await;
    w.post(&with(&collection, &[("fieldManager", "up1")]), &config_map("x")).await.made();
    let path = format!("{collection}/x");
    w.merge(&with(&path, &[("fieldManager", "up2")]), &json!({"data": {"b": "1"}})).await.ok();
    apply_as(w, "ap1", &path, &data(json!({"c": "1"}))).await.ok();
    let found = apply_as(w, "ap2", &path, &data(json!({"d": "1"}))).await.ok();
    let expected = json!([
        applied("ap1", json!({"f:c": {}})),
        applied("ap2", json!({"f:d": {}})),
        wrote("up1", json!({".": {}, "f:a": {}})),
        wrote("up2", json!({"f:b": {}})),
    ]);
    assert_eq!(owners(&found), expected);
}

async fn i16_nothing_is_applied_in_a_namespace_that_is_missing(w: &World) {
    let path = "/api/v1/namespaces/conf-missing/configmaps/x";
    apply_as(w, "m", path, &data(json!({"a": "1"}))).await.missing("namespaces", "conf-missing");
}

async fn i16b_a_dry_run_creates_nothing(w: &World) {
    let path = at(w).await;
    let would = apply_as(w, "m", &with(&path, &[("dryRun", "All")]), &data(json!({"a": "1"}))).await.made();
    assert_eq!((would["metadata"].get("resourceVersion"), owners(&would)), (None, json!([applied("m", json!({"f:a": {}}))])));
    w.get(&path).await.missing("configmaps", "x");
}

async fn i16c_a_dry_run_changes_nothing(w: &World) {
    let (path, made) = w.config_map("x").await;
    let would = apply_as(w, "m", &with(&path, &[("dryRun", "All")]), &data(json!({"b": "1"}))).await.ok();
    assert_eq!((version(&would), &would["data"]), (version(&made), &json!({"a": "1", "b": "1"})));
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn n10_kubectl_takes_over_what_it_wrote(w: &World) {
    const LAST: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let collection = w.core("configmaps").await;
    let path = format!("{collection}/x");
    let mut body = data(json!({"a": "1", "b": "1"}));
    body["metadata"]["annotations"] = json!({LAST: format!("{}\n", data(json!({"a": "1", "b": "1"})))});
    let csa = [("fieldManager", "kubectl-client-side-apply"), ("fieldValidation", "Strict")];
    w.post(&with(&collection, &csa), &body).await.made();
    let server_side = with(&path, &[("fieldValidation", "Strict")]);
    let found = apply_as(w, "kubectl", &server_side, &data(json!({"a": "1"}))).await.ok();
    let annotation = json!({"f:metadata": {"f:annotations": {".": {}, format!("f:{LAST}"): {}}}});
    let both = json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:metadata": annotation["f:metadata"]});
    let expected = json!([applied("kubectl", json!({"f:a": {}})), entry("kubectl-client-side-apply", "Update", both.clone())]);
    assert_eq!(owners(&found), expected);

    let mut last = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}});
    last["metadata"]["annotations"] = json!({LAST: found["metadata"]["annotations"][LAST]});
    let found = apply_as(w, "kubectl-last-applied", &server_side, &last).await.ok();
    // What it wrote becomes what it applied.
    let mut entries = found["metadata"]["managedFields"].clone();
    let entries = entries.as_array_mut().expect("entries");
    entries.retain(|entry| entry["manager"] != "kubectl-client-side-apply");
    let mine = entries.iter_mut().find(|entry| entry["manager"] == "kubectl").expect("kubectl's entry");
    mine["fieldsV1"] = both;
    let patch = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": entries},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version(&found)},
    ]);
    let found = w.json_patch(&path, &patch).await.ok();
    assert_eq!(owners(&found).as_array().map(Vec::len), Some(2), "{found}");
    let found = force_as(w, "kubectl", &server_side, &data(json!({"a": "1"}))).await.ok();
    assert_eq!(found["data"], json!({"a": "1"}), "what is not applied any more is gone");
    let annotation = json!({"f:metadata": {"f:annotations": {format!("f:{LAST}"): {}}}});
    let expected = json!([entry("kubectl-last-applied", "Apply", annotation), applied("kubectl", json!({"f:a": {}}))]);
    assert_eq!(owners(&found), expected);
}
