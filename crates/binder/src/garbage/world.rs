//! For tests: the API store in memory, and the controllers of objects' lives on it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use apistore::{Api, Store};
use cluster::drive::Engine;
use cluster::{Backoff, Caches, Leadership, Ledger, Metrics};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api as Objects, Client};
use rt::{Ctx, Shutdown, Task};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{Config, Part, Surroundings};

pub(crate) struct World {
    pub(crate) ctx: Ctx,
    pub(crate) client: Client,
    pub(crate) config: Config,
    running: Option<(Task, Shutdown)>,
}

/// `kind` by its usual plural.
fn resource(kind: &str) -> (ApiResource, bool) {
    let (group, version, namespaced) = match kind {
        "ConfigMap" | "Pod" | "PersistentVolumeClaim" | "ServiceAccount" | "Event" | "Secret" => ("", "v1", true),
        "Namespace" | "Node" | "PersistentVolume" => ("", "v1", false),
        "VolumeAttachment" | "CSIDriver" | "VolumeAttributesClass" => ("storage.k8s.io", "v1", false),
        "CustomResourceDefinition" => ("apiextensions.k8s.io", "v1", false),
        "Widget" => ("example.com", "v1", true),
        other => panic!("no {other} here"),
    };
    (ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind)), namespaced)
}

impl World {
    /// An API with the namespace `team-a`, and nobody at work on it.
    pub(crate) async fn new() -> Self {
        Self::on(Ctx::real()).await
    }

    pub(crate) async fn on(ctx: Ctx) -> Self {
        let client = Api::new(Store::in_memory(&ctx)).client("default");
        let world = Self { ctx, client, config: Config::new("n1"), running: None };
        world.create("Namespace", "", "team-a", json!({})).await;
        world
    }

    pub(crate) async fn started() -> Self {
        let mut world = Self::new().await;
        world.start().await;
        world
    }

    /// Starts the controllers, and waits until they have seen everything.
    pub(crate) async fn start(&mut self) {
        let ready = Arc::new(Notify::new());
        self.start_in(self.ctx.clone(), ready.clone());
        ready.notified().await;
    }

    /// Starts them as a process of their own, which may be killed at any time.
    pub(crate) fn start_in(&mut self, ctx: Ctx, ready: Arc<Notify>) {
        let (metrics, shutdown) = (Metrics::new(), Shutdown::new());
        let engine = Engine {
            ctx: ctx.clone(),
            leadership: Leadership::always(&ctx),
            ledger: Ledger::new(),
            metrics: metrics.clone(),
            workers: 4,
            backoff: Backoff { start: Duration::from_millis(20), max: Duration::from_secs(1) },
            shutdown: shutdown.clone(),
            queue: String::new(),
        };
        let (client, config) = (self.client.clone(), self.config.clone());
        let task = ctx.clone().spawn("binder", async move {
            let caches = Caches::start(&ctx, &client, crate::watches(), &metrics);
            caches.synced(&crate::watches()).await;
            let part = Part::new(config, Surroundings { client, engine }, caches);
            ready.notify_one();
            futures::join!(
                crate::garbage::run(part.clone()),
                crate::namespaces::run(part.clone()),
                crate::protection::run(part.clone()),
                crate::attach::run(part.clone()),
                crate::ephemeral::run(part.clone()),
            );
        });
        self.running = Some((task, shutdown));
    }

    pub(crate) async fn stop(&mut self) {
        if let Some((mut task, shutdown)) = self.running.take() {
            shutdown.request();
            task.ended().await;
        }
    }

    fn api(&self, kind: &str, namespace: &str) -> Objects<DynamicObject> {
        let (resource, namespaced) = resource(kind);
        match namespaced {
            true => Objects::namespaced_with(self.client.clone(), namespace, &resource),
            false => Objects::all_with(self.client.clone(), &resource),
        }
    }

