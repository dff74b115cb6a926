//! A volume is made where its first pod was scheduled, and says that it can be used nowhere else.

use anyhow::{Context as _, Result, ensure};
use fake_driver::{PluginCap, Rpc};
use harness::{Kind, Node, Scene, objects::claim, on_both_nodes};
use serde_json::json;

on_both_nodes!(a_volume_is_made_where_the_pod_was_scheduled_and_its_node_affinity_says_so, super::waits);

async fn waits(node: Node) -> Result<()> {
    let promise = "first-consumer";
    let key = format!("topology.{promise}-{}/node", node.short());
    let scene = Scene::of(promise, node)
        .provisioner("--feature-gates=Topology=true")
        .fake_with(|builder, on| {
            builder
                .plugin_caps([PluginCap::ControllerService, PluginCap::VolumeAccessibilityConstraints])
                .topology([(key.clone(), on.name())])
        })
        .await?;
    let class = scene.class_with("late", json!({}), json!({"volumeBindingMode": "WaitForFirstConsumer"})).await?;
    scene.create(&claim("data", &class, "1Gi")).await?;

    // The controller manager says that it waits; until then nothing was asked of the driver.
    harness::eventually("the claim to wait for its first consumer", async || {
        let events = scene.events().await?;
        ensure!(events.contains("WaitForFirstConsumer"), "events:\n{events}");
        Ok(())
    })
    .await?;
    let fake = scene.driver.controller()?;
    ensure!(fake.requests_of(Rpc::CreateVolume).is_empty(), "a volume was made before its pod was scheduled");

    let pod = scene.pod("user", "data").start().await?;
    pod.run("echo here > file && sync").await?;

    let request = fake.requests_of(Rpc::CreateVolume).first().context("no CreateVolume")?.json();
    let preferred = &request["accessibility_requirements"]["preferred"][0]["segments"];
    ensure!(*preferred == json!({key.clone(): node.name()}), "preferred {preferred}");
    let volume = scene.bound("data").await?;
    let terms = &volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"];
    let wanted = json!([{"matchExpressions": [{"key": key, "operator": "In", "values": [node.name()]}]}]);
    ensure!(*terms == wanted, "nodeAffinity {terms}");
    let bound = scene.get(Kind::PersistentVolumeClaim, "data").await?;
    let selected = &bound["metadata"]["annotations"]["volume.kubernetes.io/selected-node"];
    ensure!(selected == node.name(), "selected node {selected}");

    pod.delete().await?;
    scene.delete_claim("data").await?;
    scene.end().await
}
