//! `apistore` in this process, in memory, with the controllers that `longshore up` has beside it.

use std::time::Duration;

use apistore::{Api, Caller, Store};
use cluster::drive::Engine;
use cluster::{Backoff, Caches, Leadership, Ledger, Metrics};
use http::header::AUTHORIZATION;
use rt::{Ctx, Shutdown};
use tower::ServiceExt as _;

/// A client with all rights, one that shows no credentials, and the store behind them.
pub(crate) async fn clients() -> (kube::Client, kube::Client, Store) {
    let ctx = Ctx::real();
    let store = Store::in_memory(&ctx);
    let api = Api::new(store.clone());
    found(&api).await;
    control(&ctx, &api).await;
    // What the listener does for those who come over TLS.
    let anonymous = api.clone().map_request(|mut request: http::Request<kube::client::Body>| {
        let caller = if request.headers().contains_key(AUTHORIZATION) { Caller::Unknown } else { Caller::Anonymous };
        request.extensions_mut().insert(caller);
        request
    });
    (kube::Client::new(api, "default"), kube::Client::new(anonymous, "default"), store)
}

/// The namespaces that every cluster has.
async fn found(api: &Api) {
    let client = kube::Client::new(api.clone(), "default");
    for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
        let body = serde_json::json!({"metadata": {"name": name}}).to_string().into_bytes();
        let request = http::Request::post("/api/v1/namespaces").body(body).expect("a request");
        client.request::<serde_json::Value>(request).await.expect("a namespace");
    }
}

/// Starts the controllers. They end with the process.
async fn control(ctx: &Ctx, api: &Api) {
    let (metrics, client) = (Metrics::new(), cluster::on(ctx, api.clone(), "longshore-binder"));
    let engine = Engine {
        ctx: ctx.clone(),
        leadership: Leadership::always(ctx),
        ledger: Ledger::new(),
        metrics: metrics.clone(),
        workers: 10,
        backoff: Backoff { start: Duration::from_millis(100), max: Duration::from_secs(5) },
        shutdown: Shutdown::new(),
        queue: "binder".to_owned(),
    };
    let watches = binder::watches();
    let caches = Caches::start(ctx, &client, watches.clone(), &metrics);
    caches.synced(&watches).await;
    let surroundings = binder::Surroundings { client, engine };
    let config = binder::Config { root_ca: Some("conformance".to_owned()), ..binder::Config::new("conf-host") };
    let controllers = async move { binder::controller(config, surroundings, &caches).await };
    ctx.spawn("binder", controllers);
}
