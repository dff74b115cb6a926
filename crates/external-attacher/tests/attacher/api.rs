//! As much of a Kubernetes API as the attacher writes to, in memory: versions, preconditions, finalizers, the status apart from the
//! rest, and failures on request. What is written reaches the caches at once, as by a very fast watch, unless that is held back.
//!
//! Answers are a real server's (spec/api-behaviours: G24, H4 to H9, J4, J5); the end-to-end tests hold the attacher to one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cluster::{Caches, Kind, Meta, Store};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use kube::client::Body;
use serde_json::{Value, json};

pub(crate) const VOLUMES: &str = "/api/v1/persistentvolumes";
pub(crate) const SECRETS: &str = "/api/v1/namespaces/team-a/secrets";
pub(crate) const ATTACHMENTS: &str = "/apis/storage.k8s.io/v1/volumeattachments";
pub(crate) const CSI_NODES: &str = "/apis/storage.k8s.io/v1/csinodes";

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    version: u64,
    /// Requests whose path ends so are refused with this status, so many times.
    refused: Vec<(String, u16, u32)>,
    sent: Vec<String>,
    watch_held: bool,
}

#[derive(Default)]
pub(crate) struct Api {
    state: Mutex<State>,
    caches: Mutex<Caches>,
}

impl Api {
    pub(crate) fn client(self: &Arc<Self>) -> kube::Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await?.to_bytes();
                let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
                let (status, answer) = api.answer(head.method.as_str(), head.uri.path(), body);
                // Others get a turn, as they do while a request is on its way.
                tokio::task::yield_now().await;
                let answer = Full::new(Bytes::from(answer.to_string()));
                Ok::<_, tower::BoxError>(Response::builder().status(status).body(answer)?)
            }
        });
        kube::Client::new(service, "default")
    }

    /// Fresh caches, filled with everything there is, as after a start.
    pub(crate) fn caches(&self) -> Caches {
        let caches = Caches::default();
        *lock(&self.caches) = caches.clone();
        let objects = lock(&self.state).objects.clone();
        for (path, object) in objects {
            self.feed(&path, &object, true);
        }
        caches
    }

    /// The next so many requests for paths that end so are refused.
    pub(crate) fn refuse(&self, path: &str, status: u16, times: u32) {
        lock(&self.state).refused.push((path.to_owned(), status, times));
    }

    /// Whether the watch lags from now on. What it missed it never tells.
    pub(crate) fn hold_watch(&self, held: bool) {
        lock(&self.state).watch_held = held;
    }

    pub(crate) fn get(&self, folder: &str, name: &str) -> Option<Value> {
        lock(&self.state).objects.get(&format!("{folder}/{name}")).cloned()
    }

    /// The path of each patch, in order.
    pub(crate) fn sent(&self) -> Vec<String> {
        lock(&self.state).sent.clone()
    }

    /// A user or another controller writes.
    pub(crate) fn put(&self, folder: &str, name: &str, mut object: Value) {
        let mut state = lock(&self.state);
        let path = format!("{folder}/{name}");
        let uid = state.objects.get(&path).map(|old| old["metadata"]["uid"].clone());
        state.version += 1;
        object["metadata"]["name"] = json!(name);
        object["metadata"]["uid"] = uid.unwrap_or_else(|| json!(format!("uid-{name}")));
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        self.store(&mut state, &path, object);
    }

    /// A user or another controller deletes. What is held stays, on its way out.
    pub(crate) fn delete(&self, folder: &str, name: &str) {
        let mut object = self.get(folder, name).expect("an object to delete");
        if finalizers(&object).is_empty() {
            return self.end(&mut lock(&self.state), &format!("{folder}/{name}"));
        }
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        self.put(folder, name, object);
    }

    /// It is gone, finalizers or not.
    pub(crate) fn remove(&self, folder: &str, name: &str) {
        self.end(&mut lock(&self.state), &format!("{folder}/{name}"));
    }

    fn answer(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut state = lock(&self.state);
        if method == "PATCH" {
            state.sent.push(path.to_owned());
        }
        if let Some((_, status, times)) =
            state.refused.iter_mut().find(|(end, _, times)| path.ends_with(end.as_str()) && *times > 0)
        {
            *times -= 1;
            return failure(*status, "Refused");
        }
        let (path, status) = path.strip_suffix("/status").map_or((path, false), |path| (path, true));
        match (method, state.objects.get(path).cloned()) {
            (_, None) => failure(404, "NotFound"),
            ("GET", Some(object)) => (200, object),
            ("PATCH", Some(object)) => self.patch(&mut state, path, status, object, &body),
            other => panic!("the attacher does not {other:?}"),
        }
    }

    fn patch(&self, state: &mut State, path: &str, status: bool, old: Value, patch: &Value) -> (u16, Value) {
        let mut new = old.clone();
        match patch {
            Value::Array(operations) if !operations.iter().all(|operation| apply(&mut new, operation)) => {
                return failure(422, "Invalid");
            }
            Value::Array(_) => {}
            _ => merge(&mut new, patch),
        }
        if new["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"] {
            return failure(409, "Conflict");
        }
        if new["metadata"]["uid"] != old["metadata"]["uid"] {
            return failure(422, "Invalid");
        }
        // Of an attachment each way writes its half only.
        if path.starts_with(ATTACHMENTS) {
            let kept = if status { "metadata" } else { "status" };
            new[kept] = old[kept].clone();
        }
        let deleting = new["metadata"].get("deletionTimestamp").is_some();
        if deleting && finalizers(&new).iter().any(|finalizer| !finalizers(&old).contains(finalizer)) {
            return failure(422, "Invalid");
        }
        if deleting && finalizers(&new).is_empty() {
            // The answer is the last state, under the old version.
            self.end(state, path);
            return (200, new);
        }
        if new != old {
            state.version += 1;
            new["metadata"]["resourceVersion"] = json!(state.version.to_string());
            self.store(state, path, new.clone());
        }
        (200, new)
    }

    fn store(&self, state: &mut State, path: &str, object: Value) {
        state.objects.insert(path.to_owned(), object.clone());
        if !state.watch_held {
            self.feed(path, &object, true);
        }
    }

    fn end(&self, state: &mut State, path: &str) {
        state.version += 1;
        let Some(mut object) = state.objects.remove(path) else { return };
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        if !state.watch_held {
            self.feed(path, &object, false);
        }
    }

    fn feed(&self, path: &str, object: &Value, there: bool) {
        let caches = lock(&self.caches).clone();
        match path.rsplit_once('/').map(|(folder, _)| folder) {
            Some(VOLUMES) => watch(&caches.volumes, object, there),
            Some(ATTACHMENTS) => watch(&caches.attachments, object, there),
            Some(CSI_NODES) => watch(&caches.csi_nodes, object, there),
            _ => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    object["metadata"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn watch<K: Kind>(store: &Store<K>, object: &Value, there: bool) {
    let wire: K::Wire = serde_json::from_value(object.clone()).expect("an object of its kind");
    match there {
        true => store.apply(K::compact(wire).expect("a name")),
        false => store.delete(&Meta::of(kube::Resource::meta(&wire)).expect("a name")),
    }
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let message = format!("refused with {code}");
    (code, json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message}))
}

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        match value {
            Value::Null => drop(target.as_object_mut().and_then(|object| object.remove(key))),
            _ => merge(&mut target[key], value),
        }
    }
}

/// The part of RFC 6902 that finalizers and a status need.
fn apply(object: &mut Value, operation: &Value) -> bool {
    let path = operation["path"].as_str().expect("a path");
    let (folder, last) = path.rsplit_once('/').expect("a path with a slash");
    let value = operation["value"].clone();
    match (operation["op"].as_str().expect("an operation"), object.pointer_mut(folder)) {
        ("test", _) => object.pointer(path).unwrap_or(&Value::Null) == &value,
        ("add", Some(Value::Array(list))) if last == "-" => {
            list.push(value);
            true
        }
        ("add", Some(Value::Object(parent))) => {
            parent.insert(last.to_owned(), value);
            true
        }
        ("remove", Some(Value::Array(list))) => {
            let at = last.parse().ok().filter(|at| *at < list.len());
            at.map(|at: usize| list.remove(at)).is_some()
        }
        _ => false,
    }
}
