//! A driver, an API and the attacher between them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cluster::drive::Engine;
use cluster::{Backoff, Caches, Events, Leadership, Ledger, Metrics};
use csi_client::{Address, ConnectOptions, Driver};
use external_attacher::{Settings, WATCHES, controller};
use fake_driver::{Builder, FakeDriver, Rpc, Script};
use rt::{Ctx, Shutdown, Task};
use serde_json::{Value, json};
use sidecar::Surroundings;
use test_api::TestApi;

pub(crate) const VOLUMES: &str = "/api/v1/persistentvolumes";
pub(crate) const PV: &str = "/api/v1/persistentvolumes/pv";
pub(crate) const ATTACHMENTS: &str = "/apis/storage.k8s.io/v1/volumeattachments";
pub(crate) const VA: &str = "/apis/storage.k8s.io/v1/volumeattachments/va";
pub(crate) const CSI_NODES: &str = "/apis/storage.k8s.io/v1/csinodes";

pub(crate) const DRIVER: &str = "fake.example.com";
pub(crate) const FINALIZER: &str = "external-attacher/fake-example-com";

pub(crate) struct World {
    pub(crate) api: TestApi,
    /// What the attacher sees.
    pub(crate) caches: Caches,
    pub(crate) driver: Option<FakeDriver>,
    pub(crate) settings: Settings,
    pub(crate) call_limit: Duration,
    shape: fn(Builder) -> Builder,
    running: Option<(Task, Shutdown)>,
    dir: tempfile::TempDir,
}

impl World {
    /// A driver, a node that has it, and an attacher that is quick to give up and to try again.
    pub(crate) async fn start(script: &str) -> Self {
        let mut world = Self::prepare(script, |driver| driver).await;
        world.restart().await;
        world
    }

    /// The same without the attacher.
    pub(crate) async fn prepare(script: &str, shape: fn(Builder) -> Builder) -> Self {
        let settings = Settings {
            workers: 4,
            backoff: Backoff { start: Duration::from_millis(50), max: Duration::from_secs(3600) },
            resync: Duration::ZERO,
            verify_every: Duration::from_millis(100),
            page: 1,
            default_fs_type: "ext4".into(),
            error_codes: true,
        };
        let dir = tempfile::tempdir().expect("a folder");
        let call_limit = Duration::from_secs(5);
        let (api, caches) = (TestApi::start(&Ctx::real()).await, Caches::default());
        let mut world = Self { api, caches, driver: None, settings, call_limit, shape, running: None, dir };
        world.start_driver(script).await;
        world.node("n1").await;
        world
    }

    /// The backend loses every volume; call while the driver is stopped. Returns what it had.
    pub(crate) fn forget_volumes(&self) -> Vec<u8> {
        let had = std::fs::read(self.state()).expect("the driver's state");
        std::fs::remove_file(self.state()).expect("the driver's state");
        had
    }

    pub(crate) fn remember_volumes(&self, had: &[u8]) {
        std::fs::write(self.state(), had).expect("the driver's state");
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("volumes.json")
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("csi.sock")
    }

    pub(crate) async fn start_driver(&mut self, script: &str) {
        let driver = (self.shape)(FakeDriver::builder(DRIVER).any_volume(true).state(self.state()));
        let driver = driver.script(Script::parse(script).expect("a script")).start(self.socket()).await;
        self.driver = Some(driver.expect("a driver"));
    }

    pub(crate) async fn stop_driver(&mut self) {
        self.driver.take().expect("a running driver").stop().await;
    }

    /// Ends the attacher, if it runs, and starts one that remembers nothing.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let ctx = Ctx::real();
        let metrics = csi_client::Metrics::new();
        let options = ConnectOptions { address: Address::Unix(self.socket()), timeout: self.call_limit, metrics };
        let driver: Arc<dyn Driver> = Arc::new(csi_client::Client::lazy(&ctx, options));
        let info = csi_client::driver_info(&*driver).await.expect("a driver that answers");
        let (client, metrics, shutdown) = (self.api.client(), Metrics::new(), Shutdown::new());
        let caches = Caches::start(&ctx, &client, WATCHES, &metrics);
        caches.synced(&WATCHES).await;
        self.caches = caches.clone();
        let engine = Engine {
            ctx: ctx.clone(),
            leadership: Leadership::always(&ctx),
            ledger: Ledger::new(),
            metrics: metrics.clone(),
            workers: self.settings.workers,
            backoff: self.settings.backoff,
            shutdown: shutdown.clone(),
            queue: String::new(),
        };
        let events = Events::new(&ctx, client.clone(), DRIVER, "host", &metrics);
        let surroundings = Surroundings { client, events, driver, info, engine, namespace: "default".to_owned() };
        let settings = self.settings.clone();
        let task = ctx.spawn("attacher", async move { controller(settings, surroundings, &caches).await });
        self.running = Some((task, shutdown));
    }

    pub(crate) async fn stop(&mut self) {
        if let Some((mut task, shutdown)) = self.running.take() {
            shutdown.request();
            task.ended().await;
        }
    }

    /// `n1` is called `node-1` by the driver.
    pub(crate) async fn node(&self, name: &str) {
        let drivers = json!([{"name": DRIVER, "nodeID": name.replace('n', "node-")}]);
        self.api.create(CSI_NODES, name, json!({"spec": {"drivers": drivers}})).await;
    }

    /// A volume of the driver; `more` is merged into its `spec.csi`.
    pub(crate) async fn volume(&self, name: &str, more: Value) {
        let mut csi = json!({"driver": DRIVER, "volumeHandle": format!("handle-{name}")});
        csi.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let spec = json!({"accessModes": ["ReadWriteMany"], "capacity": {"storage": "1Gi"}, "csi": csi});
        self.api.create(VOLUMES, name, json!({"spec": spec})).await;
    }

    pub(crate) async fn attachment(&self, name: &str, volume: &str, node: &str) {
        let spec = json!({"attacher": DRIVER, "nodeName": node, "source": {"persistentVolumeName": volume}});
        self.api.create(ATTACHMENTS, name, json!({"spec": spec})).await;
    }

    pub(crate) fn status(&self, attachment: &str) -> Value {
        self.api.get(&format!("{ATTACHMENTS}/{attachment}")).map(|object| object["status"].clone()).unwrap_or_default()
    }

    pub(crate) fn is_attached(&self, attachment: &str) -> bool {
        self.status(attachment)["attached"] == true
    }

    pub(crate) fn is_held(&self, path: &str) -> bool {
        self.api.get(path).is_some_and(|object| finalizers(&object).contains(&FINALIZER))
    }

    pub(crate) fn calls(&self, rpc: Rpc) -> Vec<Value> {
        let driver = self.driver.as_ref().expect("a running driver");
        driver.requests_of(rpc).iter().map(fake_driver::Recorded::json).collect()
    }

    /// `pv`, `va` or `va/status` of each patch, in order.
    pub(crate) fn writes(&self) -> Vec<&'static str> {
        let word = |path: &str| match path {
            path if path.ends_with("/status") => "va/status",
            path if path.starts_with(ATTACHMENTS) => "va",
            _ => "pv",
        };
        self.api.sent().iter().filter_map(|sent| sent.strip_prefix("PATCH ")).map(word).collect()
    }

    pub(crate) async fn until(&self, what: &str, is: impl Fn(&Self) -> bool) {
        for _ in 0..2000 {
            if is(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never came: {what}\nwrites: {:?}", self.writes());
    }
}

pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
