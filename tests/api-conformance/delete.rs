//! Deletion: what is answered, its options, finalizers, a pod's grace and collections.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    j1_a_deleted_pod_is_the_answer,
    j1b_a_deleted_account_is_the_answer,
    j1c_deleted_kinds_of_storage_are_the_answer,
    j1d_a_deleted_definition_is_the_answer,
    j1e_of_some_kinds_a_status_is_the_answer,
    j1f_of_a_group_a_status_has_the_group,
    j1g_of_a_custom_object_a_status_is_the_answer,
    j1h_what_is_left_waiting_is_the_answer,
    j1i_what_is_missing_cannot_be_deleted,
    j2_a_deleted_object_has_the_version_of_its_end,
    j3_old_options_are_accepted_only,
    j3b_what_is_gone_is_not_accepted_but_done,
    j4_finalizers_are_waited_for,
    j4b_a_second_deletion_changes_nothing,
    j4c_the_last_finalizer_ends_it,
    j4d_a_put_may_take_the_last_finalizer,
    j4e_one_finalizer_of_two_is_not_the_last,
    j4f_a_custom_object_counts_its_deletion_as_a_generation,
    j4g_the_end_is_newer_than_the_patch,
    j5_no_finalizer_is_added_to_what_ends,
    j5b_what_ends_can_be_changed,
    j5c_a_deletion_cannot_be_taken_back,
    j6_options_may_say_what_they_are,
    j6b_a_body_hides_the_query,
    j6c_another_kind_is_refused,
    j6d_a_body_is_json,
    j6e_unknown_options_are_ignored,
    j6f_less_than_no_grace_is_accepted,
    j6g_options_may_stand_in_the_query,
    j6h_an_unknown_dry_run_is_refused,
    j7_another_uid_is_a_conflict,
    j7b_another_version_is_a_conflict,
    j7c_the_right_ones_are_no_conflict,
    j7d_a_conflict_of_a_group_says_so,
    j8_an_unknown_propagation_is_refused,
    j8b_old_and_new_options_exclude_each_other,
    j8c_an_unknown_propagation_in_the_query_is_refused,
    j10b_by_default_a_deletion_is_immediate,
    j11_an_unscheduled_pod_is_gone_at_once,
    j11b_a_pod_that_ended_is_gone_at_once,
    j11c_without_grace_a_pod_is_gone_at_once,
    j12_a_pod_on_a_node_has_grace,
    j12b_a_pods_grace_is_its_own,
    j12c_a_pods_grace_is_as_asked,
    j12d_a_pods_grace_only_shrinks,
    j12e_a_pod_that_ends_can_be_removed,
    j12f_a_pod_with_a_finalizer_stays_without_grace,
    j14c_a_dry_run_does_not_mark_what_waits,
    j14d_a_dry_run_checks_its_preconditions,
    j15f_an_attachment_waits_for_its_finalizer,
    j16g_what_has_finalizers_stays_in_its_collection,
    j16h_a_collection_takes_options,
    j16i_a_collections_pods_have_grace,
    j16j_a_bad_selector_deletes_nothing,
    j16k_a_collection_of_cluster_scoped_kinds_can_be_deleted,
    j16l_a_custom_collection_can_be_deleted,
    j16m_an_unknown_dry_run_of_a_collection_is_refused,
    j16n_a_deletion_of_a_collection_is_watched,
    j17f_a_dry_run_ends_no_namespace,
}

/// Makes it, and says where it is.
async fn made(w: &World, collection: &str, body: &Value) -> (String, Value) {
    let made = w.post(collection, body).await.made();
    (format!("{collection}/{}", made["metadata"]["name"].as_str().expect("a name")), made)
}

/// A Secret with these finalizers.
async fn held(w: &World, finalizers: Value) -> (String, Value) {
    let mut body = secret("x");
    body["metadata"]["finalizers"] = finalizers;
    made(w, &w.core("secrets").await, &body).await
}

async fn free(w: &World) -> (String, Value) {
    held(w, json!([])).await
}

