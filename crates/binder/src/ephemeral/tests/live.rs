//! Against the API store.

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::garbage::world::{World, claim, pod};

const NS: &str = "team-a";

fn scratch() -> Value {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    json!([{"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"of": "web"}}, "spec": spec}}}])
}

#[tokio::test]
async fn a_claim_comes_and_goes_with_its_pod() {
    let world = World::started().await;
    let uid = world.create("Pod", NS, "web-0", pod("", scratch())).await;
    let there = || async { world.get("PersistentVolumeClaim", NS, "web-0-scratch").await };
    world.eventually("the claim is made", || async { there().await.is_some() }).await;
    let claim = there().await.expect("a claim");
    assert_eq!(claim["metadata"]["ownerReferences"][0]["uid"], uid);
    assert_eq!(claim["metadata"]["labels"], json!({"of": "web"}));
    world.delete("Pod", NS, "web-0", DeleteParams::default().grace_period(0)).await;
    world.gone("PersistentVolumeClaim", NS, "web-0-scratch").await;
}

#[tokio::test]
async fn a_pod_deleted_in_the_foreground_does_not_wait_for_a_claim_that_waits_for_it() {
    let world = World::started().await;
    world.create("Pod", NS, "web-0", pod("n1", scratch())).await;
    let there = || async { world.get("PersistentVolumeClaim", NS, "web-0-scratch").await.is_some() };
    world.eventually("the claim is made", there).await;
    world.delete("Pod", NS, "web-0", DeleteParams::foreground().grace_period(0)).await;
    world.gone("Pod", NS, "web-0").await;
    world.gone("PersistentVolumeClaim", NS, "web-0-scratch").await;
}

#[tokio::test]
async fn a_claim_of_that_name_that_is_not_the_pods_is_told_of() {
    let world = World::started().await;
    world.create("PersistentVolumeClaim", NS, "web-0-scratch", claim("")).await;
    world.create("Pod", NS, "web-0", pod("", scratch())).await;
    let message = "ephemeral volume scratch: PVC team-a/web-0-scratch was not created for pod team-a/web-0 (pod is not owner)";
    world.told(NS, "FailedBinding", message).await;
    // Whoever is in the way goes, and the pod has its own.
    world.delete("PersistentVolumeClaim", NS, "web-0-scratch", DeleteParams::default()).await;
    let own = || async {
        let claim = world.get("PersistentVolumeClaim", NS, "web-0-scratch").await;
        claim.is_some_and(|claim| !claim["metadata"]["ownerReferences"].is_null())
    };
    world.eventually("the pod's own claim is there", own).await;
}
