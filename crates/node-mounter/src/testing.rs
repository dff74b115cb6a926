//! Objects for tests, by the parts that matter.

use std::sync::Arc;
use std::time::Duration;

use cluster::Kind;
use cluster::kinds::{CsiDriver, Pod, Volume};
use rt::Ctx;
use serde_json::{Value, json};

use crate::agent::{Agent, Config, Inner};
use crate::journal::Journal;
use crate::mounter::FakeMounter;
use crate::paths::Root;

/// A Pod named `pod-1` with uid `uid-1` in namespace `ns`, bound to `node-1`, changed by `parts`.
pub(crate) fn pod(parts: Value) -> Pod {
    let base = json!({
        "metadata": {"name": "pod-1", "namespace": "ns", "uid": "uid-1", "resourceVersion": "1"},
        "spec": {"nodeName": "node-1", "serviceAccountName": "default"},
    });
    read::<Pod>(base, parts)
}

/// A bound PersistentVolume `pv-1` of driver `d.example.com`, handle `vol-1`, claimed by `ns/claim-1` with uid `claim-uid`.
pub(crate) fn volume(parts: Value) -> Volume {
    let base = json!({
        "metadata": {"name": "pv-1", "uid": "pv-uid", "resourceVersion": "1"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "volumeMode": "Filesystem",
            "claimRef": {"namespace": "ns", "name": "claim-1", "uid": "claim-uid"},
            "csi": {"driver": "d.example.com", "volumeHandle": "vol-1"},
        },
        "status": {"phase": "Bound"},
    });
    read::<Volume>(base, parts)
}

/// The CSIDriver `d.example.com`.
pub(crate) fn csi_driver(spec: Value) -> CsiDriver {
    read::<CsiDriver>(json!({"metadata": {"name": "d.example.com", "resourceVersion": "1"}}), json!({ "spec": spec }))
}

fn read<K: Kind>(mut base: Value, parts: Value) -> K {
    merge(&mut base, parts);
    K::compact(serde_json::from_value(base).expect("an object of its kind")).expect("an object that is kept")
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, from) => *into = from,
    }
}

/// Drivers that are not asked for by their sockets in a test.
struct NoConnect;

impl crate::agent::Connect for NoConnect {
    fn connect(&self, endpoint: &std::path::Path) -> Arc<dyn csi_client::Driver> {
        let address = csi_client::Address::Unix(endpoint.to_owned());
        let options =
            csi_client::ConnectOptions { address, timeout: Duration::from_secs(5), metrics: csi_client::Metrics::new() };
        Arc::new(csi_client::Client::lazy(&Ctx::real(), options))
    }
}

/// An agent on a folder, with mounts in memory.
pub(crate) async fn agent(root: &std::path::Path, mounter: Arc<FakeMounter>, client: kube::Client) -> Agent {
    agent_in(Ctx::real(), root, mounter, client).await
}

/// The same with another time, chance and disk.
pub(crate) async fn agent_in(ctx: Ctx, root: &std::path::Path, mounter: Arc<FakeMounter>, client: kube::Client) -> Agent {
    let root = Root::new(root);
    let caches = cluster::Caches::default();
    caches.csi_drivers.replace(Vec::new());
    caches.pods.replace(Vec::new());
    Agent::new(Inner {
        config: Config {
            node: "node-1".into(),
            root: root.clone(),
            register_node: true,
            node_labels: Vec::new(),
            node_status_update_frequency: Duration::from_secs(10),
            backoff: cluster::Backoff { start: Duration::from_millis(500), max: Duration::from_secs(122) },
            republish_every: Duration::from_secs(60),
        },
        events: cluster::Events::new(&ctx, client.clone(), "node-mounter", "node-1", &cluster::Metrics::new()),
        metrics: crate::Metrics::default(),
        journal: Journal::open(ctx.clone(), root.journal()).await.expect("a journal"),
        files: mounter.clone(),
        mounter,
        connect: Arc::new(NoConnect),
        volumes: Arc::new(cluster::Keys::new(ctx.clone())),
        pods: Arc::new(cluster::Keys::new(ctx.clone())),
        status_due: Default::default(),
        state: Default::default(),
        caches,
        client,
        ctx,
    })
}