/// A pod, as its collection's server has it.
async fn pod_made(w: &World, body: &Value) -> (String, Value) {
    made(w, &w.core("pods").await, body).await
}

/// The Status of a completed deletion.
fn success(resource: &str, object: &Value) -> Value {
    let mut details = reply::about(resource, object["metadata"]["name"].as_str().expect("a name"));
    details["uid"] = object["metadata"]["uid"].clone();
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

/// Without what a deletion changes.
fn kept(object: &Value) -> Value {
    let mut kept = object.clone();
    kept["metadata"].as_object_mut().expect("metadata").remove("resourceVersion");
    kept
}

/// The second of its day.
fn second(object: &Value, field: &str) -> i64 {
    let text = object["metadata"][field].as_str().unwrap_or_else(|| panic!("no {field} in {object}"));
    text[11..19].split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().expect("a number"))
}

/// It ends so long after it was made; making and deleting take less than a minute.
#[track_caller]
fn ends_after(object: &Value, secs: i64) {
    let late = (second(object, "deletionTimestamp") - second(object, "creationTimestamp") - secs).rem_euclid(24 * 3600);
    assert!((0..60).contains(&late), "{late} s late: {object}");
    assert_eq!(object["metadata"]["deletionGracePeriodSeconds"], secs);
}

async fn j1_a_deleted_pod_is_the_answer(w: &World) {
    let (path, made) = pod_made(w, &pod("x")).await;
    let answer = w.delete(&path).await.ok();
    includes(&answer, &json!({"kind": "Pod", "metadata": {"uid": made["metadata"]["uid"]}, "spec": made["spec"]}));
    w.get(&path).await.missing("pods", "x");
}

async fn j1b_a_deleted_account_is_the_answer(w: &World) {
    let (path, made) = made(w, &w.core("serviceaccounts").await, &json!({"metadata": {"name": "x"}})).await;
    assert_eq!(kept(&w.delete(&path).await.ok()), kept(&made));
    w.get(&path).await.missing("serviceaccounts", "x");
}

async fn j1c_deleted_kinds_of_storage_are_the_answer(w: &World) {
    let name = w.name("");
    let kinds = [
        ("storageclasses", storage_class(&name)),
        ("csidrivers", csi_driver(&name)),
        ("csinodes", csi_node(&name)),
        ("volumeattachments", attachment(&name)),
    ];
    for (plural, body) in kinds {
        let (path, made) = made(w, &format!("{STORAGE}/{plural}"), &body).await;
        assert_eq!(kept(&w.delete(&path).await.ok()), kept(&made), "{plural}");
        w.get(&path).await.missing(&format!("{plural}.storage.k8s.io"), &name);
    }
}

async fn j1d_a_deleted_definition_is_the_answer(w: &World) {
    let kind = CustomKind::new(w, "Thing").make(w).await;
    let answer = w.delete(&kind.path()).await.ok();
    includes(&answer, &json!({"kind": "CustomResourceDefinition", "metadata": {"name": kind.resource()}}));
    eventually("the definition's end", async || (w.get(&kind.path()).await.code == 404).then_some(())).await;
}

async fn j1e_of_some_kinds_a_status_is_the_answer(w: &World) {
    for (plural, body) in [("configmaps", config_map("x")), ("secrets", secret("x")), ("events", event("x", w.namespace().await))]
    {
        let (path, made) = made(w, &w.core(plural).await, &body).await;
        assert_eq!(w.delete(&path).await.ok(), success(plural, &made));
    }
    let (path, made) = made(w, "/api/v1/nodes", &node(&w.name(""))).await;
    assert_eq!(w.delete(&path).await.ok(), success("nodes", &made));
}

async fn j1f_of_a_group_a_status_has_the_group(w: &World) {
    let (path, lease) = made(w, &w.group(LEASES, "leases").await, &lease("x")).await;
    assert_eq!(w.delete(&path).await.ok(), success("leases.coordination.k8s.io", &lease));
    let body = json!({"metadata": {"name": "x"}, "storageClassName": "c", "capacity": "1Gi"});
    let (path, capacity) = made(w, &w.group("storage.k8s.io/v1", "csistoragecapacities").await, &body).await;
    assert_eq!(w.delete(&path).await.ok(), success("csistoragecapacities.storage.k8s.io", &capacity));
}

