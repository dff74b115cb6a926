//! A watch of ConfigMaps that goes on where it was when its server died, or is told 410 and lists again.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, WatchEvent, WatchParams};
use serde_json::json;

use super::model::{Found, Kind, Seen, Server, number, of_map};

/// A client's picture of the ConfigMaps.
#[derive(Default)]
pub(crate) struct Watcher {
    seen: BTreeMap<String, Seen>,
    /// Of the last event.
    pub(crate) version: u64,
    pub(crate) resumed: u32,
    pub(crate) relisted: u32,
}

/// What is changed when everything is to have been seen.
const MARK: &str = "mark";

impl Watcher {
    /// Comes to the same picture as the list, from where it was.
    pub(crate) async fn catch_up(&mut self, server: &Server, found: &Found, context: &str) {
        let text =
            json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": MARK, "annotations": { "at": context } } });
        let apply = PatchParams::apply("watcher").force();
        let mark = server.maps.patch(MARK, &apply, &Patch::Apply(&text)).await.expect("a mark is written");
        let mark = number(mark.metadata.resource_version.as_deref());
        if self.version > 0 && self.until(server, mark).await {
            self.resumed += 1;
        } else {
            self.relisted += 1;
            let maps = found.objects.iter().filter(|((kind, _), _)| *kind == Kind::ConfigMap);
            self.seen = maps.map(|((_, name), seen)| (name.clone(), seen.clone())).collect();
            self.version = found.version;
            assert!(self.until(server, mark).await, "{context}: a version that was just listed is too old to watch");
        }
        let listed: BTreeMap<_, _> = found
            .objects
            .iter()
            .filter(|((kind, _), _)| *kind == Kind::ConfigMap)
            .map(|((_, name), seen)| (name, seen))
            .collect();
        assert!(self.seen.iter().eq(listed), "{context}: the watch sees {:?}, the list {:?}", self.seen, found.objects);
    }

    /// Until this version was seen. Whether it could be.
    async fn until(&mut self, server: &Server, version: u64) -> bool {
        let watch = server.maps.watch(&WatchParams::default(), &self.version.to_string()).await.expect("a watch opens");
        let mut watch = std::pin::pin!(watch);
        while self.version < version {
            match watch.try_next().await.expect("the watch goes on") {
                Some(WatchEvent::Error(status)) => {
                    assert_eq!((status.code, &*status.reason), (410, "Expired"), "{status:?}");
                    return false;
                }
                Some(event) => self.take(event),
                None => panic!("the watch ended before its mark"),
            }
        }
        true
    }

    /// As long as the process lives.
    pub(crate) async fn follow(mut self, server: Arc<Server>) -> Self {
        if let Ok(watch) = server.maps.watch(&WatchParams::default(), &self.version.to_string()).await {
            let mut watch = std::pin::pin!(watch);
            while let Ok(Some(event)) = watch.try_next().await {
                self.take(event);
            }
        }
        self
    }

    fn take(&mut self, event: WatchEvent<ConfigMap>) {
        let (map, there) = match event {
            WatchEvent::Added(map) | WatchEvent::Modified(map) => (map, true),
            WatchEvent::Deleted(map) => (map, false),
            WatchEvent::Bookmark(_) => return,
            WatchEvent::Error(status) => panic!("the watch failed: {status:?}"),
        };
        let version = number(map.metadata.resource_version.as_deref());
        assert!(version > self.version, "events come in the order of versions: {version} after {}", self.version);
        self.version = version;
        let Some((name, seen)) = of_map(&map) else { return };
        if there {
            self.seen.insert(name, seen)
        } else {
            self.seen.remove(&name)
        };
    }
}
