//! Drivers that lack idempotency, that are slow, that are gone.

use std::time::Duration;

use csi::controller_client::ControllerClient;
use csi::node_client::NodeClient;
use csi_proto::csi::v1 as csi;
use fake_driver::{Code, FakeDriver, Rpc, Rule};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use crate::rig::{PATIENCE, Rig, capability, create, eventually, fake, request, root};

/// As a driver that does each thing once.
fn strict(driver: &FakeDriver) {
    driver.set_script(vec![
        Rule::on(Rpc::CreateVolume).nth(0).delay(Duration::ZERO),
        Rule::on(Rpc::CreateVolume).fail(Code::AlreadyExists, "there is one already"),
        Rule::on(Rpc::NodeStageVolume).nth(0).delay(Duration::ZERO),
        Rule::on(Rpc::NodeStageVolume).fail(Code::AlreadyExists, "staged already"),
        Rule::on(Rpc::ControllerPublishVolume).nth(0).delay(Duration::ZERO),
        Rule::on(Rpc::ControllerPublishVolume).fail(Code::AlreadyExists, "attached already"),
        Rule::on(Rpc::DeleteVolume).nth(1).fail(Code::NotFound, "there is none"),
        Rule::on(Rpc::NodeUnstageVolume).nth(1).fail(Code::NotFound, "not staged"),
    ]);
}

fn stage(id: &str, rig: &Rig) -> csi::NodeStageVolumeRequest {
    csi::NodeStageVolumeRequest {
        volume_id: id.to_owned(),
        staging_target_path: rig.dir.join("staging").display().to_string(),
        volume_capability: Some(capability()),
        ..Default::default()
    }
}

