//! Over a socket, as a sidecar would.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use csi_proto::csi::v1::{
    self as csi, controller_client::ControllerClient, identity_client::IdentityClient, node_client::NodeClient,
    volume_capability as vc,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tonic::{
    Code as Grpc,
    transport::{Channel, Endpoint},
};

use super::*;

/// Long enough for a slow machine; nothing is asserted about it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Stand {
    driver: FakeDriver,
    channel: Channel,
    _folder: TempDir,
}

impl Stand {
    async fn with(change: impl FnOnce(Builder) -> Builder) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let builder = change(FakeDriver::builder("d.example").node_id("n1"));
        let driver = builder.start(folder.path().join("csi.sock")).await.expect("driver");
        let channel = connect(&driver);
        Self { driver, channel, _folder: folder }
    }

    async fn create(&self, name: &str) -> Result<csi::Volume, Grpc> {
        let answer = ControllerClient::new(self.channel.clone()).create_volume(create(name)).await;
        answer.map(|a| a.into_inner().volume.expect("volume")).map_err(|s| s.code())
    }

    /// The same, not waited for.
    fn call(&self, name: &str) -> JoinHandle<Result<tonic::Response<csi::CreateVolumeResponse>, tonic::Status>> {
        let (mut client, request) = (ControllerClient::new(self.channel.clone()), create(name));
        tokio::spawn(async move { client.create_volume(request).await })
    }
}

fn connect(driver: &FakeDriver) -> Channel {
    Endpoint::from_shared(driver.endpoint()).expect("endpoint").connect_lazy()
}

fn create(name: &str) -> csi::CreateVolumeRequest {
    let access_mode = Some(vc::AccessMode { mode: Mode::SingleNodeWriter.into() });
    let access_type = Some(vc::AccessType::Mount(vc::MountVolume { fs_type: "ext4".into(), ..Default::default() }));
    let map = |k: &str, v: &str| BTreeMap::from([(k.to_owned(), v.to_owned())]);
    csi::CreateVolumeRequest {
        name: name.into(),
        volume_capabilities: vec![csi::VolumeCapability { access_mode, access_type }],
        parameters: map("tier", "gold"),
        secrets: map("password", "hunter2"),
        ..Default::default()
    }
}

#[tokio::test]
async fn every_request_is_recorded_in_order_with_all_it_carried() {
    let stand = Stand::with(|b| b).await;
    IdentityClient::new(stand.channel.clone()).probe(csi::ProbeRequest {}).await.expect("probe");
    let volume = stand.create("pvc-1").await.expect("volume");
    let recorded = stand.driver.requests();
    assert_eq!(recorded.iter().map(Recorded::rpc).collect::<Vec<_>>(), [Rpc::Probe, Rpc::CreateVolume]);
    let mode = json!({"access_mode": {"mode": "SINGLE_NODE_WRITER"}, "mount": {"fs_type": "ext4"}});
    let expected = json!({
        "name": "pvc-1", "volume_capabilities": [mode], "parameters": {"tier": "gold"}, "secrets": {"password": "hunter2"},
    });
    assert_eq!(recorded[1].json(), expected);
    assert_eq!(stand.driver.volumes()[0].id, volume.volume_id);
    assert_eq!(stand.driver.volume_id("pvc-1"), volume.volume_id);
    stand.driver.stop().await;
}

#[tokio::test]
async fn a_record_file_has_a_line_of_json_per_request() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("record");
    let stand = Stand::with(|b| b.record(file.clone())).await;
    stand.create("pvc-1").await.expect("volume");
    let line: serde_json::Value = serde_json::from_str(std::fs::read_to_string(&file).expect("file").trim()).expect("one line");
    assert_eq!((&line["rpc"], &line["node"]), (&json!("CreateVolume"), &json!("n1")));
    assert_eq!(line["request"]["secrets"]["password"], "hunter2");
    assert!(line["time_ms"].is_u64());
}

#[tokio::test]
async fn a_fault_before_the_effect_leaves_nothing_and_one_after_it_leaves_the_volume() {
    let stand = Stand::with(|b| {
        b.script(vec![
            Rule::on(Rpc::CreateVolume).nth(0).fail(Code::Unavailable, "down"),
            Rule::on(Rpc::CreateVolume).nth(1).fail(Code::DeadlineExceeded, "slow").after(),
        ])
    })
    .await;
    assert_eq!(stand.create("a").await, Err(Grpc::Unavailable));
    assert!(stand.driver.volumes().is_empty());
    assert_eq!(stand.create("a").await, Err(Grpc::DeadlineExceeded));
    assert_eq!(stand.driver.volumes().len(), 1);
    assert!(stand.create("a").await.is_ok());
}

#[tokio::test]
async fn the_effect_happens_although_the_caller_gave_up() {
    let stand = Stand::with(|b| b.script(vec![Rule::on(Rpc::CreateVolume).delay(Duration::from_millis(100))])).await;
    let call = stand.call("a");
    stand.driver.wait_for(|r| !r.is_empty(), PATIENCE).await.expect("it arrived");
    call.abort();
    assert!(stand.driver.wait_for_volumes(|v| v.len() == 1, PATIENCE).await.is_some());
}

