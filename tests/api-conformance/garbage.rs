//! What goes with what: owners and dependents, volumes and claims in use, and deleting many at once. Much of this is done by
//! controllers.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    c25d_an_object_whose_owner_never_was_is_collected,
    c25e_an_object_goes_with_its_owner,
    c25f_an_object_stays_while_one_owner_stays,
    c25g_an_owner_of_the_same_name_is_another_one,
    j9_a_foreground_deletion_waits_for_dependents,
    j9b_an_orphaned_dependent_stays,
    j9c_a_foreground_deletion_is_marked,
    j10_a_background_deletion_is_immediate,
    j13_an_unscheduled_pod_is_not_collected,
    j14_grace_means_nothing_to_other_kinds,
    j14b_a_dry_run_deletes_nothing,
    j15_an_unused_claim_goes,
    j15b_a_claim_in_use_waits_for_its_pod,
    j15c_an_unused_volume_goes,
    j15d_a_bound_volume_waits_for_its_claim,
    j15e_an_unused_attributes_class_goes,
    j16_a_collection_is_deleted_and_listed_as_it_was,
    j16b_a_collection_can_be_deleted_in_part,
    j16c_deleting_nothing_is_no_error,
    j16d_a_page_of_a_collection_can_be_deleted,
    j16e_a_dry_run_deletes_no_collection,
    j16f_namespaces_and_all_namespaces_are_not_deleted_at_once,
}

/// A reference to a core object.
fn owned_by(owner: &Value, kind: &str) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]})
}

/// A ConfigMap with these owners, and its path.
async fn dependent(w: &World, name: &str, owners: Value) -> String {
    let mut body = config_map(name);
    body["metadata"]["ownerReferences"] = owners;
    let collection = w.core("configmaps").await;
    w.post(&collection, &body).await.made();
    format!("{collection}/{name}")
}

async fn gone(w: &World, path: &str) {
    eventually("the end of an object", async || (w.get(path).await.code == 404).then_some(())).await;
}

async fn c25d_an_object_whose_owner_never_was_is_collected(w: &World) {
    collected_one(w).await;
}

/// A ConfigMap that nobody owns is collected. Whoever collects it has heard of every ConfigMap that was made before.
async fn collected_one(w: &World) {
    let nobody = json!({"apiVersion": "v1", "kind": "Secret", "name": "nobody", "uid": "00000000-0000-4000-8000-000000000000"});
    let path = dependent(w, "collected", json!([nobody])).await;
    gone(w, &path).await;
}

async fn owner(w: &World, name: &str) -> (String, Value) {
    let collection = w.core("secrets").await;
    let made = w.post(&collection, &secret(name)).await.made();
    (format!("{collection}/{name}"), made)
}

async fn c25e_an_object_goes_with_its_owner(w: &World) {
    let (path, made) = owner(w, "owner").await;
    let first = dependent(w, "first", json!([owned_by(&made, "Secret")])).await;
    let middle = w.get(&first).await.ok();
    let second = dependent(w, "second", json!([owned_by(&middle, "ConfigMap")])).await;
    w.delete(&path).await.ok();
    gone(w, &first).await;
    gone(w, &second).await;
}

async fn c25f_an_object_stays_while_one_owner_stays(w: &World) {
    let (path, made) = owner(w, "owner").await;
    let (_, other) = owner(w, "other").await;
    let both = dependent(w, "both", json!([owned_by(&made, "Secret"), owned_by(&other, "Secret")])).await;
    let one = dependent(w, "one", json!([owned_by(&made, "Secret")])).await;
    w.delete(&path).await.ok();
    gone(w, &one).await;
    // The reference that leads nowhere is taken away.
    let found = eventually("one owner less", async || {
        let found = w.get(&both).await.ok();
        (found["metadata"]["ownerReferences"].as_array().map(Vec::len) == Some(1)).then_some(found)
    });
    assert_eq!(found.await["metadata"]["ownerReferences"][0]["name"], "other");
}

async fn c25g_an_owner_of_the_same_name_is_another_one(w: &World) {
    let (path, old) = owner(w, "owner").await;
    w.delete(&path).await.ok();
    owner(w, "owner").await;
    let path = dependent(w, "x", json!([owned_by(&old, "Secret")])).await;
    gone(w, &path).await;
}

