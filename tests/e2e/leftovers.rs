//! Users delete in any order and at any time. What is left in the end is always nothing.

use std::time::Duration;

use anyhow::{Result, ensure};
use fake_driver::{Rpc, Rule};
use harness::{Kind, Node, Scene, objects, on_both_nodes};
use serde_json::json;

on_both_nodes!(a_claim_deleted_before_its_pod_stays_until_the_pod_is_gone, super::claim_first);
on_both_nodes!(a_pod_deleted_while_its_volume_is_being_staged_leaves_nothing, super::while_staging);

async fn claim_first(node: Node) -> Result<()> {
    let scene = Scene::of("claim-first", node).local().await?;
    let class = scene.class("local", json!({"type": "loop"})).await?;
    scene.create(&objects::claim("data", &class, "64Mi")).await?;
    let pod = scene.pod("user", "data").start().await?;
    scene.cluster.api.delete(Kind::PersistentVolumeClaim, &scene.name, "data", None).await?;

    pod.run("echo still here > file && sync && grep still file").await?;
    ensure!(scene.volumes().await?.len() == 1, "the volume went away under its pod");
    pod.delete().await?;
    scene.end().await
}

async fn while_staging(node: Node) -> Result<()> {
    let scene = Scene::of("while-staging", node).fake().await?;
    let fake = scene.driver.on_node()?;
    fake.set_script(vec![Rule::on(Rpc::NodeStageVolume).late(Duration::from_secs(2))]);
    let class = scene.class("slow", json!({})).await?;
    scene.create(&objects::claim("data", &class, "1Gi")).await?;
    let pod = scene.pod("user", "data").create().await?;
    let staging =
        fake.wait_for(|requests| requests.iter().any(|r| r.rpc() == Rpc::NodeStageVolume), Duration::from_secs(60)).await;
    ensure!(staging.is_some(), "no NodeStageVolume in 60 s\n{}", scene.events().await?);
    pod.delete().await?;
    scene.delete_claim("data").await?;

    let unstaged = fake.requests_of(Rpc::NodeUnstageVolume);
    ensure!(!unstaged.is_empty(), "what may have been staged was never unstaged");
    scene.end().await
}
