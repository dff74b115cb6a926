#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use rt::disk::MemoryDisk;
use serde_json::{Value, json};

use super::*;
use crate::kinds::CsiNode;

struct World {
    ctx: Ctx,
    store: Arc<Store<CsiNode>>,
    troubles: Troubles,
    requests: Arc<AtomicUsize>,
}

/// One watch on an API that answers (is it a watch?, how many requests came before) like this.
fn run(answer: fn(bool, usize) -> (u16, Value), scenario: impl AsyncFnOnce(World)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("runtime");
    runtime.block_on(async {
        let ctx = Ctx::seeded(1, Arc::new(MemoryDisk::new()));
        let requests = Arc::new(AtomicUsize::new(0));
        let count = requests.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
            let (status, answer) = answer(watch, count.fetch_add(1, Ordering::SeqCst));
            async move {
                let body = Body::from(answer.to_string().into_bytes());
                Response::builder().status(status).body(body).map_err(tower::BoxError::from)
            }
        });
        let (store, troubles) = (Arc::new(Store::default()), Troubles::default());
        let api = Api::all(Client::new(service, "default"));
        let config = watcher::Config::default();
        ctx.spawn("watch", feed(ctx.clone(), api, config, store.clone(), troubles.clone(), Metrics::new()));
        scenario(World { ctx, store, troubles, requests }).await;
    });
}

fn failure(code: u16) -> (u16, Value) {
    (code, json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": "", "message": "no"}))
}

fn list(names: &[&str]) -> (u16, Value) {
    let item = |name: &&str| json!({"metadata": {"name": name, "resourceVersion": "5"}, "spec": {"drivers": []}});
    let items: Vec<Value> = names.iter().map(item).collect();
    (200, json!({"kind": "CSINodeList", "apiVersion": "storage.k8s.io/v1", "metadata": {"resourceVersion": "5"}, "items": items}))
}

#[test]
fn a_list_that_is_refused_again_and_again_is_told_and_asked_for_ever_less_often() {
    run(
        |_, _| failure(403),
        async |world| {
            world.ctx.sleep(Duration::from_secs(300)).await;
            assert!(world.troubles.first().is_some_and(|text| text.starts_with("cannot watch csinodes")));
            let requests = world.requests.load(Ordering::SeqCst);
            assert!(requests < 30, "{requests} requests in five minutes");
        },
    );
}

#[test]
fn a_watch_refused_as_too_old_when_it_is_opened_lists_again() {
    let answer = |watch, before| match (watch, before) {
        (true, 1) => failure(410),
        // An open watch on which nothing happens ends here, and is opened again.
        (true, _) => failure(500),
        (false, 0) => list(&["a"]),
        (false, _) => list(&["b"]),
    };
    run(answer, async |world| {
        world.ctx.sleep(Duration::from_secs(10)).await;
        assert!(world.store.get("a").is_none() && world.store.get("b").is_some());
    });
}
