//! A volume that is there already, named by its handle in a PV that somebody wrote.

use anyhow::{Context as _, Result, ensure};
use harness::{Kind, Node, Scene, objects, on_both_nodes};
use serde_json::json;

on_both_nodes!(a_volume_named_by_its_handle_is_mounted_and_a_reader_cannot_write, super::adopted);

async fn adopted(node: Node) -> Result<()> {
    let scene = Scene::of("preprovisioned", node).local().await?;

    // Somebody's volume, left behind by a class that retains.
    let class = scene.class_with("retain", json!({"type": "loop"}), json!({"reclaimPolicy": "Retain"})).await?;
    scene.create(&objects::claim("first", &class, "64Mi")).await?;
    let first = scene.bound("first").await?;
    let writer = scene.pod("writer", "first").start().await?;
    writer.run("echo kept > file && sync").await?;
    writer.delete().await?;
    let api = &scene.cluster.api;
    api.delete(Kind::PersistentVolumeClaim, &scene.name, "first", None).await?;
    api.delete(Kind::PersistentVolume, "", objects::name(&first), None).await?;
    harness::eventually("the old PV to be gone", async || {
        ensure!(scene.volumes().await?.is_empty(), "it is there");
        Ok(())
    })
    .await?;
    ensure!(scene.driver.volumes()?.len() == 1, "Retain kept {:?}", scene.driver.volumes()?);

    // A PV written by hand for it, which lets go of the volume in the end.
    let handle = first["spec"]["csi"]["volumeHandle"].as_str().context("a PV without a handle")?;
    let name = scene.unique("adopted");
    let mut volume = objects::volume(&name, &scene.driver.name, handle, (&scene.name, "second"));
    volume["metadata"]["annotations"] = json!({"pv.kubernetes.io/provisioned-by": scene.driver.name});
    volume["spec"]["persistentVolumeReclaimPolicy"] = json!("Delete");
    volume["spec"]["csi"]["volumeAttributes"] = first["spec"]["csi"]["volumeAttributes"].clone();
    volume["spec"]["csi"]["fsType"] = json!("ext4");
    scene.create(&volume).await?;
    let mut second = objects::claim("second", "", "64Mi");
    second["spec"]["volumeName"] = json!(name);
    scene.create(&second).await?;

    let reader = scene.pod("reader", "second").read_only().start().await?;
    let read = reader.run("cat file").await?;
    ensure!(read == "kept", "read {read:?}");
    let refused = reader.sh("echo more >> file").await?;
    ensure!(!refused.ok && refused.text.contains("Read-only file system"), "a write to a read-only volume: {refused:?}");
    reader.delete().await?;

    let writer = scene.pod("second-writer", "second").start().await?;
    writer.run("echo more >> file && sync").await?;
    writer.delete().await?;
    scene.delete_claim("second").await?;
    scene.end().await
}
