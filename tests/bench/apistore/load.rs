//! The same requests for either side, and how long they took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::sync::Mutex;

/// Requests under way at once, where there are several.
const AT_ONCE: usize = 64;
/// Requests one after the other: their latency is the reciprocal of the rate.
const ALONE: u32 = 300;
const NAMESPACE: &str = "bench";

/// What one turn came to. Rates are per second.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) ready_ms: u128,
    pub(crate) memory_at_rest: u64,
    pub(crate) memory_loaded: u64,
    pub(crate) idle_cpu: f64,
    pub(crate) cpu_secs: f64,
    pub(crate) disk: u64,
    pub(crate) rates: BTreeMap<&'static str, f64>,
    /// Milliseconds from a write's start to its event: p50 and p99.
    pub(crate) watch_ms: [f64; 2],
    /// What was there at the end, counted by asking.
    pub(crate) counted: usize,
}

pub(crate) struct Load {
    client: Client,
    objects: u32,
}

impl Load {
    pub(crate) fn new(client: Client, objects: u32) -> Self {
        Self { client, objects }
    }

    pub(crate) async fn run(&self) -> Result<Measured> {
        let mut measured = Measured::default();
        let mut rate = |what: &'static str, count: u32, began: Instant| {
            measured.rates.insert(what, f64::from(count) / began.elapsed().as_secs_f64());
        };
        let namespace: Namespace = serde_json::from_value(json!({ "metadata": { "name": NAMESPACE } }))?;
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.create(&PostParams::default(), &namespace).await.context("create the namespace")?;
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), NAMESPACE);

        let began = Instant::now();
        for number in 0..ALONE {
            create(&maps, "alone", number).await?;
        }
        rate("creates, one at a time", ALONE, began);

        let began = Instant::now();
        self.each(self.objects, |number| {
            let maps = maps.clone();
            async move { create(&maps, "many", number).await }
        })
        .await?;
        rate("creates, 64 at once", self.objects, began);

        let began = Instant::now();
        self.each(self.objects, |number| {
            let maps = maps.clone();
            async move { maps.get(&name("many", number)).await.map(drop).context("get") }
        })
        .await?;
        rate("gets, 64 at once", self.objects, began);

        let began = Instant::now();
        self.each(self.objects, |number| {
            let maps = maps.clone();
            async move {
                let patch = Patch::Merge(json!({ "data": { "changed": number.to_string() } }));
                maps.patch(&name("many", number), &PatchParams::default(), &patch).await.map(drop).context("patch")
            }
        })
        .await?;
        rate("merge patches, 64 at once", self.objects, began);

        // The bytes alone: to decode ten thousand objects is the client's work, and the same for both.
        let path = format!("/api/v1/namespaces/{NAMESPACE}/configmaps");
        let began = Instant::now();
        for _ in 0..LISTS {
            let text = self.client.request_text(http::Request::get(&path).body(Vec::new())?).await?;
            ensure!(text.len() > self.objects as usize * 1_000, "the list has {} bytes", text.len());
        }
        rate("lists of all objects", LISTS, began);

        let began = Instant::now();
        for number in 0..ALONE {
            let maps = maps.clone();
            maps.get(&name("many", number)).await.context("get")?;
        }
        rate("gets, one at a time", ALONE, began);

        let watch_ms = self.watch_latency(&maps).await?;
        measured.watch_ms = watch_ms;
        measured.counted = maps.list(&ListParams::default()).await?.items.len();
        let expected = (self.objects + ALONE * 2) as usize;
        ensure!(measured.counted >= expected, "{} objects of {expected} are there", measured.counted);

        let began = Instant::now();
        self.each(self.objects, |number| {
            let maps = maps.clone();
            async move { maps.delete(&name("many", number), &DeleteParams::default()).await.map(drop).context("delete") }
        })
        .await?;
        measured.rates.insert("deletes, 64 at once", f64::from(self.objects) / began.elapsed().as_secs_f64());
        Ok(measured)
    }

    async fn each<F>(&self, count: u32, one: impl Fn(u32) -> F) -> Result<()>
    where
        F: Future<Output = Result<()>>,
    {
        stream::iter(0..count).map(one).buffer_unordered(AT_ONCE).try_collect().await
    }

    /// From the moment a create is sent to its event at an open watch, one after the other.
    async fn watch_latency(&self, maps: &Api<ConfigMap>) -> Result<[f64; 2]> {
        let since = maps.list(&ListParams::default().limit(1)).await?.metadata.resource_version.context("a version")?;
        let sent: Arc<Mutex<BTreeMap<String, Instant>>> = Arc::default();
        let events = maps.watch(&WatchParams::default(), &since).await.context("watch")?;
        let seen = sent.clone();
        let watcher = tokio::spawn(async move {
            let mut events = std::pin::pin!(events);
            let mut waits = Vec::new();
            while waits.len() < ALONE as usize {
                let event = events.next().await.context("the watch ended")?.context("watch")?;
                let kube::api::WatchEvent::Added(map) = event else { continue };
                let at = Instant::now();
                if let Some(began) = seen.lock().await.remove(&map.name_any()) {
                    waits.push(at.duration_since(began).as_secs_f64() * 1000.0);
                }
            }
            anyhow::Ok(waits)
        });
        for number in 0..ALONE {
            sent.lock().await.insert(name("watched", number), Instant::now());
            create(maps, "watched", number).await?;
        }
        let mut waits = watcher.await??;
        waits.sort_by(f64::total_cmp);
        Ok([waits[waits.len() / 2], waits[waits.len() * 99 / 100]])
    }
}

const LISTS: u32 = 20;

fn name(prefix: &str, number: u32) -> String {
    format!("{prefix}-{number:06}")
}

async fn create(maps: &Api<ConfigMap>, prefix: &str, number: u32) -> Result<()> {
    let map: ConfigMap = serde_json::from_value(json!({
        "metadata": { "name": name(prefix, number), "labels": { "app": "bench", "number": number.to_string() } },
        "data": { "text": "x".repeat(900) },
    }))?;
    maps.create(&PostParams::default(), &map).await.map(drop).context("create")
}

/// A class of this driver and this many claims of it, at once.
pub(crate) async fn make_claims(client: &Client, driver: &str, count: u32) -> Result<()> {
    let class: StorageClass = serde_json::from_value(json!({ "metadata": { "name": "bench" }, "provisioner": driver }))?;
    Api::all(client.clone()).create(&PostParams::default(), &class).await.context("create the class")?;
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), "default");
    stream::iter(0..count)
        .map(|number| {
            let claims = claims.clone();
            async move {
                let claim: PersistentVolumeClaim = serde_json::from_value(json!({
                    "metadata": { "name": name("claim", number) },
                    "spec": {
                        "storageClassName": "bench",
                        "accessModes": ["ReadWriteOnce"],
                        "resources": { "requests": { "storage": "1Gi" } },
                    },
                }))?;
                claims.create(&PostParams::default(), &claim).await.map(drop).context("create a claim")
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
