//! node-mounter may be killed at any moment: there is one mount in the end, and none after deletion.

use std::time::Duration;

use anyhow::{Result, bail, ensure};
use fake_driver::{Code, Rpc, Rule};
use harness::{Node, Scene, mounts, objects};
use serde_json::json;

/// Long enough that the process is dead before the call's other half happens.
const HELD: Duration = Duration::from_millis(1500);

/// When to kill.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// As soon as the pod exists.
    Created,
    /// The attacher is done; nothing was mounted.
    Attached,
    /// This call has arrived for the so-manieth time, under these faults.
    Call(Rpc, usize),
    /// The volume is there.
    Mounted,
    /// Right after the start that follows such a kill, and again.
    MountedTwice,
}

/// Ten points on the way of a mount, and the faults that hold the call there.
fn points() -> Vec<(&'static str, Moment, Vec<Rule>)> {
    let refused = |rpc| Rule::on(rpc).nth(0).fail(Code::Unavailable, "not now");
    vec![
        ("the pod was created", Moment::Created, vec![]),
        ("the volume was attached", Moment::Attached, vec![]),
        (
            "staging has begun and had no effect",
            Moment::Call(Rpc::NodeStageVolume, 1),
            vec![Rule::on(Rpc::NodeStageVolume).nth(0).delay(HELD)],
        ),
        (
            "staging has had its effect and no answer",
            Moment::Call(Rpc::NodeStageVolume, 1),
            vec![Rule::on(Rpc::NodeStageVolume).nth(0).late(HELD)],
        ),
        (
            "staging was refused and is tried again",
            Moment::Call(Rpc::NodeStageVolume, 2),
            vec![refused(Rpc::NodeStageVolume), Rule::on(Rpc::NodeStageVolume).nth(1).late(HELD)],
        ),
        (
            "publishing has begun and had no effect",
            Moment::Call(Rpc::NodePublishVolume, 1),
            vec![Rule::on(Rpc::NodePublishVolume).nth(0).delay(HELD)],
        ),
        (
            "publishing has had its effect and no answer",
            Moment::Call(Rpc::NodePublishVolume, 1),
            vec![Rule::on(Rpc::NodePublishVolume).nth(0).late(HELD)],
        ),
        (
            "publishing was refused and is tried again",
            Moment::Call(Rpc::NodePublishVolume, 2),
            vec![refused(Rpc::NodePublishVolume), Rule::on(Rpc::NodePublishVolume).nth(1).late(HELD)],
        ),
        ("the volume was mounted", Moment::Mounted, vec![]),
        ("the volume was mounted, twice", Moment::MountedTwice, vec![]),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_ten_points_of_a_mount_there_is_one_mount_and_none_after_deletion() -> Result<()> {
    let mut scene = Scene::of("mounter-kill", Node::OwnMounter).fake().await?;
    let class = scene.class("plain", json!({})).await?;
    for (number, (point, moment, rules)) in points().into_iter().enumerate() {
        let claim = format!("data-{number}");
        scene.create(&objects::claim(&claim, &class, "1Gi")).await?;
        scene.bound(&claim).await?;
        if let Err(error) = killed_at(&mut scene, &claim, moment, rules).await {
            bail!("killed when {point}: {error:#}\n{}", scene.events().await?);
        }
        scene.delete_claim(&claim).await?;
    }
    scene.end().await
}

async fn killed_at(scene: &mut Scene, claim: &str, moment: Moment, rules: Vec<Rule>) -> Result<()> {
    let before = scene.driver.on_node()?.requests().len();
    scene.driver.on_node()?.set_script(rules);
    let name = format!("user-of-{claim}");
    // The pod borrows the scene, whose process is to be killed meanwhile: so it is created, dropped, and found again.
    scene.pod(&name, claim).create().await?;
    await_moment(scene, claim, moment, before).await?;
    scene.driver.sidecar("node-mounter")?.restart()?;
    if matches!(moment, Moment::MountedTwice) {
        scene.driver.sidecar("node-mounter")?.restart()?;
    }

    let pod = scene.pod(&name, claim).find().await?;
    pod.ready().await?;
    pod.run("echo bytes > file && grep bytes file").await?;
    let path = pod.path().await?;
    let there: Vec<_> = mounts(&path)?.into_iter().filter(|mount| mount.point == path).collect();
    ensure!(there.len() == 1, "{} mounts: {there:?}", there.len());
    // Deletion waits until no mount is left.
    pod.delete().await
}

async fn await_moment(scene: &Scene, claim: &str, moment: Moment, before: usize) -> Result<()> {
    match moment {
        Moment::Created => Ok(()),
        Moment::Attached => {
            harness::eventually("the volume to be attached", async || {
                let attachments = scene.attachments().await?;
                ensure!(attachments.iter().any(|attachment| attachment["status"]["attached"] == true), "{attachments:?}");
                Ok(())
            })
            .await
        }
        Moment::Call(rpc, times) => {
            let enough = |requests: &[fake_driver::Recorded]| {
                requests[before..].iter().filter(|request| request.rpc() == rpc).count() >= times
            };
            let reached = scene.driver.on_node()?.wait_for(enough, Duration::from_secs(60)).await;
            ensure!(reached.is_some(), "no {} within 60 s", rpc.name());
            Ok(())
        }
        Moment::Mounted | Moment::MountedTwice => {
            let pod = scene.pod(&format!("user-of-{claim}"), claim).find().await?;
            pod.ready().await
        }
    }
}