async fn j1g_of_a_custom_object_a_status_is_the_answer(w: &World) {
    let kind = CustomKind::new(w, "Thing").make(w).await;
    let (path, made) = made(w, &kind.collection(w).await, &kind.object("x", json!({"a": 1}))).await;
    assert_eq!(w.delete(&path).await.ok(), success(&kind.resource(), &made));
}

async fn j1h_what_is_left_waiting_is_the_answer(w: &World) {
    let (path, made) = held(w, json!(["x.io/f"])).await;
    let answer = w.delete(&path).await.ok();
    includes(&answer, &json!({"kind": "Secret", "metadata": {"uid": made["metadata"]["uid"]}, "data": made["data"]}));
    assert_eq!(w.get(&path).await.ok(), answer);
}

async fn j1i_what_is_missing_cannot_be_deleted(w: &World) {
    w.delete(&format!("{}/x", w.core("secrets").await)).await.missing("secrets", "x");
    let name = w.name("");
    w.delete(&format!("{STORAGE}/csinodes/{name}")).await.missing("csinodes.storage.k8s.io", &name);
    w.delete("/api/v1/namespaces/conf-missing/secrets/x").await.missing("secrets", "x");
}

async fn j2_a_deleted_object_has_the_version_of_its_end(w: &World) {
    let (path, made) = made(w, &w.core("serviceaccounts").await, &json!({"metadata": {"name": "x"}})).await;
    let answer = w.delete(&path).await.ok();
    let number = |object: &Value| version(object).parse::<u64>().expect("a number");
    assert!(number(&answer) > number(&made), "{answer}");
    assert_eq!(answer["metadata"].get("deletionTimestamp"), None);
}

async fn j3_old_options_are_accepted_only(w: &World) {
    let (path, _) = held(w, json!(["x.io/f"])).await;
    let answer = w.delete_with(&path, &json!({"orphanDependents": false})).await.is(202);
    assert!(answer["metadata"]["deletionTimestamp"].is_string(), "{answer}");
}

async fn j3b_what_is_gone_is_not_accepted_but_done(w: &World) {
    let (path, made) = free(w).await;
    let answer = w.delete_with(&path, &json!({"orphanDependents": false})).await.ok();
    assert_eq!(answer, success("secrets", &made));
}

async fn j4_finalizers_are_waited_for(w: &World) {
    let (path, made) = held(w, json!(["x.io/f"])).await;
    let marked = w.delete(&path).await.ok();
    ends_after(&marked, 0);
    assert_ne!(version(&marked), version(&made));
    assert_eq!(marked["metadata"]["finalizers"], json!(["x.io/f"]));
    assert_eq!(marked["metadata"].get("generation"), None);
}

async fn j4b_a_second_deletion_changes_nothing(w: &World) {
    let (path, _) = held(w, json!(["x.io/f"])).await;
    let marked = w.delete(&path).await.ok();
    assert_eq!(w.delete(&path).await.ok(), marked);
    assert_eq!(w.delete_with(&path, &json!({"gracePeriodSeconds": 0})).await.ok(), marked);
    assert_eq!(w.get(&path).await.ok(), marked);
}

async fn j4c_the_last_finalizer_ends_it(w: &World) {
    let (path, _) = held(w, json!(["x.io/f"])).await;
    let marked = w.delete(&path).await.ok();
    let ended = w.merge(&path, &json!({"metadata": {"finalizers": null}})).await.ok();
    assert_eq!(version(&ended), version(&marked), "the version it had");
    assert_eq!(ended["metadata"].get("finalizers"), None);
    assert_eq!(ended["metadata"]["deletionTimestamp"], marked["metadata"]["deletionTimestamp"]);
    w.get(&path).await.missing("secrets", "x");
}

