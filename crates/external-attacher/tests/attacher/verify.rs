use std::time::Duration;

use fake_driver::{Builder, ControllerCap, Rpc};
use serde_json::json;

use crate::world::World;

async fn listing(script: &str) -> World {
    let caps = |driver: Builder| {
        use ControllerCap as Cap;
        driver.controller_caps([Cap::PublishUnpublishVolume, Cap::ListVolumes, Cap::ListVolumesPublishedNodes])
    };
    World::prepare(script, caps).await
}

#[tokio::test]
async fn what_the_driver_no_longer_lists_as_published_is_published_again() {
    let mut world = listing("").await;
    world.volume("pv", json!({})).await;
    world.volume("other", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.attachment("va-other", "other", "n1").await;
    world.restart().await;
    world.until("attached", |world| world.is_attached("va") && world.is_attached("va-other")).await;
    // The backend forgets everything, as when somebody detaches by hand.
    world.stop_driver().await;
    world.forget_volumes();
    world.start_driver("").await;
    world.until("published again", |world| world.calls(Rpc::ControllerPublishVolume).len() >= 2).await;
    assert!(world.is_attached("va") && world.is_attached("va-other"), "the status was right all the time");
    assert!(world.calls(Rpc::ListVolumes).iter().all(|call| call["max_entries"] == 1));
}

#[tokio::test]
async fn a_contradiction_that_the_next_list_takes_back_is_forgotten() {
    // Publishing again is refused, so that the contradiction stands until the list agrees.
    let mut world = listing("").await;
    world.settings.backoff.start = Duration::from_secs(1);
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.restart().await;
    world.until("attached", |world| world.is_attached("va")).await;
    world.stop().await;
    world.stop_driver().await;
    let kept = world.forget_volumes();
    world.start_driver("rules: [{rpc: ControllerPublishVolume, fault: {code: Internal}}]").await;
    world.restart().await;
    world.until("tried", |world| !world.calls(Rpc::ControllerPublishVolume).is_empty()).await;
    world.stop_driver().await;
    world.remember_volumes(&kept);
    world.start_driver("").await;
    world.until("lists until long after the backoff", |world| world.calls(Rpc::ListVolumes).len() >= 20).await;
    assert_eq!(world.calls(Rpc::ControllerPublishVolume).len(), 0, "it is as it should be");
}

#[tokio::test]
async fn a_list_that_takes_long_does_not_hold_up_a_shutdown() {
    let mut world = listing("rules: [{rpc: ListVolumes, hang: true}]").await;
    world.call_limit = Duration::from_secs(60);
    world.restart().await;
    world.until("the list", |world| !world.calls(Rpc::ListVolumes).is_empty()).await;
    assert!(tokio::time::timeout(Duration::from_secs(10), world.stop()).await.is_ok());
}

#[tokio::test]
async fn without_a_pause_between_lists_there_are_none() {
    let mut world = listing("").await;
    world.settings.verify_every = Duration::ZERO;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.restart().await;
    world.until("attached", |world| world.is_attached("va")).await;
    assert!(world.calls(Rpc::ListVolumes).is_empty());
}
