//! POST: what is true of every kind.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    c1_a_create_answers_with_what_was_stored,
    c2_versions_of_all_kinds_come_from_one_counter,
    c3_what_only_the_server_may_say_is_discarded,
    c3b_a_generation_that_no_kind_manages_is_kept,
    c4_a_version_must_not_be_sent,
    c4b_a_dry_run_does_not_mind_a_version,
    c5_a_name_is_generated_from_a_prefix,
    c5b_a_long_prefix_is_cut,
    c5c_a_name_wins_over_a_prefix,
    c6_a_name_is_required,
    c8_details_name_the_kind_or_the_resource,
    c9_a_name_is_a_subdomain,
    c9b_a_name_has_a_length,
    c10_a_bad_prefix_is_reported_twice,
    c12_an_existing_name_is_refused,
    c12b_an_existing_name_of_a_group_is_refused,
    c12c_a_name_that_is_still_being_deleted_is_refused,
    c13_another_namespace_in_the_body_is_refused,
    c13b_an_absent_namespace_is_filled_in,
    c13c_a_namespace_is_dropped_from_cluster_scoped_kinds,
    c14_nothing_is_created_in_a_namespace_that_is_missing,
    c14b_a_missing_namespace_is_empty,
    c16_unknown_fields_are_dropped_with_a_warning,
    c16b_unknown_fields_are_dropped_silently_if_asked,
    c16c_unknown_fields_are_refused_if_asked,
    c16d_an_unknown_subtree_is_named_once,
    c17_of_duplicate_keys_the_last_counts,
    c17b_duplicate_keys_are_refused_if_asked,
    c18_an_unknown_validation_is_refused,
    c19_a_dry_run_stores_nothing,
    c19b_an_unknown_dry_run_is_refused,
    c20_the_manager_of_the_fields_is_recorded,
    c20b_a_manager_without_a_name_is_its_user_agent,
    c20c_a_long_manager_is_refused,
    c21_defaults_that_the_client_owns_are_recorded,
    c22_who_says_nothing_owns_nothing,
    c23_label_keys_are_checked,
    c23b_label_values_are_checked,
    c23c_annotation_keys_are_checked,
    c24_finalizers_have_a_domain,
    c25_owners_have_a_name_and_a_uid,
    c25b_one_owner_is_the_controller,
    c25c_an_event_owns_nothing,
    c26_a_put_creates_leases_and_events,
    c26b_a_put_creates_nothing_else,
}

async fn c1_a_create_answers_with_what_was_stored(w: &World) {
    let collection = w.core("configmaps").await;
    let reply = w.post(&collection, &config_map("x")).await;
    let made = reply.made();
    includes(&made, &json!({"kind": "ConfigMap", "apiVersion": "v1", "data": {"a": "1"}}));
    includes(&made["metadata"], &json!({"name": "x", "namespace": w.namespace().await}));
    let uid = made["metadata"]["uid"].as_str().expect("a uid");
    assert!(uid.len() == 36 && uid.as_bytes()[14] == b'4', "a v4 UUID: {uid}");
    let time = made["metadata"]["creationTimestamp"].as_str().expect("a time");
    assert!(time.len() == 20 && time.ends_with('Z'), "whole seconds: {time}");
    assert!(version(&made).parse::<u64>().is_ok(), "a number: {}", version(&made));
    assert_eq!((reply.header("location"), made["metadata"].get("selfLink")), ("", None));
    assert_eq!(w.get(&format!("{collection}/x")).await.ok(), made);
}

async fn c2_versions_of_all_kinds_come_from_one_counter(w: &World) {
    let number = |object: &Value| version(object).parse::<u64>().expect("a number");
    let first = w.config_map("x").await.1;
    let second = w.post(&w.core("secrets").await, &secret("x")).await.made();
    let third = w.post(&format!("{STORAGE}/storageclasses"), &storage_class(&w.name("x"))).await.made();
    assert!(number(&first) < number(&second) && number(&second) < number(&third), "{first} {second} {third}");
}

async fn c3_what_only_the_server_may_say_is_discarded(w: &World) {
    let mut body = config_map("x");
    let said = json!({
        "name": "x", "uid": "u", "creationTimestamp": "2000-01-01T00:00:00Z", "selfLink": "/x", "deletionGracePeriodSeconds": 5,
        "deletionTimestamp": "2000-01-01T00:00:00Z", "managedFields": [{"manager": "other", "operation": "Update"}],
    });
    body["metadata"] = said.clone();
    let made = w.post(&w.core("configmaps").await, &body).await.made();
    for key in ["uid", "creationTimestamp", "managedFields"] {
        assert_ne!(made["metadata"][key], said[key], "{key}");
    }
    for key in ["selfLink", "deletionGracePeriodSeconds", "deletionTimestamp"] {
        assert_eq!(made["metadata"].get(key), None, "{key}");
    }
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "conformance");
}

