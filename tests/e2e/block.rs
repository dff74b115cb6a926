//! A raw device: the pod gets a device of the size asked for, and its bytes stay.

use anyhow::{Result, ensure};
use harness::{Node, Scene, objects::claim, on_both_nodes};
use serde_json::json;

on_both_nodes!(a_raw_block_volume_keeps_its_bytes, super::raw);

async fn raw(node: Node) -> Result<()> {
    let scene = Scene::of("block", node).local().await?;
    let class = scene.class("raw", json!({"type": "loop"})).await?;
    let mut wanted = claim("disk", &class, "32Mi");
    wanted["spec"]["volumeMode"] = json!("Block");
    scene.create(&wanted).await?;

    let writer = scene.pod("writer", "disk").block().start().await?;
    let size = writer.run("blockdev --getsize64 $DATA").await?;
    ensure!(size == (32 << 20).to_string(), "the device has {size} bytes");
    writer.run("printf 'raw bytes' | dd of=$DATA bs=512 seek=8 conv=notrunc,fsync 2>/dev/null").await?;
    writer.delete().await?;

    let reader = scene.pod("reader", "disk").block().start().await?;
    let read = reader.run("dd if=$DATA bs=1 skip=4096 count=9 2>/dev/null").await?;
    ensure!(read == "raw bytes", "read {read:?}");
    reader.delete().await?;
    scene.delete_claim("disk").await?;
    scene.end().await
}
