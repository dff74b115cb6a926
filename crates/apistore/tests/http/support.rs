//! An API on a store in memory, and short ways to ask it.

use std::future::Future;
use std::sync::Arc;

use apistore::{Api, Body, Caller, Store};
use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use rt::Ctx;
use rt::disk::MemoryDisk;
use serde_json::{Value, json};
use tower::ServiceExt;

/// What was answered, read to its end.
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Code, reason and message of a failure.
    pub(crate) fn failure(&self) -> (u16, String, String) {
        let text = |field: &str| self.json()[field].as_str().unwrap_or_default().to_owned();
        (self.code, text("reason"), text("message"))
    }
}

/// The API, and who asks.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) api: Api,
    pub(crate) store: Store,
    pub(crate) caller: Caller,
}

pub(crate) fn run<F: Future<Output = ()>>(test: impl FnOnce(Asker) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let store = Store::in_memory(&Ctx::seeded(1, Arc::new(MemoryDisk::default())));
        let asker = Asker { api: Api::new(store.clone()), store, caller: Caller::Owner };
        let namespace = asker.post("/api/v1/namespaces", json!({"metadata": {"name": "n"}})).await;
        assert_eq!(namespace.code, 201, "{}", namespace.text);
        test(asker).await;
    });
}

impl Asker {
    pub(crate) async fn response(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path).extension(self.caller);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body))).expect("a request");
        self.api.clone().oneshot(request).await.expect("an answer")
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let (parts, body) = self.response(method, path, headers, body).await.into_parts();
        let text = body.collect().await.expect("a body").to_bytes();
        Reply { code: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8(text.to_vec()).expect("text") }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], b"").await
    }

    pub(crate) async fn accept(&self, path: &str, accept: &str) -> Reply {
        self.ask("GET", path, &[("accept", accept)], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path, &[("content-type", "application/json"), ("user-agent", "test/1")], body.to_string().as_bytes())
            .await
    }

    pub(crate) async fn patch(&self, path: &str, kind: &str, body: &str) -> Reply {
        self.ask("PATCH", path, &[("content-type", kind)], body.as_bytes()).await
    }

    /// A config map in the namespace `n`.
    pub(crate) async fn config_map(&self, name: &str) -> Value {
        let reply =
            self.post(CONFIG_MAPS, json!({"metadata": {"name": name, "labels": {"name": name}}, "data": {"k": "v"}})).await;
        assert_eq!(reply.code, 201, "{}", reply.text);
        reply.json()
    }
}

pub(crate) const CONFIG_MAPS: &str = "/api/v1/namespaces/n/configmaps";