async fn c3b_a_generation_that_no_kind_manages_is_kept(w: &World) {
    let mut body = config_map("x");
    body["metadata"]["generation"] = 7.into();
    assert_eq!(w.post(&w.core("configmaps").await, &body).await.made()["metadata"]["generation"], 7);
}

async fn c4_a_version_must_not_be_sent(w: &World) {
    let mut body = config_map("x");
    body["metadata"]["resourceVersion"] = "1".into();
    let reply = w.post(&w.core("configmaps").await, &body).await;
    reply.refused(500, "", "resourceVersion should not be set on objects to be created");
}

async fn c4b_a_dry_run_does_not_mind_a_version(w: &World) {
    let mut body = config_map("x");
    body["metadata"]["resourceVersion"] = "1".into();
    let reply = w.post(&format!("{}?dryRun=All", w.core("configmaps").await), &body).await;
    assert_eq!(version(&reply.made()), "1");
}

async fn c5_a_name_is_generated_from_a_prefix(w: &World) {
    let collection = w.core("configmaps").await;
    let first = w.post(&collection, &json!({"metadata": {"generateName": "conf-"}})).await.made();
    let second = w.post(&collection, &json!({"metadata": {"generateName": "conf-"}})).await.made();
    assert_ne!(first["metadata"]["name"], second["metadata"]["name"]);
    let name = first["metadata"]["name"].as_str().expect("a name");
    let suffix = name.strip_prefix("conf-").expect("the prefix");
    assert!(suffix.len() == 5 && suffix.chars().all(|letter| "bcdfghjklmnpqrstvwxz2456789".contains(letter)), "{name}");
    assert_eq!(first["metadata"]["generateName"], "conf-");
    includes(&first["metadata"]["managedFields"][0]["fieldsV1"], &json!({"f:metadata": {"f:generateName": {}}}));
}

async fn c5b_a_long_prefix_is_cut(w: &World) {
    let prefix = "a".repeat(80);
    let made = w.post(&w.core("configmaps").await, &json!({"metadata": {"generateName": prefix}})).await.made();
    let name = made["metadata"]["name"].as_str().expect("a name");
    assert!(name.len() == 63 && name.starts_with(&prefix[..58]), "{name}");
}

async fn c5c_a_name_wins_over_a_prefix(w: &World) {
    let body = json!({"metadata": {"name": "x", "generateName": "conf-"}});
    let made = w.post(&w.core("configmaps").await, &body).await.made();
    includes(&made["metadata"], &json!({"name": "x", "generateName": "conf-"}));
}

async fn c6_a_name_is_required(w: &World) {
    let error = ("metadata.name", "Required", "Required value: name or generateName is required");
    w.post(&w.core("configmaps").await, &json!({"data": {"a": "1"}})).await.invalid("ConfigMap", "", &[error]);
    let body = json!({"provisioner": "conf.example"});
    w.post(&format!("{STORAGE}/storageclasses"), &body).await.invalid("StorageClass.storage.k8s.io", "", &[error]);
}

async fn c8_details_name_the_kind_or_the_resource(w: &World) {
    let collection = w.core("configmaps").await;
    let (path, _) = w.config_map("x").await;
    let kinds = [
        (w.post(&collection, &config_map("Bad_Name")).await, "ConfigMap"),
        (w.delete_with(&path, &json!({"preconditions": {"uid": "u"}})).await, "ConfigMap"),
        (w.get(&format!("{collection}/y")).await, "configmaps"),
        (w.post(&collection, &config_map("x")).await, "configmaps"),
        (w.put(&path, &json!({"metadata": {"name": "x", "resourceVersion": "1"}})).await, "configmaps"),
    ];
    for (reply, kind) in kinds {
        assert_eq!(reply.json()["details"]["kind"], kind, "{}", reply.text());
    }
}

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

async fn c9_a_name_is_a_subdomain(w: &World) {
    let message = format!("Invalid value: \"Bad_Name\": {SUBDOMAIN}");
    let reply = w.post(&w.core("configmaps").await, &config_map("Bad_Name")).await;
    reply.invalid("ConfigMap", "Bad_Name", &[("metadata.name", "Invalid", &message)]);
}

