//! Namespaces: how one ends. Controllers empty it.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    c11_a_namespaces_name_is_a_label,
    c15_nothing_new_comes_into_a_namespace_that_ends,
    c15b_what_is_in_a_namespace_that_ends_can_be_changed,
    d1b_a_namespace_gets_an_account_and_a_certificate,
    g27_a_namespaces_finalizers_stay_where_they_are_put,
    j17_a_namespace_ends_in_steps,
    j17b_a_namespace_takes_its_content_with_it,
    j17c_finalize_ends_a_namespace,
    j17d_some_namespaces_stay,
    j17e_a_namespace_waits_for_finalizers_in_it,
}

async fn make(w: &World) -> String {
    let name = w.name("ns");
    w.post("/api/v1/namespaces", &json!({"metadata": {"name": name}})).await.made();
    name
}

/// A namespace that cannot end, because something in it has a finalizer.
async fn ending(w: &World) -> String {
    let name = make(w).await;
    let collection = format!("/api/v1/namespaces/{name}/secrets");
    for (secret_name, finalizers) in [("held", json!(["x.io/f"])), ("free", json!([]))] {
        let mut body = secret(secret_name);
        body["metadata"]["finalizers"] = finalizers;
        w.post(&collection, &body).await.made();
    }
    w.delete(&format!("/api/v1/namespaces/{name}")).await.ok();
    name
}

async fn c11_a_namespaces_name_is_a_label(w: &World) {
    let reply = w.post("/api/v1/namespaces", &json!({"metadata": {"name": "a.b"}})).await;
    let message = "Invalid value: \"a.b\": must not contain dots";
    reply.invalid("Namespace", "a.b", &[("metadata.name", "Invalid", message)]);
}

async fn c15_nothing_new_comes_into_a_namespace_that_ends(w: &World) {
    let name = ending(w).await;
    let collection = format!("/api/v1/namespaces/{name}/configmaps");
    let message =
        format!("configmaps \"x\" is forbidden: unable to create new content in namespace {name} because it is being terminated");
    // The server's own look at the namespace may be a moment old.
    let reply = eventually("the namespace's end being known", async || {
        let reply = w.post(&collection, &config_map("x")).await;
        (reply.code != 201 && reply.code != 409).then_some(reply)
    });
    let details = reply.await.refused(403, "Forbidden", &message);
    let cause = json!({"reason": "NamespaceTerminating", "message": format!("namespace {name} is being terminated"), "field": "metadata.namespace"});
    assert_eq!(details, json!({"name": "x", "kind": "configmaps", "causes": [cause]}));
}

async fn c15b_what_is_in_a_namespace_that_ends_can_be_changed(w: &World) {
    let name = ending(w).await;
    let path = format!("/api/v1/namespaces/{name}/secrets/held");
    let found = w.merge(&path, &json!({"metadata": {"labels": {"a": "1"}}})).await.ok();
    assert_eq!(found["metadata"]["labels"], json!({"a": "1"}));
}

async fn d1b_a_namespace_gets_an_account_and_a_certificate(w: &World) {
    let name = make(w).await;
    for path in ["serviceaccounts/default", "configmaps/kube-root-ca.crt"] {
        let path = format!("/api/v1/namespaces/{name}/{path}");
        eventually(&path, async || (w.get(&path).await.code == 200).then_some(())).await;
    }
}

async fn g27_a_namespaces_finalizers_stay_where_they_are_put(w: &World) {
    let path = format!("/api/v1/namespaces/{}", make(w).await);
    let mut body = w.get(&path).await.ok();
    body["spec"]["finalizers"] = json!([]);
    assert_eq!(w.put(&path, &body).await.ok()["spec"]["finalizers"], json!(["kubernetes"]));
    body["spec"]["finalizers"] = json!(["kubernetes", "x.io/f"]);
    body["metadata"].as_object_mut().expect("a map").remove("resourceVersion");
    assert_eq!(w.put(&format!("{path}/finalize"), &body).await.ok()["spec"]["finalizers"], json!(["kubernetes", "x.io/f"]));
    body["spec"]["finalizers"] = json!(["kubernetes"]);
    w.put(&format!("{path}/finalize"), &body).await.ok();
}

