//! An API in memory, one node, and a binder that can be killed and started again.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use apistore::Store;
use binder::{Config, Surroundings};
use cluster::drive::Engine;
use cluster::{Backoff, Caches, Leadership, Ledger, Metrics};
use futures::future::BoxFuture;
use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use rt::disk::MemoryDisk;
use rt::{Ctx, Shutdown, Task};
use serde_json::{Value, json};
use tower::Service;

pub(crate) const HOST: &str = "host";

pub(crate) struct World {
    pub(crate) ctx: Ctx,
    pub(crate) client: Client,
    api: apistore::Api,
    running: Option<Running>,
    started: u64,
}

/// Carries requests to the API until its process has written so often.
#[derive(Clone)]
struct Doomed {
    api: apistore::Api,
    left: Arc<AtomicU64>,
    ctx: Ctx,
}

impl Service<Request<Body>> for Doomed {
    type Response = Response<apistore::Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let last = request.method() != Method::GET && self.left.fetch_sub(1, Ordering::SeqCst) == 1;
        let (answer, ctx) = (self.api.call(request), self.ctx.clone());
        Box::pin(async move {
            let answer = answer.await;
            if last {
                ctx.kill();
                std::future::pending::<()>().await;
            }
            answer
        })
    }
}

struct Running {
    ctx: Ctx,
    shutdown: Shutdown,
    task: Task,
}

/// Runs a scenario with a binder that watches.
pub(crate) fn run(scenario: impl AsyncFnOnce(&mut World)) {
    prepared(async |world| {
        world.start().await;
        scenario(world).await;
        world.stop().await;
    });
}

