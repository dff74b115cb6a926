//! A driver, an API and the provisioner between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cluster::drive::Engine;
use cluster::intents::{ANNOTATION, unpack};
use cluster::{Caches, Events, Leadership, Ledger, Metrics};
use csi_client::{Address, ConnectOptions, Driver};
use external_provisioner::{controller, watches};
use fake_driver::{Builder, FakeDriver, Rpc, Script};
use rt::disk::MemoryDisk;
use rt::{Ctx, Shutdown, Task};
use serde_json::{Value, json};
use sidecar::Program;
use sidecar::Surroundings;
use test_api::TestApi;

pub(crate) const VOLUMES: &str = "/api/v1/persistentvolumes";
pub(crate) const CLAIMS: &str = "/api/v1/namespaces/team-a/persistentvolumeclaims";
pub(crate) const SECRETS: &str = "/api/v1/namespaces/team-a/secrets";
pub(crate) const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";
pub(crate) const ATTACHMENTS: &str = "/apis/storage.k8s.io/v1/volumeattachments";
pub(crate) const CSI_NODES: &str = "/apis/storage.k8s.io/v1/csinodes";
pub(crate) const NODES: &str = "/api/v1/nodes";

pub(crate) const NAMESPACE: &str = "longshore";
pub(crate) const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/longshore/leases";
pub(crate) const INTENTS: &str = "longshore-intents-fake-example-com";

pub(crate) const DRIVER: &str = "fake.example.com";

