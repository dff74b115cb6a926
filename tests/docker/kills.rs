//! SIGKILL of either side: nothing that a container uses goes away, and nothing stays for ever.

use anyhow::{Context as _, Result, ensure};

use crate::rig::Rig;

#[test]
fn the_bridge_is_killed_under_a_container_and_comes_back() -> Result<()> {
    let mut rig = Rig::start(&[])?;
    rig.docker(&["volume", "create", "-d", &rig.plugin, "mine"])?;
    rig.detached("before", "mine")?;
    rig.kill_bridge()?;
    rig.writes("before", "mine")?;
    rig.serve()?;
    rig.writes("before", "mine")?;
    rig.detached("after", "mine")?;
    ensure!(rig.volumes()? == "mine");
    rig.stop("before")?;
    rig.writes("after", "mine")?;
    // And a clean restart in between.
    rig.stop_bridge()?;
    rig.serve()?;
    rig.stop("after")?;
    ensure!(rig.mounts().is_empty(), "{:?}", rig.mounts());
    rig.docker(&["rm", "before", "after"])?;
    rig.docker(&["volume", "rm", "mine"])?;
    rig.end()
}

/// A dockerd that was killed cleans its containers up without a word to the plugin, and mounts with the same id again. What is left
/// then is an id that nobody will ever unmount: `docker volume rm` says so, and how to take it back.
#[test]
fn dockerd_is_killed_under_a_container_and_what_it_forgets_is_taken_back() -> Result<()> {
    let rig = Rig::start(&[])?;
    rig.docker(&["volume", "create", "-d", &rig.plugin, "kept"])?;
    rig.detached("box", "kept")?;
    rig.dockerd("kill")?;
    rig.dockerd("up")?;
    ensure!(rig.volumes()? == "kept", "dockerd still has its record");
    rig.docker(&["rm", "-f", "box"])?;
    rig.detached("again", "kept")?;
    rig.stop("again")?;
    rig.docker(&["rm", "again"])?;

    let mounts = rig.operator("--list-mounts")?;
    let line = mounts.lines().next().context("the killed container's id is left")?;
    let id = line.split('\t').nth(1).context("volume, id, count")?;
    let said = rig.refused(&["volume", "rm", "kept"])?;
    ensure!(said.contains(id) && said.contains("--forget-mount kept/"), "{said}");
    rig.operator(&format!("--forget-mount=kept/{id}"))?;
    ensure!(rig.mounts().is_empty(), "{:?}", rig.mounts());
    rig.docker(&["volume", "rm", "kept"])?;
    rig.end()
}

#[test]
fn while_the_bridge_is_away_docker_keeps_its_volumes_through_a_restart_of_its_own() -> Result<()> {
    let mut rig = Rig::start(&[])?;
    rig.docker(&["volume", "create", "-d", &rig.plugin, "patient"])?;
    rig.run("patient", "echo bytes > /data/file")?;
    rig.kill_bridge()?;
    rig.dockerd("kill")?;
    rig.dockerd("up")?;
    rig.serve()?;
    ensure!(rig.run("patient", "cat /data/file")? == "bytes");
    rig.docker(&["volume", "rm", "patient"])?;
    rig.end()
}
