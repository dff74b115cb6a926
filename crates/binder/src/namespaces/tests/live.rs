//! Against the API store.

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::garbage::world::World;

fn condition<'a>(namespace: &'a Value, kind: &str) -> &'a Value {
    let conditions = namespace["status"]["conditions"].as_array();
    conditions.and_then(|all| all.iter().find(|condition| condition["type"] == kind)).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn every_namespace_has_its_default_account_and_gets_it_back() {
    let world = World::started().await;
    let there = || async { world.get("ServiceAccount", "team-a", "default").await };
    world.eventually("the account is there", || async { there().await.is_some() }).await;
    let first = there().await.expect("an account")["metadata"]["uid"].clone();
    world.delete("ServiceAccount", "team-a", "default", DeleteParams::default()).await;
    let again = || async { there().await.is_some_and(|account| account["metadata"]["uid"] != first) };
    world.eventually("the account is there again", again).await;
    assert!(world.get("ConfigMap", "team-a", "kube-root-ca.crt").await.is_none(), "no certificate is known");
}

#[tokio::test]
async fn the_certificate_is_the_same_in_every_namespace_whatever_is_done_to_it() {
    let mut world = World::new().await;
    world.config.root_ca = Some("PEM".into());
    world.start().await;
    let right = || async {
        let map = world.get("ConfigMap", "team-a", "kube-root-ca.crt").await;
        map.is_some_and(|map| map["data"] == json!({"ca.crt": "PEM"}))
    };
    world.eventually("the certificate is there", right).await;
    world.patch("ConfigMap", "team-a", "kube-root-ca.crt", json!({"data": {"ca.crt": "other", "more": "x"}})).await;
    world.eventually("the certificate is right again", right).await;
    world.delete("ConfigMap", "team-a", "kube-root-ca.crt", DeleteParams::default()).await;
    world.eventually("the certificate is there again", right).await;
}

#[tokio::test]
async fn an_empty_namespace_goes() {
    let world = World::started().await;
    world.delete("Namespace", "", "team-a", DeleteParams::default()).await;
    world.gone("Namespace", "", "team-a").await;
}

#[tokio::test]
async fn a_namespace_goes_when_the_last_of_its_content_does_and_says_what_that_is() {
    let world = World::started().await;
    world.create("ConfigMap", "team-a", "plain", json!({})).await;
    let held = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    world.create("ConfigMap", "team-a", "held", held).await;
    world.delete("Namespace", "", "team-a", DeleteParams::default()).await;
    let message = "Some resources are remaining: configmaps. has 1 resource instances";
    let says = || async {
        let namespace = world.get("Namespace", "", "team-a").await.expect("it waits");
        condition(&namespace, "NamespaceContentRemaining")["message"] == message
    };
    world.eventually(message, says).await;
    let namespace = world.get("Namespace", "", "team-a").await.expect("it waits");
    assert_eq!(
        condition(&namespace, "NamespaceFinalizersRemaining")["message"],
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"
    );
    world.patch("ConfigMap", "team-a", "held", json!({"metadata": {"finalizers": null}})).await;
    world.gone("Namespace", "", "team-a").await;
}

#[tokio::test]
async fn pods_go_before_what_they_may_need() {
    let world = World::started().await;
    let pod = json!({
        "metadata": {"finalizers": ["example.com/hold"]},
        "spec": {"containers": [{"name": "c", "image": "none"}]},
    });
    world.create("Pod", "team-a", "p", pod).await;
    world.create("Secret", "team-a", "needed", json!({})).await;
    world.delete("Namespace", "", "team-a", DeleteParams::default()).await;
    let waits = || async {
        let namespace = world.get("Namespace", "", "team-a").await.expect("it waits");
        condition(&namespace, "NamespaceContentRemaining")["status"] == "True"
    };
    world.eventually("the namespace waits for its pod", waits).await;
    assert!(world.get("Secret", "team-a", "needed").await.is_some());
    world.patch("Pod", "team-a", "p", json!({"metadata": {"finalizers": null}})).await;
    world.gone("Namespace", "", "team-a").await;
    assert!(world.get("Secret", "team-a", "needed").await.is_none());
}
