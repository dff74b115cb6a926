use std::collections::BTreeMap;

use csi::controller_client::ControllerClient;
use csi::node_client::NodeClient;
use csi_proto::csi::v1 as csi;
use tonic::Code;

use crate::rig::{MIB, Rig, connect, mount, spawn, volume};

#[tokio::test]
async fn sigterm_ends_with_zero_and_takes_the_socket_along() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    assert!(rig.path("csi.sock").exists());
    assert_eq!(rig.terminate().code(), Some(0));
    assert!(!rig.path("csi.sock").exists());
    rig.restart().await;
}

#[tokio::test]
async fn controller_and_node_can_be_two_processes_on_one_directory() {
    let Some(mut rig) = Rig::start(&["--services=controller", "--topology=false"]).await else { return };
    let flags = ["--services=node".to_owned(), "--topology=false".to_owned()];
    let mut second = spawn(&rig.dir, "node.sock", &flags, None);
    let channel = connect(&rig.path("node.sock")).await;
    let unserved = ControllerClient::new(channel.clone()).list_volumes(csi::ListVolumesRequest::default()).await;
    assert_eq!(unserved.unwrap_err().code(), Code::Unimplemented);
    rig.node = NodeClient::new(channel);
    let id = rig.in_use("split", 16 * MIB, "loop", mount("", &[])).await;
    rig.end("split", &id).await;
    rig.assert_nothing_left();
    second.kill().unwrap();
    second.wait().unwrap();
}

#[tokio::test]
async fn with_controller_publish_a_volume_is_staged_only_where_it_was_published() {
    let Some(mut rig) = Rig::start(&["--controller-publish"]).await else { return };
    let id = rig.create("attached", 16 * MIB, "loop", mount("", &[])).await;
    assert_eq!(rig.stage(&id, "stage", mount("", &[])).await.unwrap_err().code(), Code::FailedPrecondition);
    let publish = |node: &str| csi::ControllerPublishVolumeRequest {
        volume_id: id.clone(),
        node_id: node.to_owned(),
        volume_capability: Some(mount("", &[])),
        ..Default::default()
    };
    assert_eq!(rig.controller.controller_publish_volume(publish("nowhere")).await.unwrap_err().code(), Code::NotFound);
    let context = rig.controller.controller_publish_volume(publish("node-1")).await.unwrap().into_inner().publish_context;
    assert_eq!(context, BTreeMap::from([("published-to".to_owned(), "node-1".to_owned())]));
    rig.stage(&id, "stage", mount("", &[])).await.unwrap();
    rig.unstage(&id, "stage").await.unwrap();
    assert_eq!(rig.delete(&id).await.unwrap_err().code(), Code::FailedPrecondition);
    let unpublish =
        csi::ControllerUnpublishVolumeRequest { volume_id: id.clone(), node_id: "node-1".to_owned(), ..Default::default() };
    for _ in 0..2 {
        rig.controller.controller_unpublish_volume(unpublish.clone()).await.unwrap();
    }
    rig.delete(&id).await.unwrap();
    rig.assert_nothing_left();
}

#[tokio::test]
async fn a_volume_required_elsewhere_or_too_large_is_exhausted_and_names_why() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let place = |host: &str| csi::Topology {
        segments: BTreeMap::from([("topology.local.csi.longshore.dev/host".to_owned(), host.to_owned())]),
    };
    let mut elsewhere = volume("elsewhere", 16 * MIB, "loop", mount("", &[]));
    elsewhere.accessibility_requirements = Some(csi::TopologyRequirement { requisite: vec![place("node-2")], preferred: vec![] });
    assert_eq!(rig.controller.create_volume(elsewhere.clone()).await.unwrap_err().code(), Code::ResourceExhausted);
    elsewhere.accessibility_requirements =
        Some(csi::TopologyRequirement { requisite: vec![place("node-2"), place("node-1")], preferred: vec![] });
    let made = rig.controller.create_volume(elsewhere).await.unwrap().into_inner().volume.unwrap();
    assert_eq!(made.accessible_topology, [place("node-1")]);
    let huge = rig.controller.create_volume(volume("huge", 1 << 60, "loop", mount("", &[]))).await.unwrap_err();
    assert_eq!(huge.code(), Code::ResourceExhausted);
    assert!(huge.message().contains("huge") && huge.message().contains("left"), "{}", huge.message());
    rig.delete(&made.volume_id).await.unwrap();
    rig.assert_nothing_left();
}

#[tokio::test]
async fn secrets_reach_no_log_at_the_highest_verbosity() {
    let Some(mut rig) = Rig::start(&[]).await else { return };
    let secrets = BTreeMap::from([("password".to_owned(), "hunter2-secret".to_owned())]);
    let create = csi::CreateVolumeRequest { secrets: secrets.clone(), ..volume("secret", 16 * MIB, "loop", mount("", &[])) };
    let id = rig.controller.create_volume(create).await.unwrap().into_inner().volume.unwrap().volume_id;
    let stage = csi::NodeStageVolumeRequest {
        volume_id: id.clone(),
        staging_target_path: rig.text("secret-stage"),
        volume_capability: Some(mount("", &[])),
        secrets: secrets.clone(),
        ..Default::default()
    };
    rig.node.node_stage_volume(stage).await.unwrap();
    let publish =
        csi::NodePublishVolumeRequest { secrets, ..rig.publication(&id, "secret-stage", "secret-target", mount("", &[])) };
    rig.node.node_publish_volume(publish).await.unwrap();
    rig.end("secret", &id).await;
    assert!(rig.log().contains("node_stage_volume"));
    assert!(!rig.log().contains("hunter2-secret"));
    rig.assert_nothing_left();
}
