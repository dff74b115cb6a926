//! The class's filesystem and mount options are what the kernel's mount table shows.

use anyhow::{Context as _, Result, ensure};
use harness::{Node, Scene, mounts, objects::claim, on_both_nodes};
use serde_json::json;

on_both_nodes!(xfs_with_the_classs_mount_options_is_what_the_mount_table_shows, super::xfs);

async fn xfs(node: Node) -> Result<()> {
    let scene = Scene::of("xfs", node).local().await?;
    let parameters = json!({"type": "loop", "csi.storage.k8s.io/fstype": "xfs"});
    let class = scene.class_with("xfs", parameters, json!({"mountOptions": ["noatime", "swalloc"]})).await?;
    // The smallest that mkfs.xfs makes is 300 MiB.
    scene.create(&claim("data", &class, "320Mi")).await?;

    let pod = scene.pod("user", "data").start().await?;
    let path = pod.path().await?;
    let mount = mounts(&path)?.into_iter().find(|mount| mount.point == path).context("not mounted")?;
    ensure!(mount.fs_type == "xfs", "{mount:?}");
    ensure!(mount.options.split(',').any(|option| option == "noatime"), "noatime is of the mount: {mount:?}");
    ensure!(mount.super_options.split(',').any(|option| option == "swalloc"), "swalloc is of the filesystem: {mount:?}");
    pod.run("echo x > file && sync").await?;
    pod.delete().await?;
    scene.delete_claim("data").await?;
    scene.end().await
}
