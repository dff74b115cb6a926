//! Watches as they are on the wire.

use apistore::Body;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::support::{Asker, CONFIG_MAPS, run};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// A watch that is read line by line.
struct Lines {
    body: Body,
    text: String,
}

impl Lines {
    async fn open(api: &Asker, query: &str, accept: &str) -> Self {
        let response = api.response("GET", &format!("{CONFIG_MAPS}?watch=1&{query}"), &[("accept", accept)], b"").await;
        assert_eq!(response.status(), 200);
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next line; `None` at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.text.find('\n') {
                let line: String = self.text.drain(..=end).collect();
                return Some(serde_json::from_str(&line).expect("a line of JSON"));
            }
            let frame = self.body.frame().await?.expect("a frame").into_data().expect("data");
            self.text.push_str(std::str::from_utf8(&frame).expect("text"));
        }
    }

    /// Type and name of the next line.
    async fn event(&mut self) -> (String, String) {
        let line = self.next().await.expect("an event");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&line["type"]), text(&line["object"]["metadata"]["name"]))
    }
}

fn event(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

#[test]
fn what_is_there_comes_first_and_each_change_after_it() {
    run(|api| async move {
        api.config_map("a").await;
        let mut watch = Lines::open(&api, "", "").await;
        assert_eq!(watch.event().await, event("ADDED", "a"));
        api.config_map("b").await;
        assert_eq!(watch.event().await, event("ADDED", "b"));
        api.patch(&format!("{CONFIG_MAPS}/b"), "application/merge-patch+json", r#"{"data":{"x":"y"}}"#).await;
        let changed = watch.next().await.expect("an event");
        assert_eq!(
            (&changed["type"], &changed["object"]["kind"], &changed["object"]["data"]["x"]),
            (&json!("MODIFIED"), &json!("ConfigMap"), &json!("y"))
        );
        api.ask("DELETE", &format!("{CONFIG_MAPS}/a"), &[], b"").await;
        assert_eq!(watch.event().await, event("DELETED", "a"));
    });
}

#[test]
fn a_watch_from_a_version_has_only_what_came_after_it() {
    run(|api| async move {
        api.config_map("a").await;
        let version = api.store.version();
        api.config_map("b").await;
        let mut watch = Lines::open(&api, &format!("resourceVersion={version}"), "").await;
        assert_eq!(watch.event().await, event("ADDED", "b"));
    });
}

#[test]
fn a_streaming_list_ends_with_the_annotated_bookmark() {
    run(|api| async move {
        api.config_map("a").await;
        for query in [
            "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
            "allowWatchBookmarks=true&resourceVersion=0",
        ] {
            let mut watch = Lines::open(&api, query, "").await;
            assert_eq!(watch.event().await, event("ADDED", "a"));
            let bookmark = watch.next().await.expect("a bookmark");
            let version = api.store.version().to_string();
            let metadata = json!({"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": "true"}});
            assert_eq!(
                bookmark,
                json!({"type": "BOOKMARK", "object": {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata}})
            );
        }
    });
}

#[test]
fn the_old_watch_paths_work() {
    run(|api| async move {
        for name in ["a", "b"] {
            api.config_map(name).await;
        }
        let response = api.response("GET", "/api/v1/watch/namespaces/n/configmaps/b?timeoutSeconds=1", &[], b"").await;
        let mut watch = Lines { body: response.into_body(), text: String::new() };
        assert_eq!(watch.event().await, event("ADDED", "b"));
        assert_eq!(watch.next().await, None);
        let response = api.response("GET", "/api/v1/watch/configmaps?timeoutSeconds=1", &[], b"").await;
        let mut watch = Lines { body: response.into_body(), text: String::new() };
        assert_eq!([watch.event().await, watch.event().await], [event("ADDED", "a"), event("ADDED", "b")]);
    });
}

#[test]
fn a_watch_ends_cleanly_when_its_time_is_over() {
    run(|api| async move {
        let mut watch = Lines::open(&api, "timeoutSeconds=7", "").await;
        let start = tokio::time::Instant::now();
        assert_eq!(watch.next().await, None);
        assert_eq!(start.elapsed().as_secs(), 7);
    });
}

#[test]
fn a_version_that_is_forgotten_is_an_event_and_not_a_failure() {
    run(|api| async move {
        api.config_map("a").await;
        for at in 0..3 {
            api.patch(&format!("{CONFIG_MAPS}/a"), "application/merge-patch+json", &format!(r#"{{"data":{{"x":"{at}"}}}}"#))
                .await;
        }
        api.store.compact();
        let mut watch = Lines::open(&api, "resourceVersion=1", "").await;
        let line = watch.next().await.expect("an event");
        assert_eq!(
            (&line["type"], &line["object"]["code"], &line["object"]["reason"]),
            (&json!("ERROR"), &json!(410), &json!("Expired"))
        );
        let message = line["object"]["message"].as_str().expect("a message");
        assert!(message.starts_with("too old resource version: 1 ("), "{message}");
        assert_eq!(watch.next().await, None);
    });
}

#[test]
fn a_watch_of_a_table_has_columns_once() {
    run(|api| async move {
        api.config_map("a").await;
        let mut watch = Lines::open(&api, "allowWatchBookmarks=true", TABLE).await;
        let first = watch.next().await.expect("an event");
        assert_eq!((&first["object"]["kind"], &first["object"]["rows"][0]["cells"][0]), (&json!("Table"), &json!("a")));
        assert!(first["object"]["columnDefinitions"].is_array());
        let bookmark = watch.next().await.expect("a bookmark");
        assert_eq!((&bookmark["type"], &bookmark["object"]["columnDefinitions"]), (&json!("BOOKMARK"), &Value::Null));
        let meta = &bookmark["object"]["rows"][0]["object"]["metadata"];
        assert_eq!(meta["annotations"]["k8s.io/initial-events-end"], "true");
    });
}

#[test]
fn a_watch_of_metadata_is_in_the_singular() {
    run(|api| async move {
        let created = api.config_map("a").await;
        let mut watch = Lines::open(&api, "", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").await;
        let line = watch.next().await.expect("an event");
        assert_eq!(
            (&line["object"]["kind"], &line["object"]["metadata"]),
            (&json!("PartialObjectMetadata"), &created["metadata"])
        );
        let mut plural = Lines::open(&api, "", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").await;
        assert_eq!(plural.next().await, None);
    });
}

#[test]
fn a_watch_is_no_yaml() {
    run(|api| async move {
        let reply = api.accept(&format!("{CONFIG_MAPS}?watch=1"), "application/yaml").await;
        let message = "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";
        assert_eq!((reply.code, reply.text.contains(message)), (406, true), "{}", reply.text);
    });
}

#[test]
fn a_watch_of_one_object_by_its_own_path_is_a_plain_read() {
    run(|api| async move {
        api.config_map("a").await;
        let reply = api.get(&format!("{CONFIG_MAPS}/a?watch=1")).await;
        assert_eq!(reply.json()["kind"], "ConfigMap");
    });
}
