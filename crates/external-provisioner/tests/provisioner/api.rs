//! As much of a Kubernetes API as the provisioner writes to, in memory: versions, conflicts, finalizers, JSON patches, and faults
//! on request. What is written reaches the caches at once, as by a very fast watch, unless that is held back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cluster::{Caches, Kind, Meta, Store};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use kube::client::Body;
use serde_json::{Value, json};

pub(crate) const VOLUMES: &str = "/api/v1/persistentvolumes";
pub(crate) const CLAIMS: &str = "/api/v1/namespaces/team-a/persistentvolumeclaims";
pub(crate) const SECRETS: &str = "/api/v1/namespaces/team-a/secrets";
pub(crate) const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";
pub(crate) const ATTACHMENTS: &str = "/apis/storage.k8s.io/v1/volumeattachments";
pub(crate) const CSI_NODES: &str = "/apis/storage.k8s.io/v1/csinodes";
pub(crate) const NODES: &str = "/api/v1/nodes";

/// One request that goes wrong.
pub(crate) struct Fault {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// It takes effect all the same, and only the answer is lost.
    pub(crate) took_effect: bool,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    version: u64,
    faults: Vec<Fault>,
    log: Vec<String>,
    events: Vec<Value>,
    /// Writes no longer reach the caches.
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
                let answer = Full::new(Bytes::from(answer.to_string()));
                Ok::<_, tower::BoxError>(Response::builder().status(status).body(answer)?)
            }
        });
        kube::Client::new(service, "default")
    }

    /// Fresh caches, filled with everything there is, as after a start.
    pub(crate) fn caches(&self) -> Caches {
        let caches = Caches::default();
        *self.caches.lock().unwrap() = caches.clone();
        let objects = self.state.lock().unwrap().objects.clone();
        for (path, object) in objects {
            self.feed(&path, &object, true);
        }
        caches
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push(fault);
    }

    pub(crate) fn hold_watch(&self, held: bool) {
        self.state.lock().unwrap().watch_held = held;
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.state.lock().unwrap().objects.get(path).cloned()
    }

    pub(crate) fn list(&self, folder: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.objects.iter().filter(|(path, _)| path.starts_with(folder)).map(|(_, object)| object.clone()).collect()
    }

    /// Events as `reason: message`.
    pub(crate) fn events(&self) -> Vec<String> {
        let text = |event: &Value| format!("{}: {}", event["reason"].as_str().unwrap(), event["message"].as_str().unwrap());
        self.state.lock().unwrap().events.iter().map(text).collect()
    }

    /// Requests as `METHOD path`, events left out.
    pub(crate) fn log(&self) -> Vec<String> {
        self.state.lock().unwrap().log.clone()
    }

    /// A user or another controller writes; no fault, no log.
    pub(crate) fn put(&self, folder: &str, name: &str, mut object: Value) {
        let mut state = self.state.lock().unwrap();
        let path = format!("{folder}/{name}");
        object["metadata"]["name"] = json!(name);
        if folder == CLAIMS {
            object["metadata"]["namespace"] = json!("team-a");
        }
        let uid = state.objects.get(&path).map(|old| old["metadata"]["uid"].clone());
        state.version += 1;
        object["metadata"]["uid"] = uid.unwrap_or_else(|| json!(format!("uid-{name}")));
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        self.store(&mut state, &path, object);
    }

    /// Changes an object as a user or another controller does.
    pub(crate) fn edit(&self, folder: &str, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut object = self.get(&format!("{folder}/{name}")).unwrap();
        edit(&mut object);
        self.put(folder, name, object);
    }

    /// The caches are told something older than what the server has.
    pub(crate) fn tell_caches_only(&self, folder: &str, name: &str, object: Value) {
        self.feed(&format!("{folder}/{name}"), &object, true);
    }

    /// The watch of claims has caught up with there being none.
    pub(crate) fn forget_claims(&self) {
        self.caches.lock().unwrap().claims.replace(Vec::new());
    }

    pub(crate) fn remove(&self, folder: &str, name: &str) {
        let mut state = self.state.lock().unwrap();
        self.drop_object(&mut state, &format!("{folder}/{name}"));
    }

    fn answer(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let mut state = self.state.lock().unwrap();
        if path.ends_with("/events") {
            state.events.push(body.clone());
            return (201, body);
        }
        state.log.push(format!("{method} {path}"));
        let fault = state.faults.iter().position(|fault| fault.method == method && path.contains(fault.path));
        let fault = fault.map(|at| state.faults.remove(at));
        if fault.as_ref().is_some_and(|fault| !fault.took_effect) {
            return failure(500, "InternalError");
        }
        let answer = self.obey(&mut state, method, path, body);
        if fault.is_some() { failure(500, "InternalError") } else { answer }
    }

    fn obey(&self, state: &mut State, method: &str, path: &str, mut body: Value) -> (u16, Value) {
        if method == "POST" {
            let name = body["metadata"]["name"].as_str().unwrap().to_owned();
            let path = format!("{path}/{name}");
            if state.objects.contains_key(&path) {
                return failure(409, "AlreadyExists");
            }
            state.version += 1;
            body["metadata"]["uid"] = json!(format!("uid-{}", state.version));
            body["metadata"]["resourceVersion"] = json!(state.version.to_string());
            body["status"] = json!({"phase": "Pending"});
            self.store(state, &path, body.clone());
            return (201, body);
        }
        let Some(mut object) = state.objects.get(path).cloned() else { return failure(404, "NotFound") };
        match method {
            "GET" => return (200, object),
            "PUT" if body["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] => {
                return failure(409, "Conflict");
            }
            "PUT" => object = body,
            "PATCH" => {
                if !patch(&mut object, &body) {
                    return failure(422, "Invalid");
                }
            }
            "DELETE" if body["preconditions"]["uid"].as_str().is_some_and(|uid| object["metadata"]["uid"] != uid) => {
                return failure(409, "Conflict");
            }
            "DELETE" => object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"),
            other => panic!("{other} {path}"),
        }
        state.version += 1;
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        let held = object["metadata"]["finalizers"].as_array().is_some_and(|finalizers| !finalizers.is_empty());
        if object["metadata"].get("deletionTimestamp").is_some() && !held {
            self.drop_object(state, path);
        } else {
            self.store(state, path, object.clone());
        }
        (200, object)
    }

    fn store(&self, state: &mut State, path: &str, object: Value) {
        state.objects.insert(path.to_owned(), object.clone());
        if !state.watch_held {
            self.feed(path, &object, true);
        }
    }

    fn drop_object(&self, state: &mut State, path: &str) {
        state.version += 1;
        let Some(mut object) = state.objects.remove(path) else { return };
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        if !state.watch_held {
            self.feed(path, &object, false);
        }
    }

    fn feed(&self, path: &str, object: &Value, there: bool) {
        let caches = self.caches.lock().unwrap().clone();
        match path.rsplit_once('/').map(|(folder, _)| folder) {
            Some(VOLUMES) => watch(&caches.volumes, object, there),
            Some(CLAIMS) => watch(&caches.claims, object, there),
            Some(CLASSES) => watch(&caches.classes, object, there),
            Some(ATTACHMENTS) => watch(&caches.attachments, object, there),
            Some(CSI_NODES) => watch(&caches.csi_nodes, object, there),
            Some(NODES) => watch(&caches.nodes, object, there),
            _ => {}
        }
    }
}

fn watch<K: Kind>(store: &Store<K>, object: &Value, there: bool) {
    let wire: K::Wire = serde_json::from_value(object.clone()).unwrap();
    match there {
        true => store.apply(K::compact(wire).unwrap()),
        false => store.delete(&Meta::of(kube::Resource::meta(&wire)).unwrap()),
    }
}

/// The part of RFC 6902 that finalizers need.
fn patch(object: &mut Value, operations: &Value) -> bool {
    operations.as_array().unwrap().iter().all(|operation| {
        let path = operation["path"].as_str().unwrap();
        let (folder, last) = path.rsplit_once('/').unwrap();
        match (operation["op"].as_str().unwrap(), object.pointer_mut(folder)) {
            ("test", _) => object.pointer(path).unwrap_or(&Value::Null) == &operation["value"],
            ("add", Some(Value::Array(list))) => {
                list.push(operation["value"].clone());
                true
            }
            ("add", Some(parent)) => {
                parent[last] = operation["value"].clone();
                true
            }
            ("remove", Some(Value::Array(list))) => {
                list.remove(last.parse().unwrap());
                true
            }
            other => panic!("{other:?}"),
        }
    })
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": reason});
    (code, status)
}
