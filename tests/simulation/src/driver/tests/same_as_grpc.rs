//! The life of a volume through the gRPC client and a socket, and through the simulator: each RPC once.

use csi_client::{Address, Client, ConnectOptions, Metrics};
use csi_types::{ContentSource, ControllerUnpublishVolumeRequest, Segments, TopologyRequirement};
use fake_driver::{FakeDriver, PluginCap};

use super::*;

fn full() -> Settings {
    let mut settings = settings();
    settings.plugin.push(PluginCap::VolumeAccessibilityConstraints);
    settings.controller.extend([ControllerCap::CloneVolume, ControllerCap::PublishReadonly]);
    settings.capacity = Some(1 << 30);
    settings
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    [(text.to_owned(), format!("{text}'s"))].into()
}

/// Every method of the trait, with every field set. What each answered, in order.
async fn life(driver: &dyn Driver, handle: csi_types::VolumeHandle) -> Vec<String> {
    let secrets = || Secret::from_iter([("password", "hunter2hunter2")]);
    let capability = || VolumeCapability { access_type: filesystem(), access_mode: CsiAccessMode::SingleNodeMultiWriter };
    let zone = |name: &str| Segments::from_iter([("zone", name)]);
    let mut answers = Vec::new();
    let mut say = |answer: &dyn std::fmt::Debug| answers.push(format!("{answer:?}"));
    say(&driver.probe().await);
    say(&driver.get_plugin_info().await);
    say(&driver.get_plugin_capabilities().await);
    say(&driver.controller_get_capabilities().await);
    say(&driver.node_get_info().await);
    say(&driver.node_get_capabilities().await);
    let volume = CreateVolumeRequest {
        capabilities: vec![capability()],
        mutable_parameters: pairs("iops"),
        secrets: secrets(),
        accessibility: Some(TopologyRequirement { requisite: vec![zone("a"), zone("b")], preferred: vec![zone("b"), zone("a")] }),
        ..create()
    };
    say(&driver.create_volume(volume.clone()).await);
    let clone = CreateVolumeRequest {
        name: "pvc-2".into(),
        source: Some(ContentSource::Volume(handle.clone())),
        capabilities: vec![VolumeCapability { access_type: AccessType::Block, ..capability() }],
        ..volume
    };
    say(&driver.create_volume(clone).await);
    let capacity =
        GetCapacityRequest { capabilities: vec![capability()], parameters: pairs("tier"), accessible_topology: Some(zone("a")) };
    say(&driver.get_capacity(capacity).await);
    let attach = ControllerPublishVolumeRequest {
        handle: handle.clone(),
        node_id: "node-1".into(),
        capability: capability(),
        readonly: true,
        context: pairs("context"),
        secrets: secrets(),
    };
    say(&driver.controller_publish_volume(attach).await);
    say(&driver.list_volumes(ListVolumesRequest { max_entries: 1, starting_token: handle.to_string() }).await);
    let stage = NodeStageVolumeRequest {
        handle: handle.clone(),
        publish_context: pairs("published"),
        staging_target_path: "/stage".into(),
        capability: capability(),
        secrets: secrets(),
        volume_context: pairs("context"),
    };
    say(&driver.node_stage_volume(stage).await);
    let publish = NodePublishVolumeRequest {
        handle: handle.clone(),
        publish_context: pairs("published"),
        staging_target_path: "/stage".into(),
        target_path: "/target".into(),
        capability: capability(),
        readonly: true,
        secrets: secrets(),
        volume_context: pairs("context"),
    };
    say(&driver.node_publish_volume(publish).await);
    // Refused: the sentence and the code come through too.
    say(&driver.delete_volume(DeleteVolumeRequest { handle: handle.clone(), secrets: secrets() }).await);
    let unpublish = NodeUnpublishVolumeRequest { handle: handle.clone(), target_path: "/target".into() };
    say(&driver.node_unpublish_volume(unpublish).await);
    let unstage = NodeUnstageVolumeRequest { handle: handle.clone(), staging_target_path: "/stage".into() };
    say(&driver.node_unstage_volume(unstage).await);
    let detach = ControllerUnpublishVolumeRequest { handle: handle.clone(), node_id: "node-1".into(), secrets: secrets() };
    say(&driver.controller_unpublish_volume(detach).await);
    say(&driver.delete_volume(DeleteVolumeRequest { handle, secrets: secrets() }).await);
    answers
}

#[test]
fn every_rpc_sends_and_answers_what_the_grpc_client_does() {
    let real = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (handle, requests, answers) = real.block_on(async {
        let dir = tempfile::tempdir().expect("a folder for the socket");
        let socket = dir.path().join("csi.sock");
        let settings = full();
        let driver = FakeDriver::builder(settings.name)
            .plugin_caps(settings.plugin)
            .controller_caps(settings.controller)
            .capacity(settings.capacity)
            .node_id("node-1")
            .topology([("zone", "a")])
            .start(&socket)
            .await
            .expect("the driver starts");
        let options = ConnectOptions { address: Address::Unix(socket), timeout: LIMIT, metrics: Metrics::new() };
        let client = Client::lazy(&Ctx::real(), options);
        let handle: csi_types::VolumeHandle = driver.volume_id("pvc-1").into();
        let answers = life(&client, handle.clone()).await;
        let requests: Vec<Request> = driver.requests().into_iter().map(|recorded| recorded.request).collect();
        driver.stop().await;
        (handle, requests, answers)
    });
    run(async {
        let world = Ctx::seeded(1, Arc::new(MemoryDisk::new()));
        let told = Arc::new(Told::default());
        let backend = Backend::new(&world, World::new(full()), told.clone());
        let place = Place { topology: [("zone".to_owned(), "a".to_owned())].into(), max_volumes: 0 };
        let plugin = Plugin::new(&backend, "node-1", place, None);
        let simulated = life(&plugin.connect("test", &world, LIMIT), handle).await;
        assert_eq!(simulated, answers);
        assert_eq!(told.requests(), requests);
    });
    let sent: std::collections::BTreeSet<&str> = requests.iter().map(|request| request.rpc().name()).collect();
    let all: std::collections::BTreeSet<&str> = csi_types::Rpc::ALL.iter().map(|rpc| rpc.name()).collect();
    assert_eq!(sent, all, "each RPC is here");
}
