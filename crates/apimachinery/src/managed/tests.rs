mod laws;
mod measured;
mod speed;
mod tracking;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Manager, track};
use crate::Schema;

fn manager(name: &str) -> Manager<'_> {
    Manager { name, subresource: "", api_version: "v1", time: time(0) }
}

fn time(secs: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + secs).expect("a time")
}

/// What the first manager owns after it created this.
fn created(schema: &Schema, object: Value, reset: &[&[&str]]) -> Value {
    let mut new = object;
    track(None, &mut new, schema, manager("m"), reset);
    new["metadata"]["managedFields"][0]["fieldsV1"].take()
}

/// Who owns what, without the rest.
fn owners(object: &Value) -> Vec<(String, Value)> {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| (entry["manager"].as_str().unwrap_or_default().to_owned(), entry["fieldsV1"].clone())).collect()
}

fn claim() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "p1", "namespace": "ns", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
            "selector": {"matchLabels": {"a": "b"}},
            "volumeMode": "Filesystem",
        },
        "status": {"phase": "Pending"},
    })
}
