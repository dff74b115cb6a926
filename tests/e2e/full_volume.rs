//! A size is a limit: a volume that is full says so, to its own pod and nobody else.

use anyhow::{Result, ensure};
use harness::{Node, Scene, objects::claim, on_both_nodes};
use serde_json::json;

on_both_nodes!(an_ext4_volume_is_full_at_its_size, super::full);

async fn full(node: Node) -> Result<()> {
    const SIZE: u64 = 64 << 20;
    let scene = Scene::of("full-volume", node).local().await?;
    let class = scene.class("small", json!({"type": "loop"})).await?;
    scene.create(&claim("data", &class, "64Mi")).await?;
    let pod = scene.pod("user", "data").start().await?;

    let output = pod.sh("dd if=/dev/zero of=big bs=1M count=200").await?;
    ensure!(!output.ok && output.text.contains("No space left on device"), "200 MiB into 64: {output:?}");
    let written: u64 = pod.run("stat -c %s big").await?.parse()?;
    ensure!((SIZE / 2..SIZE).contains(&written), "{written} bytes fitted into a volume of {SIZE}");
    pod.run("rm big && echo room > file && sync").await?;

    pod.delete().await?;
    scene.delete_claim("data").await?;
    scene.end().await
}
