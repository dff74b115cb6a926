//! A driver, an API and the provisioner between them.

use std::sync::Arc;
use std::time::Duration;

use cluster::drive::Engine;
use cluster::{Events, Leadership, Ledger, Metrics};
use csi_client::{Address, ConnectOptions, Driver};
use external_provisioner::controller;
use fake_driver::{Builder, FakeDriver, Rpc, Script};
use rt::{Ctx, Shutdown, Task};
use serde_json::{Value, json};
use sidecar::Program;
use sidecar::Surroundings;

use crate::api::{Api, CLAIMS, CLASSES, VOLUMES};

pub(crate) const DRIVER: &str = "fake.example.com";

pub(crate) struct World {
    pub(crate) api: Arc<Api>,
    pub(crate) driver: FakeDriver,
    flags: Vec<&'static str>,
    running: Option<(Task, Shutdown)>,
    _dir: tempfile::TempDir,
}

impl World {
    /// A driver that follows this script, a class `fast`, and a provisioner that is quick to give up and to try again.
    pub(crate) async fn start(script: &str) -> Self {
        Self::with(script, &[], |driver| driver).await
    }

    pub(crate) async fn with(script: &str, flags: &[&'static str], driver: impl FnOnce(Builder) -> Builder) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let driver = driver(FakeDriver::builder(DRIVER)).script(Script::parse(script).unwrap());
        let driver = driver.start(dir.path().join("csi.sock")).await.unwrap();
        let quick = ["--timeout=500ms", "--retry-interval-start=20ms", "--retry-interval-max=1h"];
        let flags = quick.iter().chain(flags).copied().collect();
        let mut world = Self { api: Arc::default(), driver, flags, running: None, _dir: dir };
        world.class(json!({}));
        world.restart().await;
        world
    }

    /// Ends the provisioner, if it runs, and starts one that remembers nothing.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        let ctx = Ctx::real();
        let options = ConnectOptions {
            address: Address::Unix(self.driver.socket().to_owned()),
            timeout: Duration::from_millis(500),
            metrics: csi_client::Metrics::new(),
        };
        let driver: Arc<dyn Driver> = Arc::new(csi_client::Client::lazy(&ctx, options));
        let info = csi_client::driver_info(&*driver).await.unwrap();
        let (caches, client, metrics, shutdown) = (self.api.caches(), self.api.client(), Metrics::new(), Shutdown::new());
        let argv = std::iter::once("external-provisioner").chain(self.flags.iter().copied()).map(Into::into);
        let flags: external_provisioner::flags::Flags = sidecar::parse(sidecar::Dialect::Pflag, argv).unwrap();
        let config = flags.config(&mut Vec::new()).unwrap().controller;
        let surroundings = Surroundings {
            events: Events::new(&ctx, client.clone(), DRIVER, "host", &metrics),
            client,
            driver,
            info,
            engine: Engine {
                ctx: ctx.clone(),
                leadership: Leadership::always(&ctx),
                ledger: Ledger::new(),
                metrics,
                workers: 1,
                backoff: config.backoff,
                shutdown: shutdown.clone(),
                queue: String::new(),
            },
        };
        let task = ctx.spawn("provisioner", async move {
            controller(config, external_provisioner::Metrics::new(), surroundings, &caches).await
        });
        self.running = Some((task, shutdown));
    }

    pub(crate) async fn stop(&mut self) {
        if let Some((mut task, shutdown)) = self.running.take() {
            shutdown.request();
            task.ended().await;
        }
    }

    pub(crate) fn class(&self, class: Value) {
        let mut object = json!({"provisioner": DRIVER, "reclaimPolicy": "Delete", "parameters": {"type": "ssd"}});
        object.as_object_mut().unwrap().extend(class.as_object().unwrap().clone());
        self.api.put(CLASSES, "fast", object);
    }

    pub(crate) fn claim(&self, name: &str, annotations: Value) {
        let mut object = json!({
            "metadata": {"annotations": {"volume.kubernetes.io/storage-provisioner": DRIVER}},
            "spec": {
                "storageClassName": "fast",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        });
        object["metadata"]["annotations"].as_object_mut().unwrap().extend(annotations.as_object().unwrap().clone());
        self.api.put(CLAIMS, name, object);
    }

    /// What kube-controller-manager does when claim and volume have found each other.
    pub(crate) fn bind(&self, claim: &str) {
        let volume = format!("pvc-uid-{claim}");
        self.api.edit(VOLUMES, &volume, |pv| pv["status"] = json!({"phase": "Bound"}));
        self.api.edit(CLAIMS, claim, |pvc| pvc["spec"]["volumeName"] = json!(volume));
    }

    /// The claim is deleted, and kube-controller-manager notices.
    pub(crate) fn release(&self, claim: &str) {
        self.api.remove(CLAIMS, claim);
        self.api.edit(VOLUMES, &format!("pvc-uid-{claim}"), |pv| pv["status"] = json!({"phase": "Released"}));
    }

    pub(crate) fn volume(&self, claim: &str) -> Option<Value> {
        self.api.get(&format!("{VOLUMES}/pvc-uid-{claim}"))
    }

    pub(crate) fn calls(&self, rpc: Rpc) -> usize {
        self.driver.requests_of(rpc).len()
    }

    pub(crate) async fn until(&self, what: &str, is: impl Fn(&World) -> bool) {
        for _ in 0..2000 {
            if is(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never came: {what}\nevents: {:#?}\nrequests: {:#?}", self.api.events(), self.api.log());
    }
}