fn attach(id: &str) -> csi::ControllerPublishVolumeRequest {
    csi::ControllerPublishVolumeRequest {
        volume_id: id.to_owned(),
        node_id: "node".into(),
        volume_capability: Some(capability()),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_driver_that_does_each_thing_once_is_idempotent_behind_the_bridge_through_a_restart() {
    let args = ["--driver={dir}/fake.sock"];
    let mut rig = Rig::start(&args, &[]).await;
    let driver = fake(&rig.dir, |builder| builder).await;
    strict(&driver);
    let (mut controller, mut node) = (ControllerClient::new(rig.channel().await), NodeClient::new(rig.channel().await));
    let first = controller.create_volume(create("v")).await.expect("created").into_inner();
    let id = first.volume.as_ref().expect("a volume").volume_id.clone();
    let context = controller.controller_publish_volume(attach(&id)).await.expect("attached").into_inner();
    assert!(!context.publish_context.is_empty());
    node.node_stage_volume(stage(&id, &rig)).await.expect("staged");
    drop((controller, node));

    rig.stop().await;
    rig.restart(&args, &[]).await;
    let (mut controller, mut node) = (ControllerClient::new(rig.channel().await), NodeClient::new(rig.channel().await));
    assert_eq!(controller.create_volume(create("v")).await.expect("the same again").into_inner(), first);
    assert_eq!(controller.controller_publish_volume(attach(&id)).await.expect("the same again").into_inner(), context);
    node.node_stage_volume(stage(&id, &rig)).await.expect("the same again");
    // Another request is another matter: the driver's word stands.
    let other = csi::CreateVolumeRequest { parameters: [("type".to_owned(), "other".to_owned())].into(), ..create("v") };
    let refused = controller.create_volume(other).await.expect_err("not the same");
    assert_eq!((refused.code(), refused.message()), (tonic::Code::AlreadyExists, "there is one already"));
    let read_only = csi::ControllerPublishVolumeRequest { readonly: true, ..attach(&id) };
    assert!(controller.controller_publish_volume(read_only).await.is_err());
    assert_eq!(controller.controller_publish_volume(attach(&id)).await.expect("still the same").into_inner(), context);

    let unstage =
        csi::NodeUnstageVolumeRequest { volume_id: id.clone(), staging_target_path: stage(&id, &rig).staging_target_path };
    for _ in 0..2 {
        node.node_unstage_volume(unstage.clone()).await.expect("unstaged, or not there");
    }
    let detach = csi::ControllerUnpublishVolumeRequest { volume_id: id.clone(), node_id: "node".into(), ..Default::default() };
    controller.controller_unpublish_volume(detach).await.expect("detached");
    for _ in 0..2 {
        let delete = csi::DeleteVolumeRequest { volume_id: id.clone(), ..Default::default() };
        controller.delete_volume(delete).await.expect("deleted, or not there");
    }
    assert!(driver.volumes().is_empty());
    let remembered: Vec<_> = std::fs::read_dir(rig.dir.join("state/calls")).expect("a folder").collect();
    assert!(remembered.is_empty(), "{remembered:?}");
    drop((controller, node));
    rig.stop().await;
}

#[tokio::test]
async fn without_idempotency_the_drivers_word_stands() {
    let rig = Rig::start(&["--driver={dir}/fake.sock", "--idempotency=false"], &[]).await;
    let driver = fake(&rig.dir, |builder| builder).await;
    strict(&driver);
    let mut controller = ControllerClient::new(rig.channel().await);
    controller.create_volume(create("v")).await.expect("created");
    assert_eq!(controller.create_volume(create("v")).await.expect_err("its word").code(), tonic::Code::AlreadyExists);
}

/// Docker's own repetition: the answer to CreateVolume was lost, and the driver does not say the same twice.
#[tokio::test]
async fn a_create_whose_answer_was_lost_is_settled_and_deleted_like_any_other() {
    let mut rig = Rig::start(&["--driver={dir}/fake.sock"], &[]).await;
    let driver = fake(&rig.dir, |builder| builder).await;
    driver.set_script(vec![Rule::on(Rpc::CreateVolume).times(1).fail(Code::Unavailable, "lost").after()]);
    let said = rig.refused("/VolumeDriver.Create", json!({"Name": "v"})).await;
    assert!(said.contains("volume v") && said.contains("CreateVolume") && said.contains("lost"), "{said}");
    eventually("it is settled", async || rig.docker("/VolumeDriver.Get", r#"{"Name":"v"}"#).await.0.eq(&200).then_some(())).await;
    rig.ask("/VolumeDriver.Remove", json!({"Name": "v"})).await;
    assert!(driver.volumes().is_empty());
    rig.stop().await;
}

/// dockerd gives up after two minutes, and never unmounts what it does not know to be mounted.
#[tokio::test]
async fn a_mount_that_nobody_waits_for_any_more_is_taken_back() {
    let Some(()) = root() else { return };
    let mut rig = Rig::start(&["--driver={dir}/fake.sock"], &[]).await;
    let driver = fake(&rig.dir, |builder| builder).await;
    driver.set_script(vec![Rule::on(Rpc::NodePublishVolume).nth(0).delay(Duration::from_millis(300))]);
    rig.ask("/VolumeDriver.Create", json!({"Name": "v"})).await;
    let mut gives_up = UnixStream::connect(rig.socket()).await.expect("connected");
    gives_up.write_all(request("/VolumeDriver.Mount", r#"{"Name":"v","ID":"a"}"#).as_bytes()).await.expect("sent");
    let published = |all: &[fake_driver::Recorded]| all.iter().any(|one| one.rpc() == Rpc::NodePublishVolume);
    driver.wait_for(published, PATIENCE).await.expect("under way");
    drop(gives_up);
    let unpublished = |all: &[fake_driver::Recorded]| all.iter().any(|one| one.rpc() == Rpc::ControllerUnpublishVolume);
    driver.wait_for(unpublished, PATIENCE).await.expect("taken back");
    // The volume's turn is free again once that is done.
    rig.ask("/VolumeDriver.Remove", json!({"Name": "v"})).await;
    assert!(rig.mounts().is_empty() && driver.volumes().is_empty());
    rig.stop().await;
}

#[tokio::test]
async fn a_busy_volume_is_pending_where_access_is_serial() {
    let rig = Rig::start(&["--driver={dir}/fake.sock"], &[("X_CSI_SERIAL_VOL_ACCESS", "true")]).await;
    let driver = fake(&rig.dir, |builder| builder).await;
    driver.set_script(vec![Rule::on(Rpc::ControllerPublishVolume).nth(0).hang()]);
    let mut controller = ControllerClient::new(rig.channel().await);
    let made = controller.create_volume(create("v")).await.expect("created").into_inner();
    let id = made.volume.expect("a volume").volume_id;
    let (mut first, request) = (controller.clone(), attach(&id));
    let under_way = tokio::spawn(async move { first.controller_publish_volume(request).await });
    let begun = |all: &[fake_driver::Recorded]| all.iter().any(|one| one.rpc() == Rpc::ControllerPublishVolume);
    driver.wait_for(begun, PATIENCE).await.expect("under way");
    let busy = controller.controller_publish_volume(attach(&id)).await.expect_err("busy");
    assert_eq!((busy.code(), busy.message()), (tonic::Code::Aborted, "pending"));
    under_way.abort();
}

#[tokio::test]
async fn a_driver_that_is_gone_is_unavailable_and_comes_back() {
    let mut rig = Rig::start(&["--driver={dir}/fake.sock"], &[]).await;
    let mut controller = ControllerClient::new(rig.channel().await);
    let refused = controller.list_volumes(csi::ListVolumesRequest::default()).await.expect_err("nobody there");
    assert_eq!(refused.code(), tonic::Code::Unavailable);
    let driver = fake(&rig.dir, |builder| builder.state(rig.dir.join("facts"))).await;
    rig.ask("/VolumeDriver.Create", json!({"Name": "v"})).await;
    drop(driver);
    // What Docker has, it keeps: its record of a volume whose Get fails would be deleted.
    rig.ask("/VolumeDriver.Get", json!({"Name": "v"})).await;
    let _driver = fake(&rig.dir, |builder| builder.state(rig.dir.join("facts"))).await;
    eventually("it is reached again", async || {
        let listed = controller.clone().list_volumes(csi::ListVolumesRequest::default()).await;
        listed.is_ok_and(|listed| listed.into_inner().entries.len() == 1).then_some(())
    })
    .await;
    rig.ask("/VolumeDriver.Remove", json!({"Name": "v"})).await;
    drop(controller);
    rig.stop().await;
}
