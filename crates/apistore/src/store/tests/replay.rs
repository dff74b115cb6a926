//! Random writes, and whether everybody who looks at them in their own way sees the same.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use proptest::prelude::*;
use rt::Ctx;
use serde_json::{Value, json};

use super::{all, create, request, run, watch, with_namespace};
use crate::{Answer, DeleteOptions, EventType, ListRequest, Listing, Object, Patch, Store, WatchStream, WriteRequest, WriteVerb};

/// Something that a client does to one of five config maps.
#[derive(Debug, Clone)]
enum Step {
    Create(u8),
    Set(u8, u8),
    Hold(u8),
    Free(u8),
    Delete(u8),
    DeleteAll,
    Watch,
    Compact,
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..5u8;
    prop_oneof![
        4 => name.clone().prop_map(Step::Create),
        6 => (name.clone(), 0..3u8).prop_map(|(name, value)| Step::Set(name, value)),
        2 => name.clone().prop_map(Step::Hold),
        2 => name.clone().prop_map(Step::Free),
        3 => name.prop_map(Step::Delete),
        1 => Just(Step::DeleteAll),
        2 => Just(Step::Watch),
        1 => Just(Step::Compact),
    ]
}

fn requested(step: &Step) -> Option<WriteRequest> {
    let merge = |name: &u8, patch: Value| request(&format!("c{name}"), WriteVerb::Patch(Patch::Merge, patch.to_string().into()));
    Some(match step {
        Step::Create(name) => create(&format!("c{name}")),
        Step::Set(name, value) => merge(name, json!({"data": {"k": value.to_string()}})),
        Step::Hold(name) => merge(name, json!({"metadata": {"finalizers": ["x.io/f"]}})),
        Step::Free(name) => merge(name, json!({"metadata": {"finalizers": null}})),
        Step::Delete(name) => request(&format!("c{name}"), WriteVerb::Delete(DeleteOptions::default())),
        Step::DeleteAll => request("", WriteVerb::DeleteCollection(DeleteOptions::default(), Box::default(), None)),
        Step::Watch | Step::Compact => return None,
    })
}

/// What a watcher believes there is.
struct Replica {
    watch: WatchStream,
    objects: BTreeMap<String, Object>,
    version: u64,
    expired: bool,
}

impl Replica {
    async fn catch_up(&mut self, ctx: &Ctx) {
        while let Ok(Some(event)) = ctx.timeout(Duration::from_millis(1), self.watch.next()).await {
            let Some(object) = event.object else {
                assert_eq!(event.kind, EventType::Expired);
                self.expired = true;
                return;
            };
            let key = object.key().to_owned();
            let known = self.objects.contains_key(&key);
            match event.kind {
                EventType::Deleted => assert!(self.objects.remove(&key).is_some(), "{key} was known"),
                kind => {
                    assert_eq!(known, kind == EventType::Modified, "{key}");
                    self.objects.insert(key, object);
                }
            }
            self.version = self.version.max(event.version);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Batches of random writes, watchers that begin anywhere and may be cut off, pages of old versions.
    #[test]
    fn every_watcher_that_is_not_cut_off_and_every_page_agrees_with_the_list(
        batches in prop::collection::vec(prop::collection::vec(step(), 1..6), 1..12)
    ) {
        run(async |ctx| {
            let store = Store::in_memory(&ctx);
            with_namespace(&store).await;
            let mut replicas: Vec<Replica> = Vec::new();
            let mut pages: Vec<(Vec<Bytes>, Listing)> = Vec::new();
            for batch in &batches {
                let before = store.version();
                let writes = join_all(batch.iter().filter_map(requested).map(|request| store.write(request))).await;
                for written in writes.into_iter().flatten() {
                    if let Answer::Object(object) = written.answer {
                        assert!(object.version() <= store.version());
                    }
                }
                assert!(store.version() >= before, "versions never go back");
                for step in batch {
                    match step {
                        Step::Compact => store.compact(),
                        Step::Watch => {
                            let listing = store.list(all()).await.expect("a list");
                            let objects = listing.items.iter().map(|object| (object.key().to_owned(), object.clone())).collect();
                            let watch = store.watch(watch(Some(listing.version)));
                            replicas.push(Replica { watch, objects, version: listing.version, expired: false });
                            let watch = store.watch(super::watch(None));
                            replicas.push(Replica { watch, objects: BTreeMap::new(), version: 0, expired: false });
                            let page = store.list(ListRequest { limit: Some(2), ..all() }).await.expect("a page");
                            pages.push((listing.items.iter().map(|object| object.json().clone()).collect(), page));
                        }
                        _ => {}
                    }
                }
            }
            let now: Vec<Bytes> = store.list(all()).await.expect("a list").items.iter().map(|object| object.json().clone()).collect();
            for replica in &mut replicas {
                replica.catch_up(&ctx).await;
                if !replica.expired {
                    let known: Vec<Bytes> = replica.objects.values().map(|object| object.json().clone()).collect();
                    assert_eq!(known, now);
                }
            }
            for (whole, first) in pages {
                let mut items: Vec<Bytes> = first.items.iter().map(|object| object.json().clone()).collect();
                if let Some(resume) = first.resume {
                    match store.list(ListRequest { resume: Some(resume), ..all() }).await {
                        Ok(rest) => items.extend(rest.items.iter().map(|object| object.json().clone())),
                        Err(status) => { assert_eq!(status.code, 410); continue }
                    }
                }
                assert_eq!(items, whole);
            }
        });
    }
}
