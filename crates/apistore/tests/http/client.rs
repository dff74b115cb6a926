//! `kube::Client` in the process.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::watcher;
use kube::{Api, ResourceExt};
use serde_json::json;

use crate::support::{Asker, run};

fn config_maps(api: &Asker) -> Api<ConfigMap> {
    Api::namespaced(api.api.client("n"), "n")
}

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"k": "v"}})).expect("a config map")
}

#[test]
fn a_client_creates_reads_lists_patches_and_deletes() {
    run(|api| async move {
        let maps = config_maps(&api);
        let created = maps.create(&PostParams::default(), &config_map("a")).await.expect("created");
        assert!(created.uid().is_some() && created.resource_version().is_some());
        assert_eq!(
            created.metadata.managed_fields.as_ref().and_then(|fields| fields[0].manager.clone()).as_deref(),
            Some("longshore")
        );
        assert_eq!(maps.get("a").await.expect("read"), created);
        let patch = Patch::Merge(json!({"data": {"l": "m"}}));
        let patched = maps.patch("a", &PatchParams::default(), &patch).await.expect("patched");
        assert_eq!(patched.data.as_ref().map(|data| data.len()), Some(2));
        let list = maps.list(&ListParams::default().fields("metadata.name=a")).await.expect("a list");
        assert_eq!(list.items, [patched]);
        let error = maps.create(&PostParams::default(), &config_map("a")).await.expect_err("it is there");
        assert!(matches!(&error, kube::Error::Api(status) if status.code == 409 && status.reason == "AlreadyExists"), "{error}");
        maps.delete("a", &DeleteParams::default()).await.expect("deleted");
        assert!(maps.get_opt("a").await.expect("asked").is_none());
    });
}

#[test]
fn a_client_watches() {
    run(|api| async move {
        let maps = config_maps(&api);
        maps.create(&PostParams::default(), &config_map("a")).await.expect("created");
        let mut stream = pin!(maps.watch(&WatchParams::default(), "0").await.expect("a watch"));
        assert!(matches!(stream.next().await, Some(Ok(WatchEvent::Added(map))) if map.name_any() == "a"));
        assert!(matches!(stream.next().await, Some(Ok(WatchEvent::Bookmark(_)))));
        maps.delete("a", &DeleteParams::default()).await.expect("deleted");
        assert!(matches!(stream.next().await, Some(Ok(WatchEvent::Deleted(map))) if map.name_any() == "a"));
    });
}

async fn watches(api: Asker, config: watcher::Config) {
    let maps = config_maps(&api);
    for name in ["a", "b"] {
        maps.create(&PostParams::default(), &config_map(name)).await.expect("created");
    }
    let mut events = pin!(watcher(maps.clone(), config));
    let mut seen = Vec::new();
    loop {
        match events.try_next().await.expect("an event").expect("more") {
            watcher::Event::Init => {}
            watcher::Event::InitApply(map) => seen.push(map.name_any()),
            watcher::Event::InitDone => break,
            other => panic!("{other:?} before the list is over"),
        }
    }
    assert_eq!(seen, ["a", "b"]);
    maps.create(&PostParams::default(), &config_map("c")).await.expect("created");
    assert!(matches!(events.try_next().await, Ok(Some(watcher::Event::Apply(map))) if map.name_any() == "c"));
    maps.delete("a", &DeleteParams::default()).await.expect("deleted");
    assert!(matches!(events.try_next().await, Ok(Some(watcher::Event::Delete(map))) if map.name_any() == "a"));
}

#[test]
fn a_watcher_that_lists_first_sees_everything() {
    run(|api| watches(api, watcher::Config::default().page_size(1)));
}

#[test]
fn a_watcher_with_a_streaming_list_sees_everything() {
    run(|api| watches(api, watcher::Config::default().streaming_lists()));
}
