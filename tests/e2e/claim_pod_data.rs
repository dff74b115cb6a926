//! The main job: what a pod wrote is there for the next pod, and after deletion nothing is.

use anyhow::{Result, ensure};
use harness::{Kind, Node, Scene, eventually, objects, objects::claim, on_both_nodes};
use serde_json::{Value, json};

on_both_nodes!(data_outlives_the_pod_and_nothing_outlives_the_claim, super::on_a_filesystem);
on_both_nodes!(so_it_is_with_a_directory, super::on_a_directory);

on_both_nodes!(a_claim_without_a_class_gets_the_default_one, super::by_default);

async fn on_a_filesystem(node: Node) -> Result<()> {
    kept(Scene::of("claim-pod-data", node).local().await?, "loop").await
}

async fn on_a_directory(node: Node) -> Result<()> {
    kept(Scene::of("claim-pod-dir", node).local().await?, "directory").await
}

async fn kept(scene: Scene, kind: &str) -> Result<()> {
    let class = scene.class("local", json!({"type": kind})).await?;
    scene.create(&claim("data", &class, "64Mi")).await?;

    let writer = scene.pod("writer", "data").start().await?;
    writer.run("echo 'first pod' > file && sync").await?;
    writer.delete().await?;

    let reader = scene.pod("reader", "data").start().await?;
    let read = reader.run("cat file").await?;
    ensure!(read == "first pod", "the second pod read {read:?}");
    reader.delete().await?;

    scene.delete_claim("data").await?;
    scene.end().await
}

/// The default class is the cluster's, of the driver that `hack/cluster up` starts, and this scene's own driver has no part in it.
async fn by_default(node: Node) -> Result<()> {
    let scene = Scene::of("default-class", node).fake().await?;
    let mut wanted = claim("data", "", "32Mi");
    wanted["spec"]["storageClassName"] = Value::Null;
    scene.create(&wanted).await?;
    let pod = scene.pod("user", "data").start().await?;
    pod.run("echo bytes > file && sync && grep bytes file").await?;
    let volume = scene.bound("data").await?;
    ensure!(volume["spec"]["storageClassName"] == "local", "class {}", volume["spec"]["storageClassName"]);
    ensure!(volume["spec"]["csi"]["driver"] == "local.csi.longshore.dev", "{}", volume["spec"]["csi"]);
    pod.delete().await?;
    scene.delete_claim("data").await?;
    eventually("the volume to be gone", async || {
        let left = scene.cluster.api.find(Kind::PersistentVolume, "", objects::name(&volume)).await?;
        ensure!(left.is_none(), "{left:?}");
        Ok(())
    })
    .await?;
    scene.end().await
}