async fn c9b_a_name_has_a_length(w: &World) {
    let name = "a".repeat(254);
    let message = format!("Invalid value: \"{name}\": must be no more than 253 characters");
    let reply = w.post(&w.core("configmaps").await, &config_map(&name)).await;
    reply.invalid("ConfigMap", &name, &[("metadata.name", "Invalid", &message)]);
}

async fn c10_a_bad_prefix_is_reported_twice(w: &World) {
    let reply = w.post(&w.core("configmaps").await, &json!({"metadata": {"generateName": "Bad_"}})).await;
    reply.invalid_with("metadata.generateName", "Invalid", "Invalid value: \"Bad_\": ");
    reply.invalid_with("metadata.name", "Invalid", "Invalid value: \"Bad_");
    assert_eq!(reply.json()["details"]["causes"].as_array().map(Vec::len), Some(2));
}

async fn c12_an_existing_name_is_refused(w: &World) {
    w.config_map("x").await;
    w.post(&w.core("configmaps").await, &config_map("x")).await.already_exists("configmaps", "x");
}

async fn c12b_an_existing_name_of_a_group_is_refused(w: &World) {
    let (collection, name) = (format!("{STORAGE}/storageclasses"), w.name(""));
    w.post(&collection, &storage_class(&name)).await.made();
    w.post(&collection, &storage_class(&name)).await.already_exists("storageclasses.storage.k8s.io", &name);
}

async fn c12c_a_name_that_is_still_being_deleted_is_refused(w: &World) {
    let collection = w.core("configmaps").await;
    let mut body = config_map("x");
    body["metadata"]["finalizers"] = json!(["x.io/f"]);
    w.post(&collection, &body).await.made();
    w.delete(&format!("{collection}/x")).await.ok();
    let reply = w.post(&collection, &config_map("x")).await;
    let details = reply.refused(409, "AlreadyExists", "object is being deleted: configmaps \"x\" already exists");
    assert_eq!(details, json!({"name": "x", "kind": "configmaps"}));
}

async fn c13_another_namespace_in_the_body_is_refused(w: &World) {
    let mut body = config_map("x");
    body["metadata"]["namespace"] = "other".into();
    let message = "the namespace of the provided object does not match the namespace sent on the request";
    w.post(&w.core("configmaps").await, &body).await.bad_request(message);
    w.post("/api/v1/namespaces/conf-missing/configmaps", &body).await.bad_request(message);
}

async fn c13b_an_absent_namespace_is_filled_in(w: &World) {
    let (_, made) = w.config_map("x").await;
    assert_eq!(made["metadata"]["namespace"], w.namespace().await);
}

async fn c13c_a_namespace_is_dropped_from_cluster_scoped_kinds(w: &World) {
    let mut body = storage_class(&w.name(""));
    body["metadata"]["namespace"] = "other".into();
    let made = w.post(&format!("{STORAGE}/storageclasses"), &body).await.made();
    assert_eq!(made["metadata"].get("namespace"), None);
}

async fn c14_nothing_is_created_in_a_namespace_that_is_missing(w: &World) {
    let reply = w.post("/api/v1/namespaces/conf-missing/configmaps", &config_map("x")).await;
    reply.missing("namespaces", "conf-missing");
}

async fn c14b_a_missing_namespace_is_empty(w: &World) {
    let list = w.get("/api/v1/namespaces/conf-missing/configmaps").await.ok();
    assert_eq!(list["items"], json!([]));
    let list = w.delete("/api/v1/namespaces/conf-missing/configmaps").await.ok();
    assert_eq!(list["items"], json!([]));
}

fn with_unknown_fields(name: &str) -> Value {
    let mut body = config_map(name);
    body["foo"] = 1.into();
    body["metadata"]["nope"] = 1.into();
    body
}

async fn c16_unknown_fields_are_dropped_with_a_warning(w: &World) {
    let reply = w.post(&w.core("configmaps").await, &with_unknown_fields("x")).await;
    let made = reply.made();
    assert_eq!((made.get("foo"), made["metadata"].get("nope")), (None, None));
    let mut warnings = reply.warnings();
    warnings.sort();
    assert_eq!(warnings, ["unknown field \"foo\"", "unknown field \"metadata.nope\""]);
}

async fn c16b_unknown_fields_are_dropped_silently_if_asked(w: &World) {
    let reply = w.post(&format!("{}?fieldValidation=Ignore", w.core("configmaps").await), &with_unknown_fields("x")).await;
    assert_eq!((reply.made().get("foo"), reply.warnings().len()), (None, 0));
}

