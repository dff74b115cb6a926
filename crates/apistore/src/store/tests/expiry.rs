//! Events are forgotten an hour after their last write.

use api_kinds::expiry::LIFETIME;

use super::*;
use crate::Patch;
use crate::persist::File;
use crate::store::expiry::Expiry;

const MINUTE: Duration = Duration::from_secs(60);

fn event(name: &str, verb: WriteVerb) -> WriteRequest {
    WriteRequest { resource: core_events(), ..request(name, verb) }
}

fn core_events() -> Arc<Resource> {
    Registry::builtin().find("", "v1", "events").expect("events")
}

fn new_event(name: &str) -> WriteRequest {
    event("", WriteVerb::Create(json!({"metadata": {"name": name}, "involvedObject": {"namespace": "n"}, "count": 1})))
}

fn events(store: &Store) -> Vec<String> {
    let state = store.shared.read_state();
    state.find("events").into_iter().flat_map(|events| events.range("", "")).map(|event| event.name().to_owned()).collect()
}

/// What keeps what is stored, as the next start finds it.
fn loaded(store: &Store) -> Loaded {
    let state = store.shared.read_state();
    let resources = ["namespaces", "events"].map(Arc::<str>::from);
    let objects = resources.iter().flat_map(|resource| {
        let objects = state.find(resource).into_iter().flat_map(|collection| collection.range("", ""));
        objects.map(|object| (resource.clone(), object.clone()))
    });
    Loaded { version: state.version(), objects: objects.collect() }
}

#[test]
fn an_event_is_forgotten_an_hour_after_its_last_write() {
    run(async |ctx| {
        let store = Store::in_memory(&ctx);
        with_namespace(&store).await;
        store.write(new_event("once")).await.expect("stored");
        store.write(new_event("again")).await.expect("stored");
        let mut watch = store.watch(WatchRequest { resource: core_events(), ..watch(Some(store.version())) });
        ctx.sleep(30 * MINUTE).await;
        let seen = json!({"count": 2, "lastTimestamp": apimachinery::object::time(ctx.timestamp())});
        store.write(event("again", WriteVerb::Patch(Patch::Merge, seen.to_string().into()))).await.expect("counted");
        ctx.sleep(29 * MINUTE).await;
        assert_eq!(events(&store), ["again", "once"]);
        ctx.sleep(3 * MINUTE).await;
        assert_eq!(events(&store), ["again"]);
        let mut told = Vec::new();
        for _ in 0..2 {
            let event = watch.next().await.expect("an event");
            told.push((event.kind, event.object.expect("an object").name().to_owned()));
        }
        assert_eq!(told, [(EventType::Modified, "again".to_owned()), (EventType::Deleted, "once".to_owned())]);
        ctx.sleep(30 * MINUTE).await;
        assert_eq!(events(&store), Vec::<String>::new());
    });
}

#[test]
fn what_ended_while_nobody_looked_is_forgotten_at_the_next_start() {
    run(async |ctx| {
        let store = Store::in_memory(&ctx);
        with_namespace(&store).await;
        store.write(new_event("a")).await.expect("stored");
        let kept = loaded(&store);
        store.close().await;
        ctx.sleep(59 * MINUTE).await;
        let store = Store::on(&ctx, Fake::default(), Loaded { version: kept.version, objects: kept.objects.clone() });
        ctx.sleep(Duration::from_secs(1)).await;
        assert_eq!(events(&store), ["a"]);
        store.close().await;
        ctx.sleep(2 * MINUTE).await;
        let store = Store::on(&ctx, Fake::default(), kept);
        ctx.sleep(Duration::from_secs(1)).await;
        assert_eq!(events(&store), Vec::<String>::new());
    });
}

#[test]
fn more_events_than_one_commit_forgets_all_go_and_a_full_disk_only_delays_them() {
    run(async |ctx| {
        let fake = Fake::default();
        let store = Store::on(&ctx, fake.clone(), Loaded::default());
        with_namespace(&store).await;
        join_all((0..1200).map(|at| store.write(new_event(&format!("e{at}"))))).await;
        fake.0.full.store(true, Ordering::Relaxed);
        ctx.sleep(2 * LIFETIME.unsigned_abs()).await;
        assert_eq!(events(&store).len(), 1200);
        fake.0.full.store(false, Ordering::Relaxed);
        ctx.sleep(2 * MINUTE).await;
        assert_eq!(events(&store).len(), 0);
    });
}

#[test]
fn without_events_nothing_is_waited_for() {
    run(async |ctx| {
        let store = Store::in_memory(&ctx);
        with_namespace(&store).await;
        let due = || Expiry::new(&ctx, &store.shared.read_state());
        assert!(ctx.timeout(10 * LIFETIME.unsigned_abs(), due().due(&ctx)).await.is_err());
        store.write(new_event("a")).await.expect("stored");
        assert!(ctx.timeout(MINUTE, due().due(&ctx)).await.is_ok());
    });
}

/// Space of events that are gone is used again: what a host reports for years is no larger than what it reports in an hour.
#[test]
fn a_file_of_events_that_come_and_go_does_not_grow() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store");
    let size = || std::fs::metadata(&path).expect("a file").len();
    let (file, kept) = File::open(&path, 1).expect("a new file");
    run(async |ctx| {
        let store = Store::on(&ctx, file, kept);
        with_namespace(&store).await;
        let mut sizes = Vec::new();
        for hour in 0..12 {
            for name in 0..50 {
                store.write(new_event(&format!("{hour}-{name}"))).await.expect("stored");
            }
            for count in 2..6 {
                let patch = json!({"count": count, "message": "x".repeat(500)}).to_string();
                let counted = |name| event(&format!("{hour}-{name}"), WriteVerb::Patch(Patch::Merge, patch.clone().into()));
                join_all((0..50).map(|name| store.write(counted(name)))).await;
            }
            ctx.sleep(2 * LIFETIME.unsigned_abs()).await;
            assert_eq!(events(&store), Vec::<String>::new());
            sizes.push(size());
        }
        // The pages of a commit that is not synced yet are held beside those that it replaces: twice is the most.
        assert!(sizes[11] <= 2 * sizes[0], "{sizes:?}");
        store.close().await;
    });
}