async fn j9_a_foreground_deletion_waits_for_dependents(w: &World) {
    let (path, made) = owner(w, "owner").await;
    let mut reference = owned_by(&made, "Secret");
    reference["blockOwnerDeletion"] = true.into();
    let mut body = config_map("x");
    body["metadata"]["ownerReferences"] = json!([reference]);
    body["metadata"]["finalizers"] = json!(["x.io/f"]);
    let collection = w.core("configmaps").await;
    w.post(&collection, &body).await.made();
    // A collector does not wait for what it has not heard of.
    collected_one(w).await;
    w.delete_with(&path, &json!({"propagationPolicy": "Foreground"})).await.ok();
    let marked = async || w.get(&format!("{collection}/x")).await.ok()["metadata"]["deletionTimestamp"].is_string().then_some(());
    eventually("the dependent's deletion", marked).await;
    assert_eq!(w.get(&path).await.ok()["metadata"]["finalizers"], json!(["foregroundDeletion"]), "the owner waits");
    w.merge(&format!("{collection}/x"), &json!({"metadata": {"finalizers": null}})).await.ok();
    gone(w, &path).await;
}

async fn j9b_an_orphaned_dependent_stays(w: &World) {
    let (path, made) = owner(w, "owner").await;
    let kept = dependent(w, "x", json!([owned_by(&made, "Secret")])).await;
    collected_one(w).await;
    w.delete_with(&path, &json!({"propagationPolicy": "Orphan"})).await.ok();
    gone(w, &path).await;
    assert_eq!(w.get(&kept).await.ok()["metadata"].get("ownerReferences"), None);
}

async fn j9c_a_foreground_deletion_is_marked(w: &World) {
    for (name, policy, finalizer) in [("a", "Foreground", "foregroundDeletion"), ("b", "Orphan", "orphan")] {
        let (path, _) = owner(w, name).await;
        let marked = w.delete_with(&path, &json!({"propagationPolicy": policy})).await.ok();
        assert_eq!(marked["metadata"]["finalizers"], json!([finalizer]));
        assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
        gone(w, &path).await;
    }
}

async fn j10_a_background_deletion_is_immediate(w: &World) {
    let (path, _) = owner(w, "owner").await;
    let answer = w.delete_with(&path, &json!({"propagationPolicy": "Background"})).await.ok();
    includes(&answer, &json!({"kind": "Status", "status": "Success"}));
    w.get(&path).await.missing("secrets", "owner");
}

async fn j13_an_unscheduled_pod_is_not_collected(w: &World) {
    let made = w.post(&w.core("pods").await, &pod("x")).await.made();
    collected_one(w).await;
    let found = w.get(&format!("{}/x", w.core("pods").await)).await.ok();
    assert_eq!(found["metadata"]["uid"], made["metadata"]["uid"]);
}

async fn j14_grace_means_nothing_to_other_kinds(w: &World) {
    let (path, _) = owner(w, "x").await;
    w.delete_with(&path, &json!({"gracePeriodSeconds": 60})).await.ok();
    w.get(&path).await.missing("secrets", "x");
}

async fn j14b_a_dry_run_deletes_nothing(w: &World) {
    let (path, made) = owner(w, "x").await;
    w.delete_with(&path, &json!({"dryRun": ["All"]})).await.ok();
    w.delete(&format!("{path}?dryRun=All")).await.ok();
    assert_eq!(w.get(&path).await.ok(), made);
    let pods = w.core("pods").await;
    let made = w.post(&pods, &pod_on_node("p")).await.made();
    let would = w.delete(&format!("{pods}/p?dryRun=All")).await.ok();
    assert!(would["metadata"]["deletionTimestamp"].is_string(), "{would}");
    assert_eq!(w.get(&format!("{pods}/p")).await.ok()["metadata"]["uid"], made["metadata"]["uid"]);
    assert_eq!(w.get(&format!("{pods}/p")).await.ok()["metadata"].get("deletionTimestamp"), None);
}