pub(crate) struct World {
    pub(crate) api: TestApi,
    /// What the provisioner sees.
    pub(crate) caches: Caches,
    /// What the volume of each claim is called, also when the claim is gone.
    volumes: Mutex<BTreeMap<String, String>>,
    pub(crate) driver: FakeDriver,
    flags: Vec<&'static str>,
    running: Option<(Ctx, Task, Shutdown)>,
    started: u64,
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
        let (api, caches) = (TestApi::start(&Ctx::real()).await, Caches::default());
        let mut world = Self { api, caches, volumes: Mutex::default(), driver, flags, running: None, started: 0, _dir: dir };
        world.api.create("/api/v1/namespaces", NAMESPACE, json!({})).await;
        world.class(json!({})).await;
        world.restart().await;
        world
    }

    /// Ends the provisioner, if it runs, and starts one that remembers nothing.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        // Seeded, so that it can be killed; time is real, since the driver's socket follows no paused clock.
        self.started += 1;
        let ctx = Ctx::seeded(self.started, Arc::new(MemoryDisk::new()));
        let options = ConnectOptions {
            address: Address::Unix(self.driver.socket().to_owned()),
            timeout: Duration::from_millis(500),
            metrics: csi_client::Metrics::new(),
        };
        let driver: Arc<dyn Driver> = Arc::new(csi_client::Client::lazy(&ctx, options));
        let info = csi_client::driver_info(&*driver).await.unwrap();
        let (client, metrics, shutdown) = (self.api.client(), Metrics::new(), Shutdown::new());
        let caches = Caches::start(&ctx, &client, watches(&info), &metrics);
        caches.synced(&watches(&info)).await;
        self.caches = caches.clone();
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
            namespace: NAMESPACE.to_owned(),
        };
        let task = ctx.spawn("provisioner", async move {
            controller(config, external_provisioner::Metrics::new(), surroundings, &caches).await
        });
        self.running = Some((ctx, task, shutdown));
    }

    /// Ends the provisioner as SIGKILL would.
    pub(crate) fn kill(&mut self) {
        if let Some((ctx, ..)) = self.running.take() {
            ctx.kill();
        }
    }

    /// What is written down, by the claim's uid.
    pub(crate) fn intents(&self) -> BTreeMap<String, String> {
        let leases = self.api.list(LEASES).into_iter();
        let texts = leases.filter_map(|lease| Some(lease["metadata"]["annotations"][ANNOTATION].as_str()?.to_owned()));
        texts.flat_map(|text| unpack(&text).expect("a format we know")).collect()
    }

    /// What kube-controller-manager does with volumes whose claims are gone, until nothing is left anywhere.
    pub(crate) async fn until_nothing_is_left(&self) {
        for _ in 0..2000 {
            self.api.unprotect(VOLUMES).await;
            let (volumes, claims) = (self.api.list(VOLUMES), self.api.list("/api/v1/persistentvolumeclaims"));
            if volumes.is_empty() && self.driver.volumes().is_empty() && self.intents().is_empty() {
                return;
            }
            for volume in volumes {
                let of_claim = |claim: &&Value| claim["metadata"]["uid"] == volume["spec"]["claimRef"]["uid"];
                let path = format!("{VOLUMES}/{}", volume["metadata"]["name"].as_str().unwrap_or_default());
                if claims.iter().find(of_claim).is_none() && volume["status"]["phase"] != "Released" {
                    self.api.edit(&path, |volume| volume["status"]["phase"] = json!("Released")).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!(
            "left: {:#?}\n{:#?}\n{:#?}\nevents: {:#?}\nrequests: {:#?}",
            self.api.list(VOLUMES),
            self.driver.volumes(),
            self.intents(),
            self.api.events(),
            self.api.sent()
        );
    }

    pub(crate) async fn stop(&mut self) {
        if let Some((_, mut task, shutdown)) = self.running.take() {
            shutdown.request();
            task.ended().await;
        }
    }

    /// The class `fast`, in the place of the one there is: a class cannot be changed.
    pub(crate) async fn class(&self, class: Value) {
        let mut object = json!({"provisioner": DRIVER, "reclaimPolicy": "Delete", "parameters": {"type": "ssd"}});
        object.as_object_mut().unwrap().extend(class.as_object().unwrap().clone());
        let path = format!("{CLASSES}/fast");
        if self.api.get(&path).is_some() {
            self.api.delete(&path).await;
        }
        self.api.create(CLASSES, "fast", object).await;
    }

    pub(crate) async fn claim(&self, name: &str, annotations: Value) {
        let mut object = json!({
            "metadata": {"annotations": {"volume.kubernetes.io/storage-provisioner": DRIVER}},
            "spec": {
                "storageClassName": "fast",
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        });
        object["metadata"]["annotations"].as_object_mut().unwrap().extend(annotations.as_object().unwrap().clone());
        let made = self.api.create(CLAIMS, name, object).await;
        let volume = format!("pvc-{}", made["metadata"]["uid"].as_str().unwrap());
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), volume);
    }

    /// What kube-controller-manager does when claim and volume have found each other.
    pub(crate) async fn bind(&self, claim: &str) {
        self.phase(claim, "Bound").await;
        let volume = self.volume_name(claim);
        self.api.edit(&format!("{CLAIMS}/{claim}"), |pvc| pvc["spec"]["volumeName"] = json!(volume)).await;
    }

    /// The claim is deleted, and kube-controller-manager notices.
    pub(crate) async fn release(&self, claim: &str) {
        self.api.remove(&format!("{CLAIMS}/{claim}")).await;
        self.phase(claim, "Released").await;
    }

    /// The phase of a claim's volume.
    pub(crate) async fn phase(&self, claim: &str, phase: &str) {
        self.api.edit(&self.volume_path(claim), |pv| pv["status"]["phase"] = json!(phase)).await;
    }

    pub(crate) fn volume_name(&self, claim: &str) -> String {
        self.volumes.lock().unwrap_or_else(PoisonError::into_inner)[claim].clone()
    }

    pub(crate) fn volume_path(&self, claim: &str) -> String {
        format!("{VOLUMES}/{}", self.volume_name(claim))
    }

    pub(crate) fn volume(&self, claim: &str) -> Option<Value> {
        self.api.get(&self.volume_path(claim))
    }

    pub(crate) fn calls(&self, rpc: Rpc) -> usize {
        self.driver.requests_of(rpc).len()
    }

    pub(crate) async fn until(&self, what: &str, is: impl Fn(&World) -> bool) {
        for _ in 0..2000 {
            // Nobody uses a volume that is on its way out.
            self.api.unprotect(VOLUMES).await;
            if is(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never came: {what}\nevents: {:#?}\nrequests: {:#?}", self.api.events(), self.api.sent());
    }
}
