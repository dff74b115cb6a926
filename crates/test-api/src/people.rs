//! Users and other controllers at work on the same objects.

use apistore::Api;
use futures::FutureExt;
use http::Request;
use http_body_util::BodyExt;
use kube::client::Body;
use serde_json::{Value, json};
use tower::Service;

use crate::TestApi;

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

impl TestApi {
    /// The object at this path.
    pub fn get(&self, path: &str) -> Option<Value> {
        match self.read(path) {
            (404, _) => None,
            answer => Some(done("GET", path, answer)),
        }
    }

    /// The objects in this folder, in the order of their names.
    pub fn list(&self, folder: &str) -> Vec<Value> {
        let list = done("GET", folder, self.read(folder));
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Events about whatever it may be, as `reason: message`.
    pub fn events(&self) -> Vec<String> {
        let text = |event: &Value| Some(format!("{}: {}", event["reason"].as_str()?, event["message"].as_str()?));
        self.list("/api/v1/events").iter().filter_map(text).collect()
    }

    /// Makes an object, and its namespace if there is none. Its status is written after it, if it has one.
    pub async fn create(&self, folder: &str, name: &str, mut object: Value) -> Value {
        if let Some((_, rest)) = folder.split_once("/namespaces/") {
            let namespace = rest.split('/').next().unwrap_or_default();
            // One that is there already is as good.
            let _ = ask(&self.api, "POST", "/api/v1/namespaces", JSON, json!({"metadata": {"name": namespace}})).await;
        }
        object["metadata"]["name"] = json!(name);
        let status = object.get("status").cloned();
        let made = done("POST", folder, ask(&self.api, "POST", folder, JSON, object).await);
        match status {
            Some(status) => self.edit(&format!("{folder}/{name}"), |object| object["status"] = status).await,
            None => made,
        }
    }

    /// Changes an object, and its status if that is changed.
    pub async fn edit(&self, path: &str, edit: impl FnOnce(&mut Value)) -> Value {
        let before = self.get(path).unwrap_or_else(|| panic!("{path} is not there"));
        let mut wanted = before.clone();
        edit(&mut wanted);
        let status = (wanted["status"] != before["status"]).then(|| wanted["status"].clone());
        let mut written = done("PUT", path, ask(&self.api, "PUT", path, JSON, wanted).await);
        if let Some(status) = status {
            written["status"] = status;
            let path = format!("{path}/status");
            written = done("PUT", &path, ask(&self.api, "PUT", &path, JSON, written).await);
        }
        written
    }

    /// Deletes an object. What is held stays, on its way out.
    pub async fn delete(&self, path: &str) {
        done("DELETE", path, ask(&self.api, "DELETE", path, JSON, Value::Null).await);
    }

    /// Deletes an object, and lets go of it for everybody who holds it.
    pub async fn remove(&self, path: &str) {
        self.delete(path).await;
        if self.get(path).is_some() {
            self.release(path).await;
        }
    }

    /// What the controllers of the protecting finalizers do when nobody uses these objects.
    pub async fn unprotect(&self, folder: &str) {
        for object in self.list(folder) {
            let meta = &object["metadata"];
            let held_by = meta["finalizers"].as_array().cloned().unwrap_or_default();
            let protected = held_by.iter().all(|held| held.as_str().is_some_and(|held| held.ends_with("-protection")));
            if meta.get("deletionTimestamp").is_some() && protected {
                self.release(&format!("{folder}/{}", meta["name"].as_str().unwrap_or_default())).await;
            }
        }
    }

    async fn release(&self, path: &str) {
        done("PATCH", path, ask(&self.api, "PATCH", path, MERGE, json!({"metadata": {"finalizers": null}})).await);
    }

    /// A store in memory has everything at hand.
    fn read(&self, path: &str) -> (u16, Value) {
        ask(&self.api, "GET", path, JSON, Value::Null).now_or_never().expect("an answer at once")
    }
}

/// One request and its answer, past every rule: the code, and the body if it is JSON. A body of null is none.
pub async fn ask(api: &Api, method: &str, path: &str, content: &str, body: Value) -> (u16, Value) {
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    let request = Request::builder().method(method).uri(path).header("content-type", content).body(Body::from(body));
    let Ok(answer) = api.clone().call(request.expect("a request")).await;
    let (head, body) = answer.into_parts();
    let Ok(body) = body.collect().await;
    (head.status.as_u16(), serde_json::from_slice(&body.to_bytes()).unwrap_or_default())
}

fn done(method: &str, path: &str, (code, answer): (u16, Value)) -> Value {
    assert!((200..300).contains(&code), "{method} {path}: {code} {}", answer["message"]);
    answer
}
