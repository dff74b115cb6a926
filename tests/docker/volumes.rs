//! The life of a volume.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::rig::{IMAGE, Rig};

#[test]
fn a_volume_is_created_written_inspected_and_removed() -> Result<()> {
    let rig = Rig::start(&[])?;
    ensure!(rig.docker(&["volume", "create", "-d", &rig.plugin, "first"])? == "first");
    rig.run("first", "echo bytes > /data/file")?;
    ensure!(rig.mounts().is_empty(), "unmounted with its last container: {:?}", rig.mounts());
    ensure!(rig.run("first", "cat /data/file")? == "bytes", "another container reads what the first one wrote");

    let inspected: Value = serde_json::from_str(&rig.docker(&["volume", "inspect", "first"])?)?;
    let volume = &inspected[0];
    ensure!(volume["Driver"] == rig.plugin.as_str() && volume["Scope"] == "local", "{volume}");
    ensure!(volume["Status"]["driver"] == "local.csi.longshore.dev" && volume["Status"]["id"].is_string(), "{volume}");
    ensure!(volume["CreatedAt"].as_str().is_some_and(|at| at.starts_with("20")), "{volume}");
    ensure!(rig.volumes()? == "first");

    rig.docker(&["volume", "rm", "first"])?;
    rig.end()
}

#[test]
fn two_containers_share_a_volume_and_it_is_unmounted_with_the_last() -> Result<()> {
    let rig = Rig::start(&[])?;
    rig.docker(&["volume", "create", "-d", &rig.plugin, "shared"])?;
    rig.detached("one", "shared")?;
    rig.detached("two", "shared")?;
    ensure!(rig.operator("--list-mounts")?.lines().count() == 2, "{}", rig.operator("--list-mounts")?);
    let said = rig.refused(&["volume", "rm", "shared"])?;
    ensure!(said.contains("volume is in use"), "{said}");

    rig.stop("one")?;
    rig.writes("two", "shared")?;
    // A copy mounts the id again and unmounts it once while the container runs.
    rig.docker(&["cp", "two:/data/one", "-"])?;
    rig.writes("two", "shared")?;
    rig.stop("two")?;
    ensure!(rig.mounts().is_empty(), "{:?}", rig.mounts());
    rig.docker(&["rm", "one", "two"])?;
    rig.docker(&["volume", "rm", "shared"])?;
    rig.end()
}

#[test]
fn a_volume_of_an_enforced_size_comes_with_its_first_container() -> Result<()> {
    let rig = Rig::start(&["--driver=csi-blockdevices"])?;
    let mount =
        format!("type=volume,source=sized,target=/data,volume-driver={},volume-opt=size=64Mi,volume-opt=fsType=ext4", rig.plugin);
    // It ends with "No space left on device".
    let line = "cat /dev/zero > /data/full; ls /data";
    let shown = rig.docker(&["run", "--rm", "--network", "none", "--mount", &mount, IMAGE, "sh", "-c", line])?;
    ensure!(shown.contains("lost+found"), "it is a filesystem of its own: {shown}");
    let listed = rig.run("sized", "ls -l /data/full")?;
    let bytes: u64 = listed.split_whitespace().nth(4).unwrap_or_default().parse()?;
    ensure!((16 << 20..64 << 20).contains(&bytes), "full at its size: {listed}");
    rig.docker(&["volume", "rm", "sized"])?;

    let said = rig.refused(&["volume", "create", "-d", &rig.plugin, "-o", "size=lots", "bad"])?;
    ensure!(said.contains("option size is \"lots\"") && said.contains("512Mi"), "{said}");
    let said = rig.refused(&["volume", "create", "-d", &rig.plugin, "-o", "colour=blue", "bad"])?;
    ensure!(said.contains("colour") && said.contains("unknown"), "the driver's own words: {said}");
    rig.end()
}
