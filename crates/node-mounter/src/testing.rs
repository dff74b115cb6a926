//! Objects for tests, by the parts that matter.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
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

/// An API server that knows these objects by their paths, and takes no writes.
pub(crate) fn api(objects: BTreeMap<&'static str, Value>) -> kube::Client {
    let objects = objects.into_iter().map(|(path, object)| (path.to_owned(), object)).collect();
    Api(Arc::new(Mutex::new(objects))).client()
}

/// Objects by their paths. Writes change them; of a server's rules only uids and conflicts are kept.
#[derive(Clone, Default)]
pub(crate) struct Api(Arc<Mutex<BTreeMap<String, Value>>>);

impl Api {
    pub(crate) fn client(&self) -> kube::Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let api = api.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect_bytes().await.expect("a body");
                let (status, answer) =
                    api.answer(&head.method, head.uri.path(), serde_json::from_slice(&body).unwrap_or_default());
                let response = http::Response::builder().status(status);
                Ok::<_, std::io::Error>(
                    response.body(kube::client::Body::from(answer.to_string().into_bytes())).expect("a response"),
                )
            }
        });
        kube::Client::new(service, "default")
    }

    /// The object at this path.
    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.objects().get(path).cloned()
    }

    pub(crate) fn change(&self, path: &str, change: impl FnOnce(&mut Value)) {
        change(self.objects().get_mut(path).expect("an object"));
    }

    pub(crate) fn put(&self, path: &str, object: Value) {
        self.objects().insert(path.to_owned(), object);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.objects().remove(path);
    }

    fn answer(&self, method: &http::Method, path: &str, body: Value) -> (u16, Value) {
        let missing = |code: u16, reason: &str| {
            (
                code,
                json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code, "message": reason}),
            )
        };
        let mut objects = self.objects();
        let version = |objects: &BTreeMap<String, Value>| json!((objects.len() + 1).to_string());
        match method.as_str() {
            "POST" => {
                let path = format!("{path}/{}", body["metadata"]["name"].as_str().expect("a name"));
                let uid = format!("uid-{}", objects.keys().filter(|known| known.starts_with('#')).count());
                objects.insert(format!("#{uid}"), Value::Null);
                let mut made = body;
                made["metadata"]["uid"] = json!(uid);
                made["metadata"]["resourceVersion"] = version(&objects);
                objects.insert(path, made.clone());
                (201, made)
            }
            "DELETE" => objects.remove(path).map_or_else(|| missing(404, "NotFound"), |gone| (200, gone)),
            _ => {
                let Some(object) = objects.get_mut(path.strip_suffix("/status").unwrap_or(path)) else {
                    return missing(404, "NotFound");
                };
                match method.as_str() {
                    "PUT" => *object = body,
                    "PATCH" => merge_patch(object, body),
                    _ => {}
                }
                (200, object.clone())
            }
        }
    }

    fn objects(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Value>> {
        self.0.lock().expect("no panic while held")
    }
}

/// RFC 7396; near enough for strategic patches of whole lists.
fn merge_patch(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match value {
                    Value::Null => drop(into.remove(&key)),
                    value => merge_patch(into.entry(key).or_insert(Value::Null), value),
                }
            }
        }
        (into @ Value::Null, from @ Value::Object(_)) => {
            *into = json!({});
            merge_patch(into, from);
        }
        (into, from) => *into = from,
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