async fn c16c_unknown_fields_are_refused_if_asked(w: &World) {
    let mut body = config_map("x");
    body["foo"] = 1.into();
    let reply = w.post(&format!("{}?fieldValidation=Strict", w.core("configmaps").await), &body).await;
    reply.bad_request(
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"foo\"",
    );
}

async fn c16d_an_unknown_subtree_is_named_once(w: &World) {
    let mut body = claim("x");
    body["spec"]["nope"] = json!({"a": {"b": 1}});
    let reply = w.post(&w.core("persistentvolumeclaims").await, &body).await;
    assert_eq!((reply.made()["spec"].get("nope"), reply.warnings()), (None, vec!["unknown field \"spec.nope\"".to_owned()]));
}

async fn c17_of_duplicate_keys_the_last_counts(w: &World) {
    let body = "{\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"1\",\"a\":\"2\"}}";
    let collection = w.core("configmaps").await;
    let reply = w.call("POST", &collection).content_type("application/json").body(body).await;
    assert_eq!((&reply.made()["data"], reply.warnings()), (&json!({"a": "2"}), vec!["duplicate field \"data.a\"".to_owned()]));
}

async fn c17b_duplicate_keys_are_refused_if_asked(w: &World) {
    let body = "{\"metadata\":{\"name\":\"x\",\"name\":\"y\"}}";
    let collection = w.core("configmaps").await;
    let reply = w.call("POST", &format!("{collection}?fieldValidation=Strict")).content_type("application/json").body(body).await;
    reply.refused_with(400, "BadRequest", &["strict decoding error: duplicate field \"metadata.name\""]);
}

async fn c18_an_unknown_validation_is_refused(w: &World) {
    let collection = w.core("configmaps").await;
    let message = "Unsupported value: \"Foo\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"";
    let errors = [("fieldValidation", "NotSupported", message)];
    w.post(&format!("{collection}?fieldValidation=Foo"), &config_map("x")).await.invalid(
        "CreateOptions.meta.k8s.io",
        "",
        &errors,
    );
    w.put(&format!("{collection}/x?fieldValidation=Foo"), &config_map("x")).await.invalid(
        "UpdateOptions.meta.k8s.io",
        "",
        &errors,
    );
    w.merge(&format!("{collection}/x?fieldValidation=Foo"), &json!({})).await.invalid("PatchOptions.meta.k8s.io", "", &errors);
}

async fn c19_a_dry_run_stores_nothing(w: &World) {
    let collection = w.core("configmaps").await;
    let made = w.post(&format!("{collection}?dryRun=All"), &json!({"metadata": {"generateName": "x-"}})).await.made();
    assert!(made["metadata"]["name"].is_string() && made["metadata"]["uid"].is_string(), "{made}");
    assert_eq!(made["metadata"].get("resourceVersion"), None);
    assert_eq!(w.post(&format!("{collection}?dryRun=All&dryRun=All"), &config_map("x")).await.code, 201);
    w.get(&format!("{collection}/x")).await.missing("configmaps", "x");
    w.post(&format!("{collection}?dryRun=All"), &json!({})).await.refused_with(422, "Invalid", &["metadata.name"]);
}

async fn c19b_an_unknown_dry_run_is_refused(w: &World) {
    let reply = w.post(&format!("{}?dryRun=foo", w.core("configmaps").await), &config_map("x")).await;
    let message = "Unsupported value: [\"foo\"]: supported values: \"All\"";
    reply.invalid("CreateOptions.meta.k8s.io", "", &[("dryRun", "NotSupported", message)]);
}

async fn c20_the_manager_of_the_fields_is_recorded(w: &World) {
    let made = w.post(&format!("{}?fieldManager=me", w.core("configmaps").await), &config_map("x")).await.made();
    let entry = json!({
        "manager": "me", "operation": "Update", "apiVersion": "v1", "time": made["metadata"]["creationTimestamp"],
        "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {".": {}, "f:a": {}}},
    });
    assert_eq!(made["metadata"]["managedFields"], json!([entry]));
}

async fn c20b_a_manager_without_a_name_is_its_user_agent(w: &World) {
    let (_, made) = w.config_map("x").await;
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "conformance");
}

async fn c20c_a_long_manager_is_refused(w: &World) {
    let collection = w.core("configmaps").await;
    let reply = w.post(&with(&collection, &[("fieldManager", &"m".repeat(129))]), &config_map("x")).await;
    let message = "Too long: may not be more than 128 bytes";
    reply.invalid("CreateOptions.meta.k8s.io", "", &[("fieldManager", "TooLong", message)]);
    let reply = w.post(&with(&collection, &[("fieldManager", "a\u{1}b")]), &config_map("x")).await;
    reply.refused_with(422, "Invalid", &["CreateOptions.meta.k8s.io \"\" is invalid: fieldManager: Invalid value", "U+0001"]);
}

