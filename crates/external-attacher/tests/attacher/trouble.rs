use std::time::Duration;

use fake_driver::Rpc;
use serde_json::json;
use test_api::Fault;

use crate::world::{PV, VA, World};

#[tokio::test]
async fn after_a_crash_between_publish_and_status_it_is_published_again_and_once_only_in_the_driver() {
    let mut world = World::prepare("", |driver| driver).await;
    world.settings.backoff.start = Duration::from_secs(3600);
    world.restart().await;
    world.api.fail(&format!("PATCH {VA}/status"), Fault::Refused(500), 1);
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.until("the lost status", |world| world.writes().contains(&"va/status")).await;
    world.restart().await;
    world.until("attached", |world| world.is_attached("va")).await;
    assert_eq!(world.calls(Rpc::ControllerPublishVolume).len(), 2);
    let volumes = world.driver.as_ref().expect("a driver").volumes();
    assert_eq!((volumes.len(), volumes[0].published.keys().collect::<Vec<_>>()), (1, vec![&"node-1".to_owned()]));
}

#[tokio::test]
async fn what_could_not_reach_the_driver_is_woken_by_the_first_call_that_does() {
    let mut world = World::prepare("", |driver| driver).await;
    world.settings.backoff.start = Duration::from_secs(3600);
    world.restart().await;
    world.volume("a", json!({})).await;
    world.volume("b", json!({})).await;
    world.volume("c", json!({})).await;
    world.stop_driver().await;
    world.attachment("va-a", "a", "n1").await;
    world.attachment("va-b", "b", "n1").await;
    let failed = |world: &World, name| world.status(name)["attachError"]["errorCode"] == 14;
    world.until("both failed", |world| failed(world, "va-a") && failed(world, "va-b")).await;
    world.start_driver("").await;
    world.attachment("va-c", "c", "n1").await;
    world.until("all attached", |world| ["va-a", "va-b", "va-c"].iter().all(|name| world.is_attached(name))).await;
}

#[tokio::test]
async fn an_attachment_that_is_gone_while_the_watch_lags_is_not_detached_again_and_again() {
    let world = World::start("").await;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.until("attached", |world| world.is_attached("va")).await;
    // The server has forgotten it, and only that it is being deleted was told.
    world.api.fail(&format!("PATCH {VA}"), Fault::Refused(404), u32::MAX);
    world.api.delete(VA).await;
    world.until("the first call", |world| !world.calls(Rpc::ControllerUnpublishVolume).is_empty()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let calls = world.calls(Rpc::ControllerUnpublishVolume).len();
    assert!(calls <= 5, "{calls} calls within 300 ms, with a backoff from 50 ms");
}

#[tokio::test]
async fn a_volume_that_is_gone_while_the_watch_lags_is_not_let_go_again_and_again() {
    let world = World::start("").await;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.until("attached", |world| world.is_attached("va")).await;
    let before = world.writes().len();
    world.api.fail(&format!("PATCH {PV}"), Fault::Refused(404), u32::MAX);
    world.api.delete(PV).await;
    world.api.delete(VA).await;
    world.until("the first patch", |world| world.writes()[before..].contains(&"pv")).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let patches = world.writes()[before..].iter().filter(|write| **write == "pv").count();
    assert!(patches <= 5, "{patches} patches within 300 ms, with a backoff from 50 ms");
}