    /// Makes an object; its status is written after it. Returns its uid.
    pub(crate) async fn create(&self, kind: &str, namespace: &str, name: &str, mut object: Value) -> String {
        let (resource, _) = resource(kind);
        object["apiVersion"] = json!(resource.api_version);
        object["kind"] = json!(kind);
        object["metadata"]["name"] = json!(name);
        let status = object.get("status").cloned();
        let api = self.api(kind, namespace);
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        let made = api.create(&PostParams::default(), &object).await.unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
        if let Some(status) = status {
            self.patch_status(kind, namespace, name, json!({"status": status})).await;
        }
        made.metadata.uid.expect("a uid")
    }

    pub(crate) async fn patch(&self, kind: &str, namespace: &str, name: &str, patch: Value) {
        let patched = self.api(kind, namespace).patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
    }

    pub(crate) async fn patch_status(&self, kind: &str, namespace: &str, name: &str, patch: Value) {
        let patched = self.api(kind, namespace).patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.unwrap_or_else(|error| panic!("status of {kind} {name}: {error}"));
    }

    pub(crate) async fn delete(&self, kind: &str, namespace: &str, name: &str, how: DeleteParams) {
        let deleted = self.api(kind, namespace).delete(name, &how).await;
        deleted.unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
    }

    pub(crate) async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let object = self.api(kind, namespace).get_opt(name).await.expect("an answer")?;
        Some(serde_json::to_value(object).expect("JSON"))
    }

    pub(crate) async fn list(&self, kind: &str, namespace: &str) -> Vec<Value> {
        let list = self.api(kind, namespace).list(&Default::default()).await.expect("a list");
        list.items.into_iter().map(|object| serde_json::to_value(object).expect("JSON")).collect()
    }

    pub(crate) async fn gone(&self, kind: &str, namespace: &str, name: &str) {
        self.eventually(&format!("{kind} {name} is gone"), || async { self.get(kind, namespace, name).await.is_none() }).await;
    }

    /// An event with this reason and message.
    pub(crate) async fn told(&self, namespace: &str, reason: &str, message: &str) {
        self.eventually(message, || async {
            let events = self.list("Event", namespace).await;
            events.iter().any(|event| event["reason"] == reason && event["message"] == message)
        })
        .await;
    }

    pub(crate) async fn eventually<F: Future<Output = bool>>(&self, what: &str, is: impl Fn() -> F) {
        for _ in 0..1000 {
            if is().await {
                return;
            }
            self.ctx.sleep(Duration::from_millis(10)).await;
        }
        panic!("never: {what}");
    }

    /// What is set off by everything so far has been done: an object that was made and lost its owner after it is gone.
    pub(crate) async fn settled(&self) {
        let name = format!("marker-{:x}", self.ctx.draw("marker"));
        self.create("ConfigMap", "team-a", &name, owned_by(&[("ConfigMap", "nobody", "no-such-uid")])).await;
        self.gone("ConfigMap", "team-a", &name).await;
    }
}

/// An object with these owners (kind, name, uid), all of core/v1, which block.
pub(crate) fn owned_by(owners: &[(&str, &str, &str)]) -> Value {
    let reference = |(kind, name, uid): &(&str, &str, &str)| json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": uid, "blockOwnerDeletion": true});
    json!({"metadata": {"ownerReferences": owners.iter().map(reference).collect::<Vec<_>>()}})
}

/// A claim for 1Gi, bound to this volume if one is given.
pub(crate) fn claim(volume: &str) -> Value {
    let resources = json!({"requests": {"storage": "1Gi"}});
    let volume = (!volume.is_empty()).then_some(volume);
    json!({"spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": volume, "resources": resources}})
}

/// A volume of the driver `d.example.com` for this claim in `team-a`.
pub(crate) fn volume(handle: &str, claim: &str, uid: &str) -> Value {
    let reference = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "team-a", "name": claim, "uid": uid,
    });
    json!({"spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "", "claimRef": reference,
        "csi": {"driver": "d.example.com", "volumeHandle": handle},
    }})
}

/// A pod with these volumes, on this node if one is given.
pub(crate) fn pod(node: &str, volumes: Value) -> Value {
    let node = (!node.is_empty()).then_some(node);
    json!({"spec": {"nodeName": node, "containers": [{"name": "c", "image": "none"}], "volumes": volumes}})
}
