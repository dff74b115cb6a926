use fake_driver::{PluginCap, Rpc};
use serde_json::json;

use crate::world::{ATTACHMENTS, CSI_NODES, FINALIZER, PV, VA, World, finalizers};

async fn attached(attachments: &[(&str, &str)]) -> World {
    let world = World::start("").await;
    world.volume("pv", json!({})).await;
    for (name, node) in attachments {
        if *node != "n1" {
            world.node(node).await;
        }
        world.attachment(name, "pv", node).await;
        world.until("attached", |world| world.is_attached(name)).await;
    }
    world
}

#[tokio::test]
async fn a_deleted_attachment_is_unpublished_once_even_if_the_watch_lags() {
    let world = attached(&[("va", "n1")]).await;
    let before = world.writes().len();
    world.api.hold("PATCH ");
    world.api.delete(PV).await;
    world.api.delete(VA).await;
    let volume_goes = |world: &World| world.caches.volumes.get("pv").is_some_and(|volume| volume.meta.deleting);
    world.until("the first write", |world| volume_goes(world) && world.writes().len() > before).await;
    world.api.hold("WATCH ");
    world.api.let_through("PATCH ");
    world.until("gone", |world| world.api.get(VA).is_none()).await;
    // What the answers told is enough to let go of the volume too.
    world.until("let go", |world| !world.is_held(PV)).await;
    let [call] = &*world.calls(Rpc::ControllerUnpublishVolume) else { panic!("one call") };
    assert_eq!((&call["volume_id"], &call["node_id"]), (&json!("handle-pv"), &json!("node-1")));
}

#[tokio::test]
async fn an_attachment_that_somebody_else_holds_loses_our_finalizer_before_its_status_changes() {
    let world = attached(&[("va", "n1")]).await;
    let held = json!(["else.example.com/x", FINALIZER]);
    world.api.edit(VA, |attachment| attachment["metadata"]["finalizers"] = held).await;
    let before = world.writes().len();
    world.api.delete(VA).await;
    world.until("detached", |world| world.status("va") == json!({"attached": false})).await;
    assert_eq!(world.writes()[before..], ["va", "va/status"]);
    assert_eq!(finalizers(&world.api.get(VA).expect("va")), ["else.example.com/x"]);
    assert_eq!(world.calls(Rpc::ControllerUnpublishVolume).len(), 1);
}

#[tokio::test]
async fn a_volume_is_let_go_only_after_its_last_attachment_went() {
    let world = attached(&[("va-1", "n1"), ("va-2", "n2")]).await;
    world.api.delete(PV).await;
    world.api.delete(&format!("{ATTACHMENTS}/va-1")).await;
    world.until("the first gone", |world| world.api.get(&format!("{ATTACHMENTS}/va-1")).is_none()).await;
    assert!(world.is_held(PV), "the other one needs its handle");
    world.api.delete(&format!("{ATTACHMENTS}/va-2")).await;
    world.until("let go", |world| !world.is_held(PV)).await;
    let volume = world.api.get(PV).expect("somebody else's finalizer keeps it");
    assert_eq!(finalizers(&volume), ["kubernetes.io/pv-protection"]);
    assert_eq!(world.calls(Rpc::ControllerUnpublishVolume).len(), 2);
}

#[tokio::test]
async fn a_node_that_lost_its_driver_is_detached_from_all_the_same() {
    let world = attached(&[("va", "n1")]).await;
    world.api.remove(&format!("{CSI_NODES}/n1")).await;
    world.api.delete(VA).await;
    world.until("gone", |world| world.api.get(VA).is_none()).await;
    assert_eq!(world.calls(Rpc::ControllerUnpublishVolume)[0]["node_id"], "node-1");
}

#[tokio::test]
async fn a_driver_that_no_longer_publishes_lets_go_of_what_it_held() {
    let mut world = World::prepare("", |driver| driver.plugin_caps([] as [PluginCap; 0])).await;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    for path in [PV, VA] {
        world.api.edit(path, |object| object["metadata"]["finalizers"] = json!([FINALIZER])).await;
        world.api.delete(path).await;
    }
    world.restart().await;
    world.until("both gone", |world| world.api.get(VA).or(world.api.get(PV)).is_none()).await;
}
