//! Against the API store; the attacher and the mounter are played by the test.

use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::attach::wanted::attachment_name;
use crate::garbage::world::{World, claim, pod, volume};

const NS: &str = "team-a";
const NAME: &str = "kubernetes.io/csi/d.example.com^h";

/// A node that is managed, a claim bound to a volume, and a pod on the node that uses it.
async fn prepare(world: &World) -> String {
    let managed = json!({"metadata": {"annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}}});
    world.create("Node", "", "n1", managed).await;
    let mut bound = claim("pv-1");
    bound["status"] = json!({"phase": "Bound"});
    let uid = world.create("PersistentVolumeClaim", NS, "data", bound).await;
    world.create("PersistentVolume", "", "pv-1", volume("h", "data", &uid)).await;
    add_pod(world).await;
    attachment_name("h", "d.example.com", "n1")
}

async fn add_pod(world: &World) {
    let volumes = json!([{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]);
    world.create("Pod", NS, "web-0", pod("n1", volumes)).await;
}

async fn in_use(world: &World, names: Value) {
    world.patch_status("Node", "", "n1", json!({"status": {"volumesInUse": names}})).await;
}

async fn there(world: &World, attachment: &str) {
    world.eventually("the attachment is made", || async { world.get("VolumeAttachment", "", attachment).await.is_some() }).await;
}

async fn reported(world: &World, names: Value) {
    let is = || async { world.get("Node", "", "n1").await.expect("a node")["status"]["volumesAttached"] == names };
    world.eventually(&format!("volumesAttached is {names}"), is).await;
}

async fn attach(world: &World, attachment: &str) {
    world.patch_status("VolumeAttachment", "", attachment, json!({"status": {"attached": true}})).await;
    reported(world, json!([{"name": NAME, "devicePath": ""}])).await;
}

#[tokio::test]
async fn a_volume_is_attached_for_a_pod_and_detached_when_the_node_has_let_go() {
    let world = World::started().await;
    let attachment = prepare(&world).await;
    there(&world, &attachment).await;
    let object = world.get("VolumeAttachment", "", &attachment).await.expect("an attachment");
    assert_eq!(
        object["spec"],
        json!({"attacher": "d.example.com", "nodeName": "n1", "source": {"persistentVolumeName": "pv-1"}})
    );
    in_use(&world, json!([NAME])).await;
    attach(&world, &attachment).await;
    world.told(NS, "SuccessfulAttachVolume", "AttachVolume.Attach succeeded for volume \"pv-1\" ").await;

    world.delete("Pod", NS, "web-0", DeleteParams::default().grace_period(0)).await;
    world.gone("Pod", NS, "web-0").await;
    world.settled().await;
    let kept = world.get("VolumeAttachment", "", &attachment).await.expect("the node has it mounted");
    assert!(kept["metadata"]["deletionTimestamp"].is_null());

    in_use(&world, json!([])).await;
    world.gone("VolumeAttachment", "", &attachment).await;
    reported(&world, json!(null)).await;
}

#[tokio::test]
async fn the_attachers_words_reach_the_pod() {
    let world = World::started().await;
    let attachment = prepare(&world).await;
    there(&world, &attachment).await;
    let error = json!({"message": "no such disk", "time": "2026-01-01T00:00:00Z"});
    let status = json!({"status": {"attached": false, "attachError": error}});
    world.patch_status("VolumeAttachment", "", &attachment, status).await;
    world.told(NS, "FailedAttachVolume", "AttachVolume.Attach failed for volume \"pv-1\" : no such disk").await;
    world.patch_status("VolumeAttachment", "", &attachment, json!({"status": {"attachError": null}})).await;
    attach(&world, &attachment).await;
}

#[tokio::test]
async fn a_driver_without_attachments_gets_none() {
    let world = World::started().await;
    world.create("CSIDriver", "", "d.example.com", json!({"spec": {"attachRequired": false}})).await;
    world.settled().await;
    let attachment = prepare(&world).await;
    world.settled().await;
    assert!(world.get("VolumeAttachment", "", &attachment).await.is_none());
}

#[tokio::test]
async fn a_start_takes_up_what_the_last_one_left() {
    let mut world = World::new().await;
    let attachment = prepare(&world).await;
    let orphan = attachment_name("gone", "d.example.com", "n1");
    for (name, volume) in [(&attachment, "pv-1"), (&orphan, "pv-gone")] {
        let source = json!({"persistentVolumeName": volume});
        let spec = json!({"attacher": "d.example.com", "nodeName": "n1", "source": source});
        world.create("VolumeAttachment", "", name, json!({"spec": spec, "status": {"attached": true}})).await;
    }
    let foreign = json!({"spec": {"attacher": "d.example.com", "nodeName": "n1", "source": {"persistentVolumeName": "pv-gone"}}});
    world.create("VolumeAttachment", "", "somebodys", foreign).await;
    let list = json!([{"name": NAME, "devicePath": ""}, {"name": "kubernetes.io/csi/d.example.com^stale", "devicePath": ""}]);
    let mounted = json!([NAME, "kubernetes.io/csi/d.example.com^gone"]);
    world.patch_status("Node", "", "n1", json!({"status": {"volumesAttached": list, "volumesInUse": mounted}})).await;
    world.start().await;
    // What is not attached any more leaves the list; what is mounted stays in it, although its volume has vanished.
    let gone = json!({"name": "kubernetes.io/csi/d.example.com^gone", "devicePath": ""});
    reported(&world, json!([gone, {"name": NAME, "devicePath": ""}])).await;
    assert!(world.get("VolumeAttachment", "", &orphan).await.is_some());
    in_use(&world, json!([NAME])).await;
    world.gone("VolumeAttachment", "", &orphan).await;
    assert!(world.get("VolumeAttachment", "", &attachment).await.is_some());
    assert!(world.get("VolumeAttachment", "", "somebodys").await.is_some());
    world.stop().await;
}

#[tokio::test]
async fn a_pod_that_comes_back_before_the_detach_keeps_the_attachment() {
    let world = World::started().await;
    let attachment = prepare(&world).await;
    there(&world, &attachment).await;
    let uid = world.get("VolumeAttachment", "", &attachment).await.expect("an attachment")["metadata"]["uid"].clone();
    in_use(&world, json!([NAME])).await;
    attach(&world, &attachment).await;
    world.delete("Pod", NS, "web-0", DeleteParams::default().grace_period(0)).await;
    world.gone("Pod", NS, "web-0").await;
    add_pod(&world).await;
    world.settled().await;
    in_use(&world, json!([])).await;
    world.settled().await;
    let kept = world.get("VolumeAttachment", "", &attachment).await.expect("an attachment");
    assert_eq!(kept["metadata"]["uid"], uid);
    assert!(kept["metadata"]["deletionTimestamp"].is_null());
}
