use fake_driver::{PluginCap, Rpc};
use serde_json::json;

use test_api::Fault;

use crate::world::{FINALIZER, PV, VA, World, finalizers};

#[tokio::test]
async fn an_attachment_is_published_with_what_its_volume_says_and_everything_is_held_first() {
    let world = World::start("").await;
    let keys = json!({"data": {"user": "bWU=", "password": "c2VjcmV0"}});
    world.api.create("/api/v1/namespaces/team-a/secrets", "keys", keys).await;
    let secret = json!({"namespace": "team-a", "name": "keys"});
    world
        .volume("pv", json!({"volumeAttributes": {"pool": "fast"}, "controllerPublishSecretRef": secret, "readOnly": true}))
        .await;
    world.attachment("va", "pv", "n1").await;
    world.until("attached", |world| world.is_attached("va")).await;
    let capability = json!({"mount": {"fs_type": "ext4"}, "access_mode": {"mode": "MULTI_NODE_MULTI_WRITER"}});
    let [call] = &*world.calls(Rpc::ControllerPublishVolume) else { panic!("one call") };
    assert_eq!((&call["volume_id"], &call["node_id"]), (&json!("handle-pv"), &json!("node-1")));
    assert_eq!(call["volume_capability"], capability);
    assert_eq!(call["volume_context"], json!({"pool": "fast"}));
    assert_eq!(call["secrets"], json!({"user": "me", "password": "secret"}));
    assert!(call.get("readonly").is_none_or(|readonly| readonly == false), "the driver has no PUBLISH_READONLY");
    assert_eq!(world.writes(), ["pv", "va", "va/status"], "once each, in this order");
    let attachment = world.api.get(VA).expect("va");
    assert_eq!(finalizers(&attachment), [FINALIZER]);
    assert_eq!(attachment["metadata"]["annotations"]["csi.alpha.kubernetes.io/node-id"], "node-1");
    assert_eq!(
        attachment["status"],
        json!({"attached": true, "attachmentMetadata": {"fake-driver/device": "/dev/fake/handle-pv"}})
    );
    let volume = world.api.get(PV).expect("pv");
    assert_eq!(finalizers(&volume), ["kubernetes.io/pv-protection", FINALIZER]);
}

#[tokio::test]
async fn an_access_mode_that_kubernetes_cannot_say_is_the_annotations() {
    let world = World::start("").await;
    world.volume("pv", json!({})).await;
    world
        .api
        .edit(PV, |volume| {
            volume["metadata"]["annotations"] = json!({"csi.longshore.io/access-mode": "MULTI_NODE_SINGLE_WRITER"})
        })
        .await;
    world.attachment("va", "pv", "n1").await;
    world.until("attached", |world| world.is_attached("va")).await;
    let [call] = &*world.calls(Rpc::ControllerPublishVolume) else { panic!("one call") };
    assert_eq!(call["volume_capability"]["access_mode"], json!({"mode": "MULTI_NODE_SINGLE_WRITER"}));
}

#[tokio::test]
async fn keys_of_an_earlier_publish_context_and_an_earlier_error_do_not_stay() {
    let world = World::prepare("", |driver| driver).await;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    let earlier = json!({"attached": false, "attachmentMetadata": {"old": "key"}, "attachError": {"message": "once"}});
    world.api.edit(VA, |attachment| attachment["status"] = earlier).await;
    let mut world = world;
    world.restart().await;
    world.until("attached", |world| world.is_attached("va")).await;
    let expected = json!({"attached": true, "attachmentMetadata": {"fake-driver/device": "/dev/fake/handle-pv"}});
    assert_eq!(world.status("va"), expected);
}

#[tokio::test]
async fn a_refusal_by_the_driver_is_shown_with_its_code_and_goes_when_it_works() {
    let refuse = "rules: [{rpc: ControllerPublishVolume, times: 1, fault: {code: ResourceExhausted, message: the node is full}}]";
    let mut world = World::prepare(refuse, |driver| driver).await;
    world.settings.backoff.start = std::time::Duration::from_secs(1);
    world.restart().await;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.until("the error", |world| world.status("va").get("attachError").is_some()).await;
    let error = world.status("va")["attachError"].clone();
    assert_eq!(error["errorCode"], 8, "kubelet reads it");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("the node is full")), "{error}");
    assert_eq!(world.calls(Rpc::ControllerPublishVolume).len(), 1, "not before its backoff is over");
    world.until("attached", |world| world.is_attached("va")).await;
    assert!(world.status("va").get("attachError").is_none());
}

#[tokio::test]
async fn without_the_gate_an_error_carries_no_code() {
    let mut world = World::prepare("rules: [{rpc: ControllerPublishVolume, fault: {code: Internal}}]", |driver| driver).await;
    world.settings.error_codes = false;
    world.restart().await;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.until("the error", |world| world.status("va").get("attachError").is_some()).await;
    assert!(world.status("va")["attachError"].get("errorCode").is_none());
}

#[tokio::test]
async fn two_nodes_that_attach_one_volume_at_once_hold_it_once() {
    let world = World::prepare("", |driver| driver).await;
    world.node("n2").await;
    world.volume("pv", json!({})).await;
    world.attachment("va-1", "pv", "n1").await;
    world.attachment("va-2", "pv", "n2").await;
    let mut world = world;
    world.restart().await;
    world.until("attached", |world| world.is_attached("va-1") && world.is_attached("va-2")).await;
    let volume = world.api.get(PV).expect("pv");
    assert_eq!(finalizers(&volume), ["kubernetes.io/pv-protection", FINALIZER]);
}

#[tokio::test]
async fn a_volume_that_may_not_be_held_is_told_in_the_attachment() {
    let world = World::start("").await;
    world.api.fail(&format!("PATCH {PV}"), Fault::Refused(403), u32::MAX);
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.until("the error", |world| world.status("va").get("attachError").is_some()).await;
    let message = world.status("va")["attachError"]["message"].clone();
    assert!(message.as_str().is_some_and(|text| text.contains("PersistentVolume pv")), "{message}");
    assert!(!world.is_held(VA));
}

#[tokio::test]
async fn an_attachment_waits_for_its_node_and_is_woken_by_it() {
    let mut world = World::prepare("", |driver| driver).await;
    world.settings.backoff.start = std::time::Duration::from_secs(3600);
    world.restart().await;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n2").await;
    world.until("the error", |world| world.status("va").get("attachError").is_some()).await;
    world.node("n2").await;
    world.until("attached", |world| world.is_attached("va")).await;
}

#[tokio::test]
async fn a_driver_that_does_not_publish_has_its_attachments_marked_and_nothing_is_held() {
    let mut world = World::prepare("", |driver| driver.plugin_caps([] as [PluginCap; 0])).await;
    world.restart().await;
    world.volume("pv", json!({})).await;
    world.attachment("va", "pv", "n1").await;
    world.until("attached", |world| world.is_attached("va")).await;
    assert_eq!((world.writes(), world.status("va")), (vec!["va/status"], json!({"attached": true})));
    assert!(!world.is_held(VA) && !world.is_held(PV));
    world.api.delete(VA).await;
    assert!(world.calls(Rpc::ControllerPublishVolume).is_empty());
}
