//! The main job: what a pod wrote is there for the next pod, and after deletion nothing is.

use anyhow::{Result, ensure};
use harness::{Node, Scene, objects::claim, on_both_nodes};
use serde_json::json;

on_both_nodes!(data_outlives_the_pod_and_nothing_outlives_the_claim, super::on_a_filesystem);
on_both_nodes!(so_it_is_with_a_directory, super::on_a_directory);

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
