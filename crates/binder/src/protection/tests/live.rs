//! Against the API store.

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::garbage::world::{World, claim, pod, volume};

const NS: &str = "team-a";

fn held(object: &Value, finalizer: &str) -> bool {
    object["metadata"]["finalizers"].as_array().is_some_and(|all| all.iter().any(|have| have == finalizer))
}

#[tokio::test]
async fn a_claim_stays_until_the_last_pod_with_a_node_is_gone() {
    let world = World::started().await;
    world.create("PersistentVolumeClaim", NS, "data", claim("")).await;
    world.create("Pod", NS, "user", pod("n1", json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]))).await;
    world.create("Pod", NS, "waits", pod("", json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]))).await;
    world.delete("PersistentVolumeClaim", NS, "data", DeleteParams::default()).await;
    world.settled().await;
    let kept = world.get("PersistentVolumeClaim", NS, "data").await.expect("it is used");
    assert!(held(&kept, "kubernetes.io/pvc-protection"));
    world.delete("Pod", NS, "user", DeleteParams::default().grace_period(0)).await;
    world.gone("PersistentVolumeClaim", NS, "data").await;
}

#[tokio::test]
async fn a_claim_that_nobody_uses_goes_at_once() {
    let world = World::started().await;
    world.create("PersistentVolumeClaim", NS, "data", claim("")).await;
    world.delete("PersistentVolumeClaim", NS, "data", DeleteParams::default()).await;
    world.gone("PersistentVolumeClaim", NS, "data").await;
}

#[tokio::test]
async fn a_volume_stays_while_it_is_bound() {
    let world = World::started().await;
    let mut bound = volume("h", "data", "some-uid");
    bound["status"] = json!({"phase": "Bound"});
    world.create("PersistentVolume", "", "pv-1", bound).await;
    world.delete("PersistentVolume", "", "pv-1", DeleteParams::default()).await;
    world.settled().await;
    let kept = world.get("PersistentVolume", "", "pv-1").await.expect("it is bound");
    assert!(held(&kept, "kubernetes.io/pv-protection"));
    world.patch_status("PersistentVolume", "", "pv-1", json!({"status": {"phase": "Released"}})).await;
    world.gone("PersistentVolume", "", "pv-1").await;
}

#[tokio::test]
async fn a_finalizer_that_somebody_took_off_comes_back() {
    let world = World::started().await;
    world.create("PersistentVolumeClaim", NS, "data", claim("")).await;
    world.patch("PersistentVolumeClaim", NS, "data", json!({"metadata": {"finalizers": null}})).await;
    let again = || async {
        let claim = world.get("PersistentVolumeClaim", NS, "data").await.expect("a claim");
        held(&claim, "kubernetes.io/pvc-protection")
    };
    world.eventually("the finalizer is back", again).await;
}

#[tokio::test]
async fn an_attributes_class_stays_while_a_claim_names_it() {
    let world = World::started().await;
    world.create("VolumeAttributesClass", "", "fast", json!({"driverName": "d", "parameters": {"iops": "1"}})).await;
    let mut named = claim("");
    named["spec"]["volumeAttributesClassName"] = json!("fast");
    world.create("PersistentVolumeClaim", NS, "data", named).await;
    world.delete("VolumeAttributesClass", "", "fast", DeleteParams::default()).await;
    world.settled().await;
    assert!(world.get("VolumeAttributesClass", "", "fast").await.is_some());
    world.delete("PersistentVolumeClaim", NS, "data", DeleteParams::default()).await;
    world.gone("VolumeAttributesClass", "", "fast").await;
}
