//! The client against a driver on a socket: what arrives, what errors mean, and what no log shows.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: real sockets, real time")]

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use csi_client::{Address, Client, ConnectOptions, Driver, Metrics, driver_info};
use csi_types::{
    AccessType, Bytes, Code, ControllerCapability, CreateVolumeRequest, CsiAccessMode, Secret, Segments, TopologyRequirement,
    Verdict, VolumeCapability,
};
use fake_driver::{ControllerCap, FakeDriver, PluginCap, Rpc, Rule};
use rt::Ctx;
use serde_json::json;

struct World {
    driver: FakeDriver,
    client: Client,
    dir: tempfile::TempDir,
}

async fn world(timeout: Duration) -> World {
    LazyLock::force(&LOG);
    let dir = tempfile::tempdir().expect("a folder for the socket");
    let driver = start(&dir).await;
    let client = client(&dir, timeout);
    World { driver, client, dir }
}

async fn start(dir: &tempfile::TempDir) -> FakeDriver {
    FakeDriver::builder("fake.example")
        .plugin_caps([PluginCap::ControllerService, PluginCap::VolumeAccessibilityConstraints])
        .controller_caps([ControllerCap::CreateDeleteVolume])
        .start(dir.path().join("csi.sock"))
        .await
        .expect("the driver starts")
}

fn client(dir: &tempfile::TempDir, timeout: Duration) -> Client {
    let address = Address::Unix(dir.path().join("csi.sock"));
    Client::lazy(&Ctx::real(), ConnectOptions { address, timeout, metrics: Metrics::new() })
}

fn request(name: &str) -> CreateVolumeRequest {
    let zone = |zone: &str| Segments([("zone".to_owned(), zone.to_owned())].into());
    CreateVolumeRequest {
        name: name.into(),
        required: Bytes(4096),
        capabilities: vec![VolumeCapability {
            access_type: AccessType::Mount {
                fs_type: "ext4".into(),
                mount_flags: vec!["noatime".into()],
                volume_mount_group: String::new(),
            },
            access_mode: CsiAccessMode::SingleNodeWriter,
        }],
        parameters: [("type".to_owned(), "fast".to_owned())].into(),
        mutable_parameters: Default::default(),
        secrets: Secret::from_data([("password".to_owned(), b"hunter2hunter2".to_vec())]).expect("text"),
        accessibility: Some(TopologyRequirement { requisite: vec![zone("a"), zone("b")], preferred: vec![zone("b"), zone("a")] }),
        source: None,
    }
}

#[tokio::test]
async fn what_is_asked_for_is_what_arrives() {
    let world = world(Duration::from_secs(10)).await;
    let volume = world.client.create_volume(request("pvc-1")).await.expect("made");
    assert_eq!(volume.handle.as_str(), world.driver.volume_id("pvc-1"));
    let sent = world.driver.requests_of(Rpc::CreateVolume);
    let sent = sent[0].json();
    assert_eq!(sent["capacity_range"], json!({"required_bytes": 4096}));
    assert_eq!(sent["parameters"], json!({"type": "fast"}));
    assert_eq!(sent["secrets"], json!({"password": "hunter2hunter2"}));
    assert_eq!(sent["volume_capabilities"][0]["mount"], json!({"fs_type": "ext4", "mount_flags": ["noatime"]}));
    assert_eq!(sent["accessibility_requirements"]["preferred"][0]["segments"], json!({"zone": "b"}));
}

#[tokio::test]
async fn capabilities_are_learned_once_and_by_name() {
    let world = world(Duration::from_secs(10)).await;
    let info = driver_info(&world.client).await.expect("a driver with a name");
    assert_eq!(info.name.as_str(), "fake.example");
    assert!(info.can(ControllerCapability::CreateDeleteVolume) && !info.can(ControllerCapability::PublishUnpublishVolume));
}

#[tokio::test]
async fn every_code_of_the_driver_keeps_its_number_and_its_words() {
    let world = world(Duration::from_secs(10)).await;
    for code in Code::ALL.into_iter().filter(|code| *code != Code::Ok) {
        let name = if code == Code::Canceled { "Cancelled" } else { code.name() };
        let fake: fake_driver::Code = serde_json::from_value(json!(name)).expect("the same codes");
        world.driver.set_script(vec![Rule::on(Rpc::CreateVolume).fail(fake, "no: because")]);
        let error = world.client.create_volume(request("pvc-1")).await.expect_err("told to fail");
        assert_eq!((error.code, error.message.as_str(), error.unreachable), (code, "no: because", false));
    }
}

#[tokio::test]
async fn a_driver_that_takes_too_long_may_still_be_at_it() {
    let world = world(Duration::from_millis(200)).await;
    world.driver.set_script(vec![Rule::on(Rpc::CreateVolume).hang()]);
    let error = world.client.create_volume(request("pvc-1")).await.expect_err("hangs");
    assert_eq!((error.code, error.verdict()), (Code::DeadlineExceeded, Verdict::MaybeRunning));
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_it_open_what_the_driver_did() {
    let world = world(Duration::from_secs(10)).await;
    world.driver.set_script(vec![Rule::on(Rpc::CreateVolume).die()]);
    let error = world.client.create_volume(request("pvc-1")).await.expect_err("cut");
    assert_eq!((error.code, error.verdict(), error.unreachable), (Code::Unavailable, Verdict::MaybeRunning, true));
}

#[tokio::test]
async fn a_driver_that_comes_back_is_reached_again() {
    let World { driver, client, dir } = world(Duration::from_secs(10)).await;
    client.probe().await.expect("ready");
    driver.stop().await;
    let error = client.probe().await.expect_err("gone");
    assert_eq!((error.code, error.unreachable), (Code::Unavailable, true));
    let _driver = start(&dir).await;
    client.probe().await.expect("ready again");
}

/// What every test of this process logs: a subscriber of one thread would miss lines that another thread was first to come by.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    log
});

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("log").extend_from_slice(text);
        Ok(text.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_in_any_log_at_any_verbosity() {
    let world = world(Duration::from_secs(10)).await;
    tracing::trace!(request = ?request("pvc-1"), "a careless line");
    world.client.create_volume(request("pvc-1")).await.expect("made");
    world.driver.set_script(vec![Rule::on(Rpc::CreateVolume).fail(fake_driver::Code::Internal, "no")]);
    world.client.create_volume(request("pvc-1")).await.expect_err("told to fail");
    let text = String::from_utf8(LOG.0.lock().expect("log").clone()).expect("text");
    assert!(text.contains("***stripped***") && text.contains("GRPC call"), "the calls are logged: {text}");
    assert!(!text.contains("hunter2"), "a secret was logged");
}
