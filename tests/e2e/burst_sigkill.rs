//! Whoever is killed, and whenever: as many volumes as claims, no more and no fewer.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use fake_driver::{Rpc, Rule};
use harness::{Node, Scene, objects};
use serde_json::json;

const CLAIMS: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_claims_become_fifty_volumes_while_every_sidecar_is_killed() -> Result<()> {
    let mut scene = Scene::of("burst", Node::Kubelet).fake().await?;
    // Slow enough that calls are under way whenever a sidecar dies: half of them have had their effect, half have not.
    let fake = scene.driver.controller()?;
    fake.set_script(vec![
        Rule::on(Rpc::CreateVolume).matching("0").delay(Duration::from_millis(300)),
        Rule::on(Rpc::CreateVolume).late(Duration::from_millis(300)),
    ]);
    let class = scene.class("burst", json!({})).await?;
    for number in 0..CLAIMS {
        scene.create(&objects::claim(&format!("claim-{number}"), &class, "1Gi")).await?;
    }
    let victims: Vec<String> = scene.driver.sidecars().map(|(name, _)| name.to_owned()).collect();
    for round in 1..=3 {
        // A kill belongs to a moment of the work, not of the clock.
        let seen = round * CLAIMS / 5;
        let fake = scene.driver.controller()?;
        let reached = fake.wait_for_volumes(|volumes| volumes.len() >= seen, Duration::from_secs(60)).await;
        ensure!(reached.is_some(), "{} of {seen} volumes after 60 s\n{}", fake.volumes().len(), scene.events().await?);
        for victim in &victims {
            scene.driver.sidecar(victim)?.restart()?;
        }
    }

    let handles = harness::eventually("all claims to be bound", async || {
        let volumes = scene.volumes().await?;
        let bound: Vec<_> = volumes.iter().filter(|volume| volume["status"]["phase"] == "Bound").collect();
        ensure!(bound.len() == CLAIMS, "{} of {} PVs are bound", bound.len(), volumes.len());
        Ok(bound
            .iter()
            .filter_map(|volume| volume["spec"]["csi"]["volumeHandle"].as_str().map(str::to_owned))
            .collect::<BTreeSet<_>>())
    })
    .await?;
    let in_driver: BTreeSet<String> = scene.driver.volumes()?.into_iter().collect();
    ensure!(handles == in_driver, "PVs name {} volumes, the driver has {}", handles.len(), in_driver.len());
    ensure!(in_driver.len() == CLAIMS, "{} volumes for {CLAIMS} claims", in_driver.len());
    scene.end().await
}
