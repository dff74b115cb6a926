use std::time::Duration;

use apistore::EventType::{self, Added, Bookmark, Deleted, Expired, Modified};
use apistore::{Selection, WatchRequest};
use serde_json::json;

use crate::support::*;

#[test]
fn a_watch_tells_what_is_there_and_then_each_change_with_its_version() {
    run(async |api| {
        api.config_map("b", "1").await;
        api.config_map("a", "1").await;
        let mut watch = api.watch(None);
        assert_eq!(told(&watch.next().await.expect("an event")), (Added, "a".into()));
        assert_eq!(told(&watch.next().await.expect("an event")), (Added, "b".into()));
        api.merge("configmaps", "n", "a", json!({"data": {"k": "2"}})).await.expect("patched");
        api.merge("configmaps", "n", "a", json!({"data": {"k": "2"}})).await.expect("nothing changes");
        api.delete("configmaps", "n", "b").await.expect("deleted");
        let modified = watch.next().await.expect("an event");
        assert_eq!(told(&modified), (Modified, "a".into()));
        let deleted = watch.next().await.expect("an event");
        assert_eq!(told(&deleted), (Deleted, "b".into()));
        assert_eq!(deleted.version, modified.version + 1);
        assert_eq!(version(&deleted.object.expect("the last state").value()), deleted.version);
    });
}

#[test]
fn a_watch_from_a_version_tells_only_what_came_after() {
    run(async |api| {
        let first = api.config_map("a", "1").await;
        api.config_map("b", "1").await;
        let mut watch = api.watch(Some(version(&first)));
        assert_eq!(told(&watch.next().await.expect("an event")), (Added, "b".into()));
    });
}

#[test]
fn a_version_that_does_not_exist_yet_is_waited_for_in_silence() {
    run(async |api| {
        let mut watch = api.watch(Some(api.store.version() + 1));
        api.config_map("a", "1").await;
        api.config_map("b", "1").await;
        assert_eq!(told(&watch.next().await.expect("an event")), (Added, "b".into()));
    });
}

#[test]
fn a_watcher_whose_place_is_forgotten_is_cut_off_and_one_that_is_not_behind_is_not() {
    run(async |api| {
        let old = api.config_map("a", "1").await;
        let mut idle = api.store.watch(watch("pods", Some(version(&old))));
        let last = api.config_map("b", "1").await;
        let mut behind = api.watch(Some(version(&old)));
        let mut at_the_end = api.watch(Some(version(&last)));
        api.store.compact();
        let event = behind.next().await.expect("an event");
        assert_eq!((event.kind, event.version), (Expired, version(&last)));
        assert!(behind.next().await.is_none(), "it was the last");
        api.config_map("c", "1").await;
        assert_eq!(told(&at_the_end.next().await.expect("an event")), (Added, "c".into()));
        let nothing = api.ctx.timeout(Duration::from_secs(1), idle.next()).await;
        assert!(nothing.is_err(), "nothing happened to pods");
        assert_eq!(told(&api.watch(Some(1)).next().await.expect("an event")).0, Expired);
    });
}

#[test]
fn who_enters_a_selection_is_added_and_who_leaves_is_deleted_as_it_was() {
    run(async |api| {
        let labels = apimachinery::selector::LabelSelector::parse("app=x").expect("a selector");
        let selection = Selection { labels, ..Selection::default() };
        let mut watch = api.store.watch(WatchRequest { selection, ..watch("configmaps", Some(api.store.version())) });
        api.config_map("a", "1").await;
        let label = |value: serde_json::Value| json!({"metadata": {"labels": {"app": value}}});
        api.merge("configmaps", "n", "a", label("x".into())).await.expect("patched");
        let left = api.merge("configmaps", "n", "a", label("y".into())).await.expect("patched");
        api.delete("configmaps", "n", "a").await.expect("deleted");
        assert_eq!(told(&watch.next().await.expect("an event")), (Added, "a".into()));
        let event = watch.next().await.expect("an event");
        assert_eq!(told(&event), (Deleted, "a".into()));
        let last = event.object.expect("an object").value();
        assert_eq!((version(&last), &last["metadata"]["labels"]["app"]), (version(&left), &json!("x")));
        let nothing = api.ctx.timeout(Duration::from_secs(1), watch.next()).await;
        assert!(nothing.is_err(), "it was gone already");
    });
}

#[test]
fn bookmarks_end_the_beginning_come_every_minute_and_shortly_before_the_end() {
    run(async |api| {
        api.config_map("a", "1").await;
        let request = WatchRequest { bookmarks: true, timeout: Some(Duration::from_secs(100)), ..watch("configmaps", None) };
        let mut watch = api.store.watch(request);
        let mut seen: Vec<(EventType, u64)> = Vec::new();
        let start = api.ctx.now();
        while let Some(event) = watch.next().await {
            seen.push((event.kind, api.ctx.now().since(start).as_secs()));
        }
        let bookmark = |initial_end| Bookmark { initial_end };
        assert_eq!(seen, [(Added, 0), (bookmark(true), 0), (bookmark(false), 60), (bookmark(false), 98)]);
        assert_eq!(api.ctx.now().since(start).as_secs(), 100, "it ends when its time is over");
    });
}