async fn j4d_a_put_may_take_the_last_finalizer(w: &World) {
    let (path, _) = held(w, json!(["x.io/f"])).await;
    let mut marked = w.delete(&path).await.ok();
    marked["metadata"]["finalizers"] = json!([]);
    w.put(&path, &marked).await.ok();
    w.get(&path).await.missing("secrets", "x");
}

async fn j4e_one_finalizer_of_two_is_not_the_last(w: &World) {
    let (path, _) = held(w, json!(["x.io/f", "x.io/g"])).await;
    w.delete(&path).await.ok();
    let found = w.merge(&path, &json!({"metadata": {"finalizers": ["x.io/g"]}})).await.ok();
    assert_eq!(w.get(&path).await.ok(), found);
    assert_eq!(found["metadata"]["finalizers"], json!(["x.io/g"]));
}

async fn j4f_a_custom_object_counts_its_deletion_as_a_generation(w: &World) {
    let kind = CustomKind::new(w, "Thing").make(w).await;
    let mut body = kind.object("x", json!({}));
    body["metadata"]["finalizers"] = json!(["x.io/f"]);
    let (path, made) = made(w, &kind.collection(w).await, &body).await;
    assert_eq!(made["metadata"]["generation"], 1);
    assert_eq!(w.delete(&path).await.ok()["metadata"]["generation"], 2);
    w.merge(&path, &json!({"metadata": {"finalizers": null}})).await.ok();
}

async fn j4g_the_end_is_newer_than_the_patch(w: &World) {
    let (path, _) = held(w, json!(["x.io/f"])).await;
    let marked = w.delete(&path).await.ok();
    let collection = w.core("secrets").await;
    let mut watch = w.watch(&format!("{collection}?watch=true&resourceVersion={}", version(&marked))).await;
    w.merge(&path, &json!({"metadata": {"finalizers": null}})).await.ok();
    let gone = watch.expect_of("DELETED", "x").await;
    let number = |object: &Value| version(object).parse::<u64>().expect("a number");
    assert!(number(&gone) > number(&marked), "{gone}");
}

async fn j5_no_finalizer_is_added_to_what_ends(w: &World) {
    let (path, _) = held(w, json!(["x.io/f"])).await;
    w.delete(&path).await.ok();
    let reply = w.merge(&path, &json!({"metadata": {"finalizers": ["x.io/f", "x.io/g"]}})).await;
    let message = "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"x.io/g\"}";
    reply.refused(422, "Invalid", &format!("Secret \"x\" is invalid: {message}"));
}

async fn j5b_what_ends_can_be_changed(w: &World) {
    let (path, _) = held(w, json!(["x.io/f"])).await;
    let marked = w.delete(&path).await.ok();
    let found = w.merge(&path, &json!({"metadata": {"labels": {"a": "1"}}})).await.ok();
    assert_eq!(found["metadata"]["labels"], json!({"a": "1"}));
    assert_eq!(found["metadata"]["deletionTimestamp"], marked["metadata"]["deletionTimestamp"]);
}

async fn j5c_a_deletion_cannot_be_taken_back(w: &World) {
    let (path, _) = held(w, json!(["x.io/f"])).await;
    let marked = w.delete(&path).await.ok();
    let mut body = secret("x");
    body["metadata"]["finalizers"] = json!(["x.io/f"]);
    let found = w.put(&path, &body).await.ok();
    assert_eq!(found["metadata"]["deletionTimestamp"], marked["metadata"]["deletionTimestamp"]);
}

async fn j6_options_may_say_what_they_are(w: &World) {
    let kinds = [
        json!({}),
        json!({"kind": "DeleteOptions"}),
        json!({"kind": "DeleteOptions", "apiVersion": "v1"}),
        json!({"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"}),
    ];
    for mut options in kinds {
        let (path, _) = free(w).await;
        options["dryRun"] = json!(["All"]);
        w.delete_with(&path, &options).await.ok();
        w.get(&path).await.ok();
        options["dryRun"] = json!([]);
        w.delete_with(&path, &options).await.ok();
        w.get(&path).await.missing("secrets", "x");
    }
}