/// The same without the binder.
pub(crate) fn prepared(scenario: impl AsyncFnOnce(&mut World)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(7, Arc::new(MemoryDisk::new()));
        let api = apistore::Api::new(Store::in_memory(&ctx));
        let client = api.client("default");
        let mut world = World { ctx, client, api, running: None, started: 0 };
        world.create("/api/v1/namespaces", json!({"metadata": {"name": "default"}})).await;
        world.create("/api/v1/nodes", json!({"metadata": {"name": HOST}})).await;
        let ready = json!([{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": ""}]);
        world.patch(&format!("/api/v1/nodes/{HOST}/status"), json!({"status": {"conditions": ready}})).await;
        let taints = json!({"spec": {"taints": null}});
        world.patch(&format!("/api/v1/nodes/{HOST}"), taints).await;
        scenario(&mut world).await;
    });
}

impl World {
    pub(crate) async fn start(&mut self) {
        self.started += 1;
        let ctx = Ctx::seeded(self.started, Arc::new(MemoryDisk::new()));
        self.start_in(ctx, self.client.clone()).await;
    }

    /// A binder that dies after its nth write, before it hears of it.
    pub(crate) async fn start_doomed(&mut self, writes: u64) {
        self.started += 1;
        let ctx = Ctx::seeded(self.started, Arc::new(MemoryDisk::new()));
        let doomed = Doomed { api: self.api.clone(), left: Arc::new(AtomicU64::new(writes)), ctx: ctx.clone() };
        self.start_in(ctx, Client::new(doomed, "default")).await;
    }

    /// Whether the binder has died.
    pub(crate) fn is_dead(&self) -> bool {
        self.running.as_ref().is_none_or(|running| running.ctx.is_dead())
    }

    async fn start_in(&mut self, ctx: Ctx, client: Client) {
        let (metrics, shutdown) = (Metrics::new(), Shutdown::new());
        let engine = Engine {
            ctx: ctx.clone(),
            leadership: Leadership::always(&ctx),
            ledger: Ledger::new(),
            metrics: metrics.clone(),
            workers: 2,
            backoff: Backoff { start: Duration::from_millis(100), max: Duration::from_secs(60) },
            shutdown: shutdown.clone(),
            queue: String::new(),
        };
        let own = ctx.clone();
        let task = ctx.spawn("binder", async move {
            let caches = Caches::start(&own, &client, binder::watches(), &metrics);
            caches.synced(&binder::watches()).await;
            binder::controller(Config::new(HOST), Surroundings { client, engine }, &caches).await;
        });
        self.running = Some(Running { ctx, shutdown, task });
    }

    pub(crate) async fn stop(&mut self) {
        if let Some(Running { ctx, shutdown, mut task }) = self.running.take() {
            assert_eq!(ctx.panicked(), None);
            shutdown.request();
            if !ctx.is_dead() {
                task.ended().await;
            }
            ctx.kill();
        }
    }

    /// How often its tasks were polled: a measure of what it does.
    pub(crate) fn polls(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.ctx.polls())
    }

    async fn send(&self, method: &str, path: &str, content: &str, body: Value) -> Result<Value, kube::Error> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder().method(method).uri(path).header("content-type", content).body(body);
        self.client.request(request.expect("a request")).await
    }

    pub(crate) async fn create(&self, path: &str, object: Value) -> Value {
        let created = self.send("POST", path, "application/json", object.clone()).await;
        created.unwrap_or_else(|error| panic!("cannot create {object}: {error}"))
    }

    pub(crate) async fn patch(&self, path: &str, patch: Value) -> Value {
        let patched = self.send("PATCH", path, "application/merge-patch+json", patch.clone()).await;
        patched.unwrap_or_else(|error| panic!("cannot patch {path} with {patch}: {error}"))
    }

    pub(crate) async fn delete(&self, path: &str) {
        let deleted = self.send("DELETE", path, "application/json", Value::Null).await;
        deleted.unwrap_or_else(|error| panic!("cannot delete {path}: {error}"));
    }

    /// `Null` if it is not there.
    pub(crate) async fn get(&self, path: &str) -> Value {
        match self.send("GET", path, "application/json", Value::Null).await {
            Ok(object) => object,
            Err(kube::Error::Api(status)) if status.code == 404 => Value::Null,
            Err(error) => panic!("cannot read {path}: {error}"),
        }
    }

    /// Waits until an object is as it should be.
    pub(crate) async fn until(&self, path: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..2000 {
            let object = self.get(path).await;
            if is(&object) {
                return object;
            }
            self.ctx.sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} never is {what}: {:#}\n{:#?}", self.get(path).await, self.events().await);
    }

    /// Waits until this was said about an object.
    pub(crate) async fn until_said(&self, about: &str, component: &str, reason: &str, message: &str) {
        for _ in 0..2000 {
            let said = (about.to_owned(), component.to_owned(), reason.to_owned(), message.to_owned());
            if self.events().await.contains(&said) {
                return;
            }
            self.ctx.sleep(Duration::from_millis(100)).await;
        }
        panic!("{reason} {message:?} was never said about {about}: {:#?}", self.events().await);
    }

    /// Name of the object, component, reason, message.
    pub(crate) async fn events(&self) -> Vec<(String, String, String, String)> {
        let list = self.get("/api/v1/events").await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let events = list["items"].as_array().cloned().unwrap_or_default();
        let told = events.iter().map(|event| {
            let (object, source) = (text(&event["involvedObject"]["name"]), text(&event["source"]["component"]));
            (object, source, text(&event["reason"]), text(&event["message"]))
        });
        told.collect()
    }

    pub(crate) async fn sleep(&self, seconds: u64) {
        self.ctx.sleep(Duration::from_secs(seconds)).await;
    }

    // === objects ===

    pub(crate) async fn class(&self, name: &str, provisioner: &str, waits: bool) {
        let mode = if waits { "WaitForFirstConsumer" } else { "Immediate" };
        let object = json!({"metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode});
        self.create("/apis/storage.k8s.io/v1/storageclasses", object).await;
    }

    /// `more` is merged into the spec.
    pub(crate) async fn claim(&self, name: &str, size: &str, more: Value) -> Value {
        let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}});
        merge(&mut spec, more);
        self.create("/api/v1/namespaces/default/persistentvolumeclaims", json!({"metadata": {"name": name}, "spec": spec})).await
    }

    /// `more` is merged into the spec.
    pub(crate) async fn volume(&self, name: &str, size: &str, more: Value) -> Value {
        let mut spec = json!({
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": size},
            "csi": {"driver": "d", "volumeHandle": name},
        });
        merge(&mut spec, more);
        self.create("/api/v1/persistentvolumes", json!({"metadata": {"name": name}, "spec": spec})).await
    }

    /// What an external provisioner makes for a claim that asks for it.
    pub(crate) async fn provision(&self, claim: &str) -> String {
        let claim = self.get(&of_claim(claim)).await;
        let (meta, spec) = (&claim["metadata"], &claim["spec"]);
        let name = format!("pvc-{}", meta["uid"].as_str().expect("a uid"));
        let object = json!({
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": "d"}},
            "spec": {
                "accessModes": spec["accessModes"],
                "capacity": {"storage": spec["resources"]["requests"]["storage"]},
                "claimRef": {
                    "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                    "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"],
                },
                "csi": {"driver": "d", "volumeHandle": name},
                "persistentVolumeReclaimPolicy": "Delete",
                "storageClassName": spec["storageClassName"],
                "volumeMode": spec["volumeMode"],
            },
        });
        self.create("/api/v1/persistentvolumes", object).await;
        name
    }

    /// One volume per claim. `more` is merged into the spec.
    pub(crate) async fn pod(&self, name: &str, claims: &[&str], more: Value) -> Value {
        let volume = |claim: &&str| json!({"name": claim, "persistentVolumeClaim": {"claimName": claim}});
        let volumes: Vec<Value> = claims.iter().map(volume).collect();
        let mut spec = json!({"containers": [{"name": "c", "image": "none"}], "volumes": volumes});
        merge(&mut spec, more);
        self.create("/api/v1/namespaces/default/pods", json!({"metadata": {"name": name}, "spec": spec})).await
    }

    /// Waits until a claim and its volume are bound to each other; the volume's name.
    pub(crate) async fn until_bound(&self, claim: &str) -> String {
        let claim = self.until(&of_claim(claim), "bound", |claim| claim["status"]["phase"] == "Bound").await;
        let name = claim["spec"]["volumeName"].as_str().expect("a volume").to_owned();
        let volume = self.get(&of_volume(&name)).await;
        assert_eq!(volume["spec"]["claimRef"]["uid"], claim["metadata"]["uid"]);
        assert_eq!(volume["status"]["phase"], "Bound");
        name
    }

    pub(crate) async fn until_placed(&self, pod: &str) {
        self.until(&of_pod(pod), "on the node", |pod| pod["spec"]["nodeName"] == HOST).await;
    }

    /// Waits for a reason not to be on the node.
    pub(crate) async fn until_unschedulable(&self, pod: &str, start: &str) {
        let says = |pod: &Value| {
            let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let one = conditions.iter().find(|condition| condition["type"] == "PodScheduled").cloned().unwrap_or_default();
            one["status"] == "False" && one["message"].as_str().is_some_and(|text| text.starts_with(start))
        };
        self.until(&of_pod(pod), start, says).await;
    }
}

pub(crate) fn of_claim(name: &str) -> String {
    format!("/api/v1/namespaces/default/persistentvolumeclaims/{name}")
}

pub(crate) fn of_volume(name: &str) -> String {
    format!("/api/v1/persistentvolumes/{name}")
}

pub(crate) fn of_pod(name: &str) -> String {
    format!("/api/v1/namespaces/default/pods/{name}")
}

pub(crate) fn annotation<'a>(object: &'a Value, name: &str) -> &'a Value {
    &object["metadata"]["annotations"][name]
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}
