use fake_driver::{PluginCap, Rpc};
use serde_json::json;

use crate::api::{ATTACHMENTS, CSI_NODES, VOLUMES, finalizers};
use crate::world::{DRIVER, FINALIZER, World};

async fn attached(attachments: &[(&str, &str)]) -> World {
    let world = World::start("").await;
    world.volume("pv", json!({}));
    for (name, node) in attachments {
        let id = format!("node-{node}");
        world.api.put(CSI_NODES, node, json!({"spec": {"drivers": [{"name": DRIVER, "nodeID": id}]}}));
        world.attachment(name, "pv", node);
        world.until("attached", |world| world.is_attached(name)).await;
    }
    world
}

#[tokio::test]
async fn a_deleted_attachment_is_unpublished_once_even_if_the_watch_lags() {
    let world = attached(&[("va", "n1")]).await;
    world.api.delete(VOLUMES, "pv");
    world.api.delete(ATTACHMENTS, "va");
    world.api.hold_watch(true);
    world.until("gone", |world| world.api.get(ATTACHMENTS, "va").is_none()).await;
    // What the answers told is enough to let go of the volume too.
    world.until("let go", |world| !world.is_held(VOLUMES, "pv")).await;
    let [call] = &*world.calls(Rpc::ControllerUnpublishVolume) else { panic!("one call") };
    assert_eq!((&call["volume_id"], &call["node_id"]), (&json!("handle-pv"), &json!("node-n1")));
}

#[tokio::test]
async fn an_attachment_that_somebody_else_holds_loses_our_finalizer_before_its_status_changes() {
    let world = attached(&[("va", "n1")]).await;
    let mut attachment = world.api.get(ATTACHMENTS, "va").expect("va");
    attachment["metadata"]["finalizers"] = json!(["else.example.com/x", FINALIZER]);
    world.api.put(ATTACHMENTS, "va", attachment);
    let before = world.writes().len();
    world.api.delete(ATTACHMENTS, "va");
    world.until("detached", |world| world.status("va") == json!({"attached": false})).await;
    assert_eq!(world.writes()[before..], ["va", "va/status"]);
    assert_eq!(finalizers(&world.api.get(ATTACHMENTS, "va").expect("va")), ["else.example.com/x"]);
    assert_eq!(world.calls(Rpc::ControllerUnpublishVolume).len(), 1);
}

#[tokio::test]
async fn a_volume_is_let_go_only_after_its_last_attachment_went() {
    let world = attached(&[("va-1", "n1"), ("va-2", "n2")]).await;
    world.api.delete(VOLUMES, "pv");
    world.api.delete(ATTACHMENTS, "va-1");
    world.until("the first gone", |world| world.api.get(ATTACHMENTS, "va-1").is_none()).await;
    assert!(world.is_held(VOLUMES, "pv"), "the other one needs its handle");
    world.api.delete(ATTACHMENTS, "va-2");
    world.until("let go", |world| !world.is_held(VOLUMES, "pv")).await;
    let volume = world.api.get(VOLUMES, "pv").expect("somebody else's finalizer keeps it");
    assert_eq!(finalizers(&volume), ["kubernetes.io/pv-protection"]);
    assert_eq!(world.calls(Rpc::ControllerUnpublishVolume).len(), 2);
}

#[tokio::test]
async fn a_node_that_lost_its_driver_is_detached_from_all_the_same() {
    let world = attached(&[("va", "n1")]).await;
    world.api.remove(CSI_NODES, "n1");
    world.api.delete(ATTACHMENTS, "va");
    world.until("gone", |world| world.api.get(ATTACHMENTS, "va").is_none()).await;
    assert_eq!(world.calls(Rpc::ControllerUnpublishVolume)[0]["node_id"], "node-n1");
}

#[tokio::test]
async fn a_driver_that_no_longer_publishes_lets_go_of_what_it_held() {
    let mut world = World::prepare("", |driver| driver.plugin_caps([] as [PluginCap; 0])).await;
    world.volume("pv", json!({}));
    world.attachment("va", "pv", "n1");
    for (folder, name) in [(VOLUMES, "pv"), (ATTACHMENTS, "va")] {
        let mut object = world.api.get(folder, name).expect("an object");
        object["metadata"]["finalizers"] = json!([FINALIZER]);
        world.api.put(folder, name, object);
        world.api.delete(folder, name);
    }
    world.restart().await;
    world.until("both gone", |world| world.api.get(ATTACHMENTS, "va").or(world.api.get(VOLUMES, "pv")).is_none()).await;
}