async fn j6b_a_body_hides_the_query(w: &World) {
    let (path, made) = free(w).await;
    let answer = w.delete_with(&format!("{path}?propagationPolicy=Foreground"), &json!({})).await.ok();
    assert_eq!(answer, success("secrets", &made));
    let (path, _) = free(w).await;
    w.delete_with(&format!("{path}?dryRun=All"), &json!({})).await.ok();
    w.get(&path).await.missing("secrets", "x");
}

async fn j6c_another_kind_is_refused(w: &World) {
    let (path, _) = free(w).await;
    let reply = w.delete_with(&path, &json!({"kind": "Foo", "apiVersion": "v1"})).await;
    reply.refused_with(400, "BadRequest", &["no kind \"Foo\" is registered for version \"v1\""]);
    w.get(&path).await.ok();
}

async fn j6d_a_body_is_json(w: &World) {
    let (path, _) = free(w).await;
    let reply = w.delete(&path).content_type("application/json").body("{").await;
    reply.bad_request("couldn't get version/kind; json parse error: unexpected end of JSON input");
    w.get(&path).await.ok();
}

async fn j6e_unknown_options_are_ignored(w: &World) {
    let (path, _) = free(w).await;
    let reply = w.delete_with(&path, &json!({"nope": 1})).await;
    assert_eq!((reply.code, reply.warnings().len()), (200, 0));
    w.get(&path).await.missing("secrets", "x");
}

async fn j6f_less_than_no_grace_is_accepted(w: &World) {
    let (path, _) = free(w).await;
    w.delete_with(&path, &json!({"gracePeriodSeconds": -1})).await.ok();
    w.get(&path).await.missing("secrets", "x");
}

async fn j6g_options_may_stand_in_the_query(w: &World) {
    let (path, _) = pod_made(w, &pod_on_node("x")).await;
    ends_after(&w.delete(&format!("{path}?gracePeriodSeconds=600")).await.ok(), 600);
    let (path, _) = free(w).await;
    let marked = w.delete(&format!("{path}?propagationPolicy=Foreground")).await.ok();
    assert_eq!(marked["metadata"]["finalizers"], json!(["foregroundDeletion"]));
}

async fn j6h_an_unknown_dry_run_is_refused(w: &World) {
    let (path, _) = free(w).await;
    let message = "Unsupported value: [\"foo\"]: supported values: \"All\"";
    let errors = [("dryRun", "NotSupported", message)];
    w.delete(&format!("{path}?dryRun=foo")).await.invalid("DeleteOptions.meta.k8s.io", "", &errors);
    w.delete_with(&path, &json!({"dryRun": ["foo"]})).await.invalid("DeleteOptions.meta.k8s.io", "", &errors);
}