async fn j17_a_namespace_ends_in_steps(w: &World) {
    let path = format!("/api/v1/namespaces/{}", make(w).await);
    let marked = w.delete(&path).await.ok();
    includes(&marked, &json!({"kind": "Namespace", "status": {"phase": "Terminating"}, "spec": {"finalizers": ["kubernetes"]}}));
    assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
    assert_eq!(marked["metadata"].get("deletionGracePeriodSeconds"), None);
    let again = w.delete(&path).await;
    assert!(again.code == 200 || again.code == 404 || again.code == 409, "{}", again.text());
    eventually("the namespace's end", async || (w.get(&path).await.code == 404).then_some(())).await;
}

async fn j17b_a_namespace_takes_its_content_with_it(w: &World) {
    let name = make(w).await;
    let kinds = [
        ("secrets", secret("x")),
        ("configmaps", config_map("x")),
        ("persistentvolumeclaims", claim("x")),
        ("pods", pod("x")),
        ("serviceaccounts", json!({"metadata": {"name": "x"}})),
    ];
    for (plural, body) in &kinds {
        w.post(&format!("/api/v1/namespaces/{name}/{plural}"), body).await.made();
    }
    w.post(&format!("/apis/{LEASES}/namespaces/{name}/leases"), &lease("x")).await.made();
    w.delete(&format!("/api/v1/namespaces/{name}")).await.ok();
    eventually("the namespace's end", async || (w.get(&format!("/api/v1/namespaces/{name}")).await.code == 404).then_some(()))
        .await;
    for (plural, _) in &kinds {
        w.get(&format!("/api/v1/namespaces/{name}/{plural}/x")).await.missing(plural, "x");
    }
    w.get(&format!("/apis/{LEASES}/namespaces/{name}/leases/x")).await.missing("leases.coordination.k8s.io", "x");
}

async fn j17c_finalize_ends_a_namespace(w: &World) {
    let name = ending(w).await;
    let path = format!("/api/v1/namespaces/{name}");
    let done = async || {
        let mut body = w.get(&path).await.json();
        body["spec"] = json!({"finalizers": []});
        (w.put(&format!("{path}/finalize"), &body).await.code == 200).then_some(())
    };
    eventually("a write between the controller's", done).await;
    w.get(&path).await.missing("namespaces", &name);
    let held = format!("{path}/secrets/held");
    w.merge(&held, &json!({"metadata": {"finalizers": null}})).await;
    w.delete(&held).await;
}

async fn j17d_some_namespaces_stay(w: &World) {
    for name in ["default", "kube-system"] {
        let message = format!("namespaces \"{name}\" is forbidden: this namespace may not be deleted");
        let details = w.delete(&format!("/api/v1/namespaces/{name}?dryRun=All")).await.refused(403, "Forbidden", &message);
        assert_eq!(details, json!({"name": name, "kind": "namespaces"}));
    }
}

fn condition<'o>(namespace: &'o Value, kind: &str) -> &'o Value {
    let conditions = namespace["status"]["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    conditions.iter().find(|condition| condition["type"] == kind).unwrap_or(&Value::Null)
}

async fn j17e_a_namespace_waits_for_finalizers_in_it(w: &World) {
    let name = ending(w).await;
    let path = format!("/api/v1/namespaces/{name}");
    let held = format!("{path}/secrets/held");
    eventually("the other content's end", async || (w.get(&format!("{path}/secrets/free")).await.code == 404).then_some(()))
        .await;
    assert!(w.get(&held).await.ok()["metadata"]["deletionTimestamp"].is_string());
    let told = async || {
        let found = w.get(&path).await.ok();
        (condition(&found, "NamespaceFinalizersRemaining")["status"] == "True").then_some(found)
    };
    let found = eventually("the namespace to say why it waits", told).await;
    let message = condition(&found, "NamespaceFinalizersRemaining")["message"].as_str().expect("a message");
    assert_eq!(message, "Some content in the namespace has finalizers remaining: x.io/f in 1 resource instances");
    w.merge(&held, &json!({"metadata": {"finalizers": null}})).await.ok();
    eventually("the namespace's end", async || (w.get(&path).await.code == 404).then_some(())).await;
}