async fn c21_defaults_that_the_client_owns_are_recorded(w: &World) {
    let made = w.post(&w.core("persistentvolumeclaims").await, &claim("x")).await.made();
    let expected = json!({"f:spec": {
        "f:accessModes": {}, "f:resources": {"f:requests": {".": {}, "f:storage": {}}}, "f:storageClassName": {}, "f:volumeMode": {},
    }});
    assert_eq!(made["metadata"]["managedFields"][0]["fieldsV1"], expected);
}

async fn c22_who_says_nothing_owns_nothing(w: &World) {
    let made = w.post(&w.core("configmaps").await, &json!({"metadata": {"name": "x"}})).await.made();
    assert_eq!(made["metadata"].get("managedFields"), None);
}

async fn refused_metadata(w: &World, metadata: Value, field: &str, message: &str) {
    let mut body = config_map("x");
    body["metadata"] = metadata;
    body["metadata"]["name"] = "x".into();
    let reply = w.post(&w.core("configmaps").await, &body).await;
    reply.invalid_with(field, "Invalid", message);
}

async fn c23_label_keys_are_checked(w: &World) {
    let message = "Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
    refused_metadata(w, json!({"labels": {"a b": "1"}}), "metadata.labels", message).await;
}

async fn c23b_label_values_are_checked(w: &World) {
    let message = "Invalid value: \"a b\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    refused_metadata(w, json!({"labels": {"a": "a b"}}), "metadata.labels", message).await;
}

async fn c23c_annotation_keys_are_checked(w: &World) {
    let message = "Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.'";
    refused_metadata(w, json!({"annotations": {"a b": "1"}}), "metadata.annotations", message).await;
}

async fn c24_finalizers_have_a_domain(w: &World) {
    let message = "Invalid value: \"foo\": name is neither a standard finalizer name nor is it fully qualified";
    refused_metadata(w, json!({"finalizers": ["foo"]}), "metadata.finalizers[0]", message).await;
}

async fn c25_owners_have_a_name_and_a_uid(w: &World) {
    let owner = json!({"apiVersion": "v1", "kind": "Pod", "name": "", "uid": ""});
    let mut body = config_map("x");
    body["metadata"]["ownerReferences"] = json!([owner]);
    let reply = w.post(&w.core("configmaps").await, &body).await;
    reply.invalid_with("metadata.ownerReferences.name", "Invalid", "Invalid value: \"\": must not be empty");
    reply.invalid_with("metadata.ownerReferences.uid", "Invalid", "Invalid value: \"\": must not be empty");
}

async fn c25b_one_owner_is_the_controller(w: &World) {
    let owner = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": true});
    let shown = |name: &str| {
        format!("{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"name\":\"{name}\",\"uid\":\"{name}\",\"controller\":true}}")
    };
    let message = format!(
        "Invalid value: [{},{}]: Only one reference can have Controller set to true. Found \"true\" in references for Pod/a and Pod/b",
        shown("a"),
        shown("b"),
    );
    refused_metadata(w, json!({"ownerReferences": [owner("a"), owner("b")]}), "metadata.ownerReferences", &message).await;
}

async fn c25c_an_event_owns_nothing(w: &World) {
    let owner = json!({"apiVersion": "v1", "kind": "Event", "name": "e", "uid": "e"});
    let message = "Invalid value: {\"apiVersion\":\"v1\",\"kind\":\"Event\",\"name\":\"e\",\"uid\":\"e\"}: /v1, Kind=Event is disallowed from being an owner";
    refused_metadata(w, json!({"ownerReferences": [owner]}), "metadata.ownerReferences", message).await;
}

async fn c26_a_put_creates_leases_and_events(w: &World) {
    let made = w.put(&format!("{}/x", w.group(LEASES, "leases").await), &lease("x")).await.made();
    includes(&made, &json!({"kind": "Lease", "metadata": {"name": "x"}}));
    let body = event("x", w.namespace().await);
    w.put(&format!("{}/x", w.core("events").await), &body).await.made();
}

async fn c26b_a_put_creates_nothing_else(w: &World) {
    w.put(&format!("{}/x", w.core("configmaps").await), &config_map("x")).await.missing("configmaps", "x");
    let name = w.name("");
    let path = format!("{STORAGE}/storageclasses/{name}");
    w.put(&path, &storage_class(&name)).await.missing("storageclasses.storage.k8s.io", &name);
}
