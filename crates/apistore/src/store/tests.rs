use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use api_kinds::Subresource;
use futures::future::join_all;
use rt::disk::MemoryDisk;
use serde_json::json;

mod expiry;
mod replay;

use super::*;
use crate::persist::CommitError;
use crate::{Selection, VersionMatch, WriteOptions, WriteVerb};

/// A disk that can be full, counts commits, and can look at the store while it commits.
#[derive(Clone, Default)]
struct Fake(Arc<FakeState>);

#[derive(Default)]
struct FakeState {
    full: AtomicBool,
    commits: AtomicU64,
    changes: AtomicU64,
    store: OnceLock<Store>,
    seen: Mutex<Vec<bool>>,
}

impl Persist for Fake {
    fn commit(&mut self, changes: &[Change]) -> Result<(), CommitError> {
        let state = &self.0;
        state.commits.fetch_add(1, Ordering::Relaxed);
        if let Some(store) = state.store.get() {
            let object = &changes[0].entry.object;
            let seen = store.get(&resource(&changes[0].resource), object.namespace(), object.name()).is_some();
            state.seen.lock().expect("not poisoned").push(seen);
        }
        if state.full.load(Ordering::Relaxed) {
            return Err(CommitError::NoSpace("/a/file".to_owned()));
        }
        state.changes.fetch_add(changes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn blocks(&self) -> bool {
        true
    }
}

fn resource(plural: &str) -> Arc<Resource> {
    Registry::builtin().all().find(|resource| resource.plural == plural).cloned().expect("a kind")
}

fn request(name: &str, verb: WriteVerb) -> WriteRequest {
    WriteRequest {
        resource: resource("configmaps"),
        namespace: "n".to_owned(),
        name: name.to_owned(),
        subresource: Subresource::Main,
        verb,
        options: WriteOptions { manager: "test".to_owned(), ..WriteOptions::default() },
    }
}

fn create(name: &str) -> WriteRequest {
    request("", WriteVerb::Create(json!({"metadata": {"name": name}, "data": {"k": "0"}})))
}

async fn with_namespace(store: &Store) {
    let body = json!({"metadata": {"name": "n"}});
    let namespace =
        WriteRequest { resource: resource("namespaces"), namespace: String::new(), ..request("", WriteVerb::Create(body)) };
    store.write(namespace).await.expect("a namespace");
}

fn all() -> ListRequest {
    ListRequest {
        resource: resource("configmaps"),
        namespace: None,
        selection: Selection::default(),
        limit: None,
        resume: None,
        version: VersionMatch::Any,
    }
}

fn watch(since: Option<u64>) -> WatchRequest {
    WatchRequest {
        resource: resource("configmaps"),
        namespace: None,
        selection: Selection::default(),
        since,
        bookmarks: false,
        timeout: None,
    }
}

fn run<F: Future<Output = ()>>(test: impl FnOnce(Ctx) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async { test(Ctx::seeded(1, Arc::new(MemoryDisk::default()))).await });
}

#[test]
fn writes_that_come_together_are_made_durable_together() {
    run(async |ctx| {
        let fake = Fake::default();
        let store = Store::on(&ctx, fake.clone(), Loaded::default());
        with_namespace(&store).await;
        let before = fake.0.commits.load(Ordering::Relaxed);
        let names: Vec<String> = (0..64).map(|at| format!("a{at}")).collect();
        for result in join_all(names.iter().map(|name| store.write(create(name)))).await {
            result.expect("created");
        }
        assert_eq!(fake.0.commits.load(Ordering::Relaxed) - before, 1);
        assert_eq!(fake.0.changes.load(Ordering::Relaxed), 65);
    });
}

#[test]
fn nobody_sees_what_is_not_durable() {
    run(async |ctx| {
        let fake = Fake::default();
        let store = Store::on(&ctx, fake.clone(), Loaded::default());
        with_namespace(&store).await;
        fake.0.store.set(store.clone()).ok().expect("once");
        store.write(create("a")).await.expect("created");
        assert_eq!(*fake.0.seen.lock().expect("not poisoned"), [false]);
        assert!(store.get(&resource("configmaps"), "n", "a").is_some());
    });
}

#[test]
fn on_a_full_disk_writes_fail_whole_reads_go_on_and_writes_recover() {
    run(async |ctx| {
        let fake = Fake::default();
        let store = Store::on(&ctx, fake.clone(), Loaded::default());
        with_namespace(&store).await;
        store.write(create("a")).await.expect("created");
        let version = store.version();
        let mut events = store.watch(watch(Some(version)));
        fake.0.full.store(true, Ordering::Relaxed);
        for result in join_all([store.write(create("b")), store.write(create("c")), store.write(create("b"))]).await {
            let refused = result.expect_err("full");
            assert_eq!((refused.code, refused.reason), (507, Some("InsufficientStorage")));
            let words = "the object was not stored: no space is left for /a/file; free some space and try again";
            assert_eq!(refused.message, words);
        }
        assert_eq!(store.version(), version);
        assert_eq!(store.list(all()).await.expect("a list").items.len(), 1);
        assert!(ctx.timeout(Duration::from_secs(1), events.next()).await.is_err(), "nothing happened");
        fake.0.full.store(false, Ordering::Relaxed);
        store.write(create("b")).await.expect("there is space again");
        let event = events.next().await.expect("an event");
        assert_eq!((event.kind, event.version), (EventType::Added, version + 1));
    });
}

#[test]
fn a_closed_store_refuses_writes_and_can_be_read() {
    run(async |ctx| {
        let store = Store::in_memory(&ctx);
        with_namespace(&store).await;
        store.close().await;
        assert_eq!(store.write(create("a")).await.expect_err("closed").code, 503);
        assert!(store.get(&resource("namespaces"), "", "n").is_some());
        store.close().await;
    });
}

/// `cargo test -p apistore --lib -- --ignored --nocapture how_much_memory`.
#[test]
#[ignore = "measures"]
fn how_much_memory_an_object_costs() {
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
        statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4096
    };
    const COUNT: usize = 100_000;
    let object = |at: usize| {
        let json = json!({"metadata": {"name": format!("claim-{at:08}"), "namespace": "default", "resourceVersion": "1"}, "spec": "x".repeat(900)});
        Object::encode(json, 1)
    };
    let (before, json) = (resident(), object(0).json().len());
    let state = State::load(1, (0..COUNT).map(|at| ("things".into(), object(at))));
    let stored = (resident() - before) / COUNT;
    let read: u64 = state.find("things").expect("things").range("", "").map(|object| u64::from(object.json().clone()[0])).sum();
    let sent = (resident() - before) / COUNT;
    eprintln!("{json} bytes of JSON: {stored} stored, {sent} once it was sent ({read})");
}