#[tokio::test]
async fn a_late_answer_comes_after_an_effect_that_is_already_there() {
    let stand = Stand::with(|b| b.script(vec![Rule::on(Rpc::CreateVolume).late(Duration::from_secs(3600))])).await;
    let call = stand.call("a");
    stand.driver.wait_for_volumes(|v| v.len() == 1, PATIENCE).await.expect("the effect");
    assert!(!call.is_finished());
    // With an hour to go, stopping is still immediate.
    stand.driver.stop().await;
    assert!(call.await.expect("task").is_err());
}

#[tokio::test]
async fn a_driver_that_dies_mid_call_closes_the_connection_and_serves_the_next() {
    let stand = Stand::with(|b| b.script(vec![Rule::on(Rpc::CreateVolume).nth(0).die().after()])).await;
    assert!(stand.create("a").await.is_err());
    assert_eq!(stand.driver.volumes().len(), 1, "it had happened");
    assert!(stand.create("a").await.is_ok(), "the channel connects anew");
}

#[tokio::test]
async fn a_hanging_call_ends_with_the_driver() {
    let stand = Stand::with(|b| b.script(vec![Rule::on(Rpc::CreateVolume).hang()])).await;
    let call = stand.call("a");
    stand.driver.wait_for(|r| !r.is_empty(), PATIENCE).await.expect("it arrived");
    stand.driver.stop().await;
    assert!(call.await.expect("task").is_err());
}

#[tokio::test]
async fn the_answer_can_lie_about_the_size_and_the_call_can_come_twice() {
    let rule = Rule::on(Rpc::CreateVolume).answer_capacity(7).duplicate();
    let stand = Stand::with(|b| b.script(vec![rule])).await;
    assert_eq!(stand.create("a").await.expect("volume").capacity_bytes, 7);
    let volumes = stand.driver.volumes();
    assert_eq!((volumes.len(), volumes[0].capacity_bytes), (1, DEFAULT_VOLUME_BYTES));
    stand.driver.set_script(Script::default());
    assert_eq!(stand.create("a").await.expect("volume").capacity_bytes, DEFAULT_VOLUME_BYTES);
}

#[tokio::test]
async fn two_nodes_share_one_backend() {
    let one = Stand::with(|b| b).await;
    let two = Stand::with(|b| b.node_id("n2").topology([("host", "n2")]).beside(&one.driver)).await;
    one.create("a").await.expect("volume");
    assert_eq!(two.driver.volumes(), one.driver.volumes());
    let info = NodeClient::new(two.channel.clone()).node_get_info(csi::NodeGetInfoRequest {}).await.expect("info").into_inner();
    assert_eq!(info.node_id, "n2");
    assert_eq!(info.accessible_topology.expect("place").segments, BTreeMap::from([("host".to_owned(), "n2".to_owned())]));
}

#[tokio::test]
async fn not_ready_is_what_probe_says() {
    let stand = Stand::with(|b| b).await;
    stand.driver.set_ready(false);
    let probe = IdentityClient::new(stand.channel.clone()).probe(csi::ProbeRequest {}).await.expect("probe");
    assert_eq!(probe.into_inner().ready, Some(false));
}

#[tokio::test]
async fn a_restarted_driver_has_its_volumes_and_takes_its_socket_back() {
    let folder = tempfile::tempdir().expect("folder");
    let (socket, state) = (folder.path().join("csi.sock"), folder.path().join("state.json"));
    let builder = FakeDriver::builder("d.example").state(state);
    let first = builder.clone().start(&socket).await.expect("driver");
    ControllerClient::new(connect(&first)).create_volume(create("a")).await.expect("volume");
    let before = first.volumes();
    first.stop().await;
    // What a killed process leaves behind.
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("stale socket"));
    let second = builder.start(&socket).await.expect("driver again");
    assert_eq!(second.volumes(), before);
    assert_eq!(before.len(), 1);
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_not_replaced() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("csi.sock");
    std::fs::write(&path, "precious").expect("file");
    let error = FakeDriver::builder("d.example").start(&path).await.expect_err("refused");
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).expect("file"), "precious");
}

#[tokio::test]
async fn an_observer_sees_each_call_before_its_effect_and_before_its_answer_and_who_called() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let look = move |sight: &Sight<'_>| {
        told.lock().expect("seen").push((sight.request.rpc(), sight.moment, sight.caller));
    };
    let rules = vec![Rule::on(Rpc::CreateVolume).nth(1).fail(Code::Unavailable, "down")];
    let stand = Stand::with(|b| b.observe(look).script(rules)).await;
    stand.create("a").await.expect("volume");
    assert_eq!(stand.create("b").await, Err(Grpc::Unavailable));
    let me = Some(std::process::id());
    let moments = [Moment::Received, Moment::Replying(None), Moment::Received, Moment::Replying(Some(Code::Unavailable))];
    assert_eq!(*seen.lock().expect("seen"), moments.map(|moment| (Rpc::CreateVolume, moment, me)));
}

#[tokio::test]
async fn a_volume_has_one_call_at_a_time_even_if_its_caller_is_gone() {
    let rule = Rule::on(Rpc::CreateVolume).matching("a").nth(0).late(Duration::from_secs(3600));
    let stand = Stand::with(|b| b.one_call_per_volume(true).script(vec![rule])).await;
    let call = stand.call("a");
    stand.driver.wait_for_volumes(|v| v.len() == 1, PATIENCE).await.expect("the effect");
    call.abort();
    assert_eq!(stand.create("a").await, Err(Grpc::Aborted));
    assert!(stand.create("other").await.is_ok(), "another volume");
}
