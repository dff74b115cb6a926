//! A driver that attaches nothing works whether Kubernetes was told so or not.

use anyhow::{Result, ensure};
use fake_driver::{ControllerCap, Rpc};
use harness::{Kind, Node, Scene, objects, on_both_nodes};
use serde_json::json;

on_both_nodes!(it_works_without_a_csidriver_object, super::untold);
on_both_nodes!(it_works_with_attach_required_false_and_no_attachment_is_made, super::told);

async fn untold(node: Node) -> Result<()> {
    let scene = scene("no-publish", node).await?;
    let attachments = used(&scene).await?;
    ensure!(attachments.len() == 1, "the controllers were not told, so there is one attachment: {attachments:?}");
    ensure!(attachments[0]["status"]["attached"] == true, "{}", attachments[0]["status"]);
    ensure!(attachments[0]["metadata"]["finalizers"].is_null(), "nothing is to be undone: {}", attachments[0]["metadata"]);
    ended(scene).await
}

async fn told(node: Node) -> Result<()> {
    let scene = scene("no-attach", node).await?;
    scene.create(&objects::csi_driver(&scene.driver.name, false)).await?;
    let attachments = used(&scene).await?;
    ensure!(attachments.is_empty(), "{attachments:?}");
    ended(scene).await
}

async fn scene(promise: &str, node: Node) -> Result<Scene> {
    Scene::of(promise, node).fake_with(|builder, _| builder.controller_caps([ControllerCap::CreateDeleteVolume])).await
}

/// The attachments while a pod has the volume.
async fn used(scene: &Scene) -> Result<Vec<serde_json::Value>> {
    let class = scene.class("plain", json!({})).await?;
    scene.create(&objects::claim("data", &class, "1Gi")).await?;
    let pod = scene.pod("user", "data").start().await?;
    pod.run("echo bytes > file && grep bytes file").await?;
    let attachments = scene.attachments().await?;
    pod.delete().await?;
    Ok(attachments)
}

async fn ended(scene: Scene) -> Result<()> {
    let fake = scene.driver.controller()?;
    for rpc in [Rpc::ControllerPublishVolume, Rpc::ControllerUnpublishVolume] {
        ensure!(fake.requests_of(rpc).is_empty(), "{} was sent to a driver without it", rpc.name());
    }
    scene.cluster.api.delete(Kind::CSIDriver, "", &scene.driver.name, None).await?;
    scene.delete_claim("data").await?;
    scene.end().await
}
