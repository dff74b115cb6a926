//! A Kubernetes API for tests: the API store in memory, and the ways in which one lets its clients down.
//!
//! [`TestApi::client`] is for what is tested: its requests are written down, and can be held up, refused, or answered to nobody.
//! Whatever else is done here is done by users and other controllers, for whom nothing goes wrong: a call that fails is a panic,
//! since the test is wrong.
//!
//! A request is spelled `METHOD path`, where METHOD may also be `LIST` and `WATCH`. A rule is for the requests whose spelling
//! contains its own.

mod people;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apistore::{Api, Store};
use http::Request;
use kube::Client;
use kube::client::Body;
use rt::Ctx;
use tokio::sync::Notify;

pub use people::ask;

/// The API. Cheap to clone.
#[derive(Clone)]
pub struct TestApi {
    ctx: Ctx,
    api: Api,
    rules: Arc<Rules>,
}

/// How a request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status, and has no effect.
    Refused(u16),
    /// It takes effect, and the answer is lost.
    Unanswered,
}

#[derive(Default)]
struct Rules {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    sent: Vec<String>,
    held: Vec<String>,
    faults: Vec<(String, Fault, u32)>,
}

impl TestApi {
    /// An API with nothing in it but the namespace `default`, where events about objects without a namespace go.
    pub async fn start(ctx: &Ctx) -> Self {
        let own = Self { ctx: ctx.clone(), api: Api::new(Store::in_memory(ctx)), rules: Arc::default() };
        own.create("/api/v1/namespaces", "default", serde_json::json!({})).await;
        own
    }

    /// A client for what is tested, with the same limits as on a network.
    pub fn client(&self) -> Client {
        let own = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| wire::carry(own.clone(), request));
        cluster::on(&self.ctx, service, "tested")
    }

    /// The next so many of these requests go wrong.
    pub fn fail(&self, requests: &str, fault: Fault, times: u32) {
        self.state().faults.push((requests.to_owned(), fault, times));
    }

    /// These requests are not carried out from now on, and what these watches have to tell is not told.
    pub fn hold(&self, requests: &str) {
        self.state().held.push(requests.to_owned());
    }

    /// What was held under this name goes on, the watches with what they missed.
    pub fn let_through(&self, requests: &str) {
        self.state().held.retain(|held| held != requests);
        self.rules.changed.notify_waiters();
    }

    /// Requests in the order in which they came, held and refused ones as well. Not lists, watches and events, of which nobody
    /// decides when they are sent.
    pub fn sent(&self) -> Vec<String> {
        self.state().sent.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.rules.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