async fn j7_another_uid_is_a_conflict(w: &World) {
    let (path, made) = free(w).await;
    let reply = w.delete_with(&path, &json!({"preconditions": {"uid": "u"}})).await;
    let message = format!(
        "Operation cannot be fulfilled on Secret \"x\": the UID in the precondition (u) does not match the UID in record ({}). The object might have been deleted and then recreated",
        made["metadata"]["uid"].as_str().expect("a uid"),
    );
    assert_eq!(reply.refused(409, "Conflict", &message), json!({"name": "x", "kind": "Secret"}));
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn j7b_another_version_is_a_conflict(w: &World) {
    let (path, made) = free(w).await;
    let reply = w.delete_with(&path, &json!({"preconditions": {"resourceVersion": "1"}})).await;
    let message = format!(
        "Operation cannot be fulfilled on Secret \"x\": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({}). The object might have been modified",
        version(&made),
    );
    assert_eq!(reply.refused(409, "Conflict", &message), json!({"name": "x", "kind": "Secret"}));
}

async fn j7c_the_right_ones_are_no_conflict(w: &World) {
    let (path, made) = free(w).await;
    let preconditions = json!({"uid": made["metadata"]["uid"], "resourceVersion": version(&made)});
    w.delete_with(&path, &json!({"preconditions": preconditions})).await.ok();
    w.get(&path).await.missing("secrets", "x");
}

async fn j7d_a_conflict_of_a_group_says_so(w: &World) {
    let name = w.name("");
    let (path, _) = made(w, &format!("{STORAGE}/csidrivers"), &csi_driver(&name)).await;
    let reply = w.delete_with(&path, &json!({"preconditions": {"uid": "u"}})).await;
    let start = format!("Operation cannot be fulfilled on CSIDriver.storage.k8s.io \"{name}\": the UID in the precondition (u)");
    let details = reply.refused_with(409, "Conflict", &[&start]);
    assert_eq!(details, json!({"name": name, "group": "storage.k8s.io", "kind": "CSIDriver"}));
}

const POLICIES: &str = "Unsupported value: \"Foo\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"";

async fn j8_an_unknown_propagation_is_refused(w: &World) {
    let (path, _) = free(w).await;
    let reply = w.delete_with(&path, &json!({"propagationPolicy": "Foo"})).await;
    reply.invalid("DeleteOptions.meta.k8s.io", "", &[("propagationPolicy", "NotSupported", POLICIES)]);
    w.get(&path).await.ok();
}

async fn j8b_old_and_new_options_exclude_each_other(w: &World) {
    let (path, _) = free(w).await;
    let reply = w.delete_with(&path, &json!({"propagationPolicy": "Orphan", "orphanDependents": true})).await;
    let message = "Invalid value: \"Orphan\": orphanDependents and deletionPropagation cannot be both set";
    reply.invalid("DeleteOptions.meta.k8s.io", "", &[("propagationPolicy", "Invalid", message)]);
}

async fn j8c_an_unknown_propagation_in_the_query_is_refused(w: &World) {
    let (path, _) = free(w).await;
    let reply = w.delete(&format!("{path}?propagationPolicy=Foo")).await;
    reply.invalid("DeleteOptions.meta.k8s.io", "", &[("propagationPolicy", "NotSupported", POLICIES)]);
}

async fn j10b_by_default_a_deletion_is_immediate(w: &World) {
    let (path, made) = free(w).await;
    assert_eq!(w.delete(&path).await.ok(), success("secrets", &made));
    w.get(&path).await.missing("secrets", "x");
}

/// It is gone, and the answer shows it at its end.
async fn ended(w: &World, path: &str, answer: &Value) {
    ends_after(answer, 0);
    w.get(path).await.missing("pods", "x");
}

async fn j11_an_unscheduled_pod_is_gone_at_once(w: &World) {
    let (path, made) = pod_made(w, &pod("x")).await;
    let answer = w.delete(&path).await.ok();
    ended(w, &path, &answer).await;
    assert_eq!((&made["metadata"]["generation"], &answer["metadata"]["generation"]), (&json!(1), &json!(2)));
}

async fn j11b_a_pod_that_ended_is_gone_at_once(w: &World) {
    for phase in ["Succeeded", "Failed"] {
        let (path, _) = pod_made(w, &pod_on_node("x")).await;
        w.merge(&format!("{path}/status"), &json!({"status": {"phase": phase}})).await.ok();
        let answer = w.delete(&path).await.ok();
        ended(w, &path, &answer).await;
    }
}

async fn j11c_without_grace_a_pod_is_gone_at_once(w: &World) {
    let (path, _) = pod_made(w, &pod_on_node("x")).await;
    let answer = w.delete_with(&path, &json!({"gracePeriodSeconds": 0})).await.ok();
    ended(w, &path, &answer).await;
}

async fn j12_a_pod_on_a_node_has_grace(w: &World) {
    let (path, made) = pod_made(w, &pod_on_node("x")).await;
    let marked = w.delete(&path).await.ok();
    ends_after(&marked, 30);
    assert_ne!(version(&marked), version(&made));
    assert_eq!(marked["metadata"]["generation"], 2);
    assert_eq!(w.get(&path).await.ok()["metadata"]["deletionTimestamp"], marked["metadata"]["deletionTimestamp"]);
}

async fn j12b_a_pods_grace_is_its_own(w: &World) {
    let mut body = pod_on_node("x");
    body["spec"]["terminationGracePeriodSeconds"] = 300.into();
    let (path, _) = pod_made(w, &body).await;
    ends_after(&w.delete(&path).await.ok(), 300);
}

async fn j12c_a_pods_grace_is_as_asked(w: &World) {
    let (path, _) = pod_made(w, &pod_on_node("x")).await;
    ends_after(&w.delete_with(&path, &json!({"gracePeriodSeconds": 600})).await.ok(), 600);
}

async fn j12d_a_pods_grace_only_shrinks(w: &World) {
    let (path, _) = pod_made(w, &pod_on_node("x")).await;
    let marked = w.delete_with(&path, &json!({"gracePeriodSeconds": 600})).await.ok();
    for same in [json!({"gracePeriodSeconds": 600}), json!({"gracePeriodSeconds": 900})] {
        assert_eq!(version(&w.delete_with(&path, &same).await.ok()), version(&marked));
    }
    let sooner = w.delete_with(&path, &json!({"gracePeriodSeconds": 300})).await.ok();
    ends_after(&sooner, 300);
    assert_ne!(version(&sooner), version(&marked));
}

async fn j12e_a_pod_that_ends_can_be_removed(w: &World) {
    let (path, _) = pod_made(w, &pod_on_node("x")).await;
    w.delete(&path).await.ok();
    w.delete_with(&path, &json!({"gracePeriodSeconds": 0})).await.ok();
    w.get(&path).await.missing("pods", "x");
}

async fn j12f_a_pod_with_a_finalizer_stays_without_grace(w: &World) {
    let mut body = pod_on_node("x");
    body["metadata"]["finalizers"] = json!(["x.io/f"]);
    let (path, _) = pod_made(w, &body).await;
    let marked = w.delete_with(&path, &json!({"gracePeriodSeconds": 0})).await.ok();
    ends_after(&marked, 0);
    assert_eq!(w.get(&path).await.ok()["metadata"]["finalizers"], json!(["x.io/f"]));
    w.merge(&path, &json!({"metadata": {"finalizers": null}})).await.ok();
    w.get(&path).await.missing("pods", "x");
}

async fn j14c_a_dry_run_does_not_mark_what_waits(w: &World) {
    let (path, made) = held(w, json!(["x.io/f"])).await;
    let would = w.delete(&format!("{path}?dryRun=All")).await.ok();
    assert!(would["metadata"]["deletionTimestamp"].is_string(), "{would}");
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn j14d_a_dry_run_checks_its_preconditions(w: &World) {
    let (path, _) = free(w).await;
    w.delete_with(&path, &json!({"dryRun": ["All"], "preconditions": {"uid": "u"}})).await.is(409);
}

async fn j15f_an_attachment_waits_for_its_finalizer(w: &World) {
    let name = w.name("");
    let mut body = attachment(&name);
    body["metadata"]["finalizers"] = json!(["external-attacher/x"]);
    let (path, _) = made(w, &format!("{STORAGE}/volumeattachments"), &body).await;
    let marked = w.delete(&path).await.ok();
    ends_after(&marked, 0);
    w.merge(&path, &json!({"metadata": {"finalizers": null}})).await.ok();
    w.get(&path).await.missing("volumeattachments.storage.k8s.io", &name);
}

async fn j16g_what_has_finalizers_stays_in_its_collection(w: &World) {
    let (path, made) = held(w, json!(["x.io/f"])).await;
    let collection = w.core("secrets").await;
    w.post(&collection, &secret("y")).await.made();
    let deleted = w.delete(&collection).await.ok();
    assert_eq!((names(&deleted), &deleted["items"][0]["metadata"]["uid"]), (vec!["x", "y"], &made["metadata"]["uid"]));
    assert_eq!(names(&w.get(&collection).await.ok()), ["x"]);
    ends_after(&w.get(&path).await.ok(), 0);
}

async fn j16h_a_collection_takes_options(w: &World) {
    let (path, _) = free(w).await;
    let collection = w.core("secrets").await;
    w.delete_with(&collection, &json!({"dryRun": ["All"]})).await.ok();
    w.get(&path).await.ok();
    let reply = w.delete_with(&collection, &json!({"propagationPolicy": "Foo"})).await;
    reply.invalid("DeleteOptions.meta.k8s.io", "", &[("propagationPolicy", "NotSupported", POLICIES)]);
    w.delete_with(&collection, &json!({"propagationPolicy": "Background"})).await.ok();
    w.get(&path).await.missing("secrets", "x");
}

async fn j16i_a_collections_pods_have_grace(w: &World) {
    let (path, _) = pod_made(w, &pod_on_node("x")).await;
    let (unscheduled, _) = pod_made(w, &pod("y")).await;
    assert_eq!(names(&w.delete(&w.core("pods").await).await.ok()), ["x", "y"]);
    ends_after(&w.get(&path).await.ok(), 30);
    w.get(&unscheduled).await.missing("pods", "y");
}

async fn j16j_a_bad_selector_deletes_nothing(w: &World) {
    let (path, _) = free(w).await;
    let collection = w.core("secrets").await;
    for selector in ["labelSelector", "fieldSelector"] {
        let reply = w.delete(&with(&collection, &[(selector, "!!")])).await;
        reply.refused_with(400, "BadRequest", &[]);
    }
    w.get(&path).await.ok();
}

async fn j16k_a_collection_of_cluster_scoped_kinds_can_be_deleted(w: &World) {
    let name = w.name("");
    let mut body = csi_driver(&name);
    body["metadata"]["labels"] = json!({"conf": name});
    let collection = format!("{STORAGE}/csidrivers");
    let (path, _) = made(w, &collection, &body).await;
    let deleted = w.delete(&with(&collection, &[("labelSelector", &format!("conf={name}"))])).await.ok();
    assert_eq!((&deleted["kind"], names(&deleted)), (&json!("CSIDriverList"), vec![name.as_str()]));
    w.get(&path).await.missing("csidrivers.storage.k8s.io", &name);
}

async fn j16l_a_custom_collection_can_be_deleted(w: &World) {
    let kind = CustomKind::new(w, "Thing").make(w).await;
    let collection = kind.collection(w).await;
    for name in ["a", "b"] {
        w.post(&collection, &kind.object(name, json!({"n": name}))).await.made();
    }
    let deleted = w.delete(&collection).await.ok();
    assert_eq!((&deleted["kind"], names(&deleted)), (&json!("ThingList"), vec!["a", "b"]));
    assert_eq!(w.get(&collection).await.ok()["items"], json!([]));
}

async fn j16m_an_unknown_dry_run_of_a_collection_is_refused(w: &World) {
    let reply = w.delete(&format!("{}?dryRun=foo", w.core("secrets").await)).await;
    let message = "Unsupported value: [\"foo\"]: supported values: \"All\"";
    reply.invalid("DeleteOptions.meta.k8s.io", "", &[("dryRun", "NotSupported", message)]);
}

async fn j16n_a_deletion_of_a_collection_is_watched(w: &World) {
    let (_, made) = free(w).await;
    let collection = w.core("secrets").await;
    let mut watch = w.watch(&format!("{collection}?watch=true&resourceVersion={}", version(&made))).await;
    w.delete(&collection).await.ok();
    assert_eq!(watch.expect_of("DELETED", "x").await["metadata"].get("deletionTimestamp"), None);
}

async fn j17f_a_dry_run_ends_no_namespace(w: &World) {
    let path = format!("/api/v1/namespaces/{}", w.namespace().await);
    let would = w.delete(&format!("{path}?dryRun=All")).await.ok();
    assert_eq!(would["kind"], "Namespace");
    let found = w.get(&path).await.ok();
    assert_eq!((&found["status"]["phase"], found["metadata"].get("deletionTimestamp")), (&json!("Active"), None));
}
