//! Registration from a socket to the API and back, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use csi_proto::pluginregistration as wire;
use csi_proto::pluginregistration::registration_server::{Registration as Service, RegistrationServer};
use fake_driver::{FakeDriver, NodeCap};
use rt::Ctx;
use serde_json::{Value, json};
use test_api::TestApi;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status};

use super::*;
use crate::mounter::FakeMounter;
use crate::node::Host;
use crate::testing;

/// What a registrar was told, in order.
type Told = Arc<std::sync::Mutex<Vec<(bool, String)>>>;

struct Registrar {
    info: wire::PluginInfo,
    told: Told,
}

#[tonic::async_trait]
impl Service for Registrar {
    async fn get_info(&self, _: Request<wire::InfoRequest>) -> Result<Response<wire::PluginInfo>, Status> {
        Ok(Response::new(self.info.clone()))
    }

    async fn notify_registration_status(
        &self,
        request: Request<wire::RegistrationStatus>,
    ) -> Result<Response<wire::RegistrationStatusResponse>, Status> {
        let status = request.into_inner();
        self.told.lock().expect("no panic while held").push((status.plugin_registered, status.error));
        Ok(Response::new(wire::RegistrationStatusResponse {}))
    }
}

struct Bench {
    folder: tempfile::TempDir,
    api: TestApi,
    agent: Agent,
    shutdown: Shutdown,
    told: Told,
    _driver: FakeDriver,
}

impl Bench {
    async fn new() -> Self {
        Self::with_topology(&[]).await
    }

    async fn with_topology(segments: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let api = TestApi::start(&Ctx::real()).await;
        let agent = testing::agent(folder.path(), Arc::new(FakeMounter::default()), api.client()).await;
        let driver =
            FakeDriver::builder("d").node_caps([NodeCap::StageUnstageVolume]).node_id("id-1").topology(segments.iter().copied());
        let driver = driver.start(folder.path().join("csi.sock")).await.expect("a driver");
        let registry = agent.config.root.plugins_registry();
        std::fs::create_dir_all(&registry).expect("the registry");
        let keeper = Arc::new(Keeper::new(agent.clone(), Host::default()));
        let sockets = Arc::new(FolderWatch::new(agent.ctx.clone(), registry));
        let plugins = Plugins::new(agent.clone(), keeper, sockets, Arc::new(GrpcRegistration(agent.ctx.clone())));
        let shutdown = Shutdown::new();
        agent.ctx.spawn("plugins", plugins.run(shutdown.clone()));
        Self { folder, api, agent, shutdown, told: Told::default(), _driver: driver }
    }

    /// A registrar that announces this, on this socket.
    fn announce(&self, socket: &str, kind: &str, versions: &[&str]) {
        let info = wire::PluginInfo {
            r#type: kind.into(),
            name: "d".into(),
            endpoint: self.folder.path().join("csi.sock").to_string_lossy().into_owned(),
            supported_versions: versions.iter().map(|version| (*version).to_owned()).collect(),
        };
        let service = RegistrationServer::new(Registrar { info, told: self.told.clone() });
        let path = self.agent.config.root.plugins_registry().join(socket);
        let listener = tokio::net::UnixListener::bind(path).expect("a socket");
        self.agent.ctx.spawn("registrar", async move {
            let served =
                tonic::transport::Server::builder().add_service(service).serve_with_incoming(UnixListenerStream::new(listener));
            served.await.expect("served");
        });
    }

    fn withdraw(&self, socket: &str) {
        std::fs::remove_file(self.agent.config.root.plugins_registry().join(socket)).expect("removed");
    }

    fn drivers(&self) -> Value {
        let csi_node = self.api.get("/apis/storage.k8s.io/v1/csinodes/node-1").unwrap_or_default();
        csi_node["spec"]["drivers"].clone()
    }

    fn told(&self) -> Vec<(bool, String)> {
        self.told.lock().expect("no panic while held").clone()
    }

    fn socket_of_driver(&self) -> Option<String> {
        let state = self.agent.state();
        let socket = &state.drivers.get(&DriverName::from("d"))?.socket;
        Some(socket.file_name()?.to_string_lossy().into_owned())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.shutdown.request();
    }
}

async fn eventually(ctx: &Ctx, what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_so() {
            return;
        }
        ctx.sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[tokio::test]
async fn a_driver_comes_and_goes_with_its_socket() {
    let bench = Bench::new().await;
    bench.announce("d-reg.sock", "CSIPlugin", &["1.0.0"]);
    eventually(&bench.agent.ctx, "told", || bench.told() == [(true, String::new())]).await;
    assert_eq!(bench.drivers(), json!([{"name": "d", "nodeID": "id-1", "topologyKeys": null}]));
    bench.withdraw("d-reg.sock");
    eventually(&bench.agent.ctx, "deregistered", || bench.socket_of_driver().is_none()).await;
}

#[tokio::test]
async fn the_newest_socket_has_the_driver_and_an_older_one_takes_it_back() {
    let bench = Bench::new().await;
    let ctx = bench.agent.ctx.clone();
    bench.announce("old.sock", "CSIPlugin", &["1.0.0"]);
    eventually(&ctx, "old", || bench.told().len() == 1).await;
    bench.announce("new.sock", "CSIPlugin", &["1.0.0"]);
    eventually(&ctx, "new", || bench.told().len() == 2).await;
    assert!(bench.told().iter().all(|(registered, _)| *registered), "nobody is refused");
    assert_eq!(bench.socket_of_driver().as_deref(), Some("new.sock"));
    bench.withdraw("new.sock");
    eventually(&ctx, "old again", || bench.socket_of_driver().as_deref() == Some("old.sock")).await;
    bench.withdraw("old.sock");
    eventually(&ctx, "gone", || bench.socket_of_driver().is_none()).await;
}

#[tokio::test]
async fn what_is_not_for_us_is_told_so_in_a_sentence() {
    let bench = Bench::new().await;
    bench.announce("gpu.sock", "DevicePlugin", &["1.0.0"]);
    eventually(&bench.agent.ctx, "told", || !bench.told().is_empty()).await;
    let (registered, sentence) = bench.told().remove(0);
    assert!(!registered && sentence.contains("DevicePlugin"), "{sentence}");
    assert!(bench.agent.state().drivers.is_empty());
}

#[tokio::test]
async fn a_topology_that_contradicts_the_node_is_refused() {
    let bench = Bench::with_topology(&[("zone", "a")]).await;
    bench.api.create("/api/v1/nodes", "node-1", json!({"metadata": {"labels": {"zone": "b"}}})).await;
    bench.announce("d-reg.sock", "CSIPlugin", &["1.0.0"]);
    eventually(&bench.agent.ctx, "told", || !bench.told().is_empty()).await;
    let (registered, sentence) = bench.told().remove(0);
    assert!(!registered && sentence.contains("zone=b") && sentence.contains("zone=a"), "{sentence}");
    assert!(bench.drivers().is_null(), "as the API shows an empty list");
}