async fn j15_an_unused_claim_goes(w: &World) {
    let collection = w.core("persistentvolumeclaims").await;
    w.post(&collection, &claim("x")).await.made();
    let marked = w.delete(&format!("{collection}/x")).await.ok();
    assert_eq!(marked["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
    gone(w, &format!("{collection}/x")).await;
}

async fn j15b_a_claim_in_use_waits_for_its_pod(w: &World) {
    let collection = w.core("persistentvolumeclaims").await;
    w.post(&collection, &claim("x")).await.made();
    w.post(&collection, &claim("unused")).await.made();
    let mut body = pod_on_node("p");
    body["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "x"}}]);
    let pods = w.core("pods").await;
    w.post(&pods, &body).await.made();
    w.delete(&format!("{collection}/x")).await.ok();
    w.delete(&format!("{collection}/unused")).await.ok();
    // When the other one is gone, this one has been looked at.
    gone(w, &format!("{collection}/unused")).await;
    w.get(&format!("{collection}/x")).await.ok();
    w.delete_with(&format!("{pods}/p"), &json!({"gracePeriodSeconds": 0})).await.ok();
    gone(w, &format!("{collection}/x")).await;
}

async fn j15c_an_unused_volume_goes(w: &World) {
    let name = w.name("");
    w.post("/api/v1/persistentvolumes", &volume(&name)).await.made();
    let path = format!("/api/v1/persistentvolumes/{name}");
    let marked = w.delete(&path).await.ok();
    assert_eq!(marked["metadata"]["finalizers"], json!(["kubernetes.io/pv-protection"]));
    gone(w, &path).await;
}

async fn j15d_a_bound_volume_waits_for_its_claim(w: &World) {
    let name = w.name("");
    let path = format!("/api/v1/persistentvolumes/{name}");
    w.post("/api/v1/persistentvolumes", &volume(&name)).await.made();
    let mut body = claim("x");
    body["spec"]["storageClassName"] = name.clone().into();
    let collection = w.core("persistentvolumeclaims").await;
    w.post(&collection, &body).await.made();
    let bound = async || {
        let (volume, claim) = (w.get(&path).await.ok(), w.get(&format!("{collection}/x")).await.ok());
        (volume["status"]["phase"] == "Bound" && claim["status"]["phase"] == "Bound").then_some(())
    };
    eventually("a claim to be bound", bound).await;
    w.delete(&path).await.ok();
    // Another one, unused, is gone; this one has been looked at.
    let other = w.name("other");
    w.post("/api/v1/persistentvolumes", &volume(&other)).await.made();
    w.delete(&format!("/api/v1/persistentvolumes/{other}")).await.ok();
    gone(w, &format!("/api/v1/persistentvolumes/{other}")).await;
    assert!(w.get(&path).await.ok()["metadata"]["deletionTimestamp"].is_string());
    w.delete(&format!("{collection}/x")).await.ok();
    gone(w, &format!("{collection}/x")).await;
    gone(w, &path).await;
}

async fn j15e_an_unused_attributes_class_goes(w: &World) {
    let path = format!("{STORAGE}/volumeattributesclasses/{}", w.name(""));
    w.post(&format!("{STORAGE}/volumeattributesclasses"), &attributes_class(&w.name(""))).await.made();
    let marked = w.delete(&path).await.ok();
    assert_eq!(marked["metadata"]["finalizers"], json!(["kubernetes.io/vac-protection"]));
    gone(w, &path).await;
}

/// Secrets, two of which have a label.
async fn three(w: &World) -> String {
    let collection = w.core("secrets").await;
    for (name, labels) in [("a", json!({"x": "1"})), ("b", json!({})), ("c", json!({"x": "1"}))] {
        let mut body = secret(name);
        body["metadata"]["labels"] = labels;
        w.post(&collection, &body).await.made();
    }
    collection
}

async fn j16_a_collection_is_deleted_and_listed_as_it_was(w: &World) {
    let collection = three(w).await;
    let before = w.get(&collection).await.ok();
    let deleted = w.delete(&collection).await.ok();
    assert_eq!((&deleted["kind"], &deleted["items"]), (&json!("SecretList"), &before["items"]));
    assert_eq!(w.get(&collection).await.ok()["items"], json!([]));
}

async fn j16b_a_collection_can_be_deleted_in_part(w: &World) {
    let collection = three(w).await;
    let deleted = w.delete(&with(&collection, &[("labelSelector", "x=1"), ("fieldSelector", "metadata.name!=c")])).await.ok();
    assert_eq!(names(&deleted), ["a"]);
    assert_eq!(names(&w.get(&collection).await.ok()), ["b", "c"]);
    w.delete(&with(&collection, &[("labelSelector", "x=1")])).await.ok();
    assert_eq!(names(&w.get(&collection).await.ok()), ["b"]);
}

async fn j16c_deleting_nothing_is_no_error(w: &World) {
    let deleted = w.delete(&w.core("secrets").await).await.ok();
    includes(&deleted, &json!({"kind": "SecretList", "items": []}));
}

async fn j16d_a_page_of_a_collection_can_be_deleted(w: &World) {
    let _history = w.site.history.read().await;
    let collection = three(w).await;
    let deleted = w.delete(&format!("{collection}?limit=1")).await.ok();
    assert_eq!(names(&deleted), ["a"]);
    assert!(deleted["metadata"]["continue"].is_string(), "{deleted}");
    assert_eq!(names(&w.get(&collection).await.ok()), ["b", "c"]);
}

async fn j16e_a_dry_run_deletes_no_collection(w: &World) {
    let collection = three(w).await;
    let would = w.delete(&format!("{collection}?dryRun=All")).await.ok();
    assert_eq!(names(&would), ["a", "b", "c"]);
    assert_eq!(names(&w.get(&collection).await.ok()), ["a", "b", "c"]);
}

async fn j16f_namespaces_and_all_namespaces_are_not_deleted_at_once(w: &World) {
    w.delete("/api/v1/namespaces?labelSelector=conf-nobody").await.method_not_allowed();
    w.delete("/api/v1/secrets?labelSelector=conf-nobody").await.method_not_allowed();
}
