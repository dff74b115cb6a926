//! How long ownership takes: `cargo test -p apimachinery --release -- --ignored --nocapture ownership`.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures, and says what it measured")]

use std::hint::black_box;
use std::time::Instant;

use serde_json::{Value, json};

use super::{claim, manager};
use crate::managed::{Manager, samples, track};

fn measure(what: &str, mut once: impl FnMut() -> Value, clone: impl Fn() -> Value) {
    const ROUNDS: u32 = 20_000;
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..ROUNDS).for_each(|_| run());
        start.elapsed() / ROUNDS
    };
    let copying = time(&mut || drop(black_box(clone())));
    let all = time(&mut || drop(black_box(once())));
    println!("{what}: {:?} (of {all:?} with the copy)", all.saturating_sub(copying));
}

#[test]
#[ignore = "a measurement"]
fn ownership_takes_microseconds() {
    let schema = samples::claim();
    let mut object = claim();
    let annotations: serde_json::Map<String, Value> =
        (0..8).map(|n| (format!("volume.example.com/annotation-{n}"), "x".repeat(60).into())).collect();
    object["metadata"]["annotations"] = Value::Object(annotations);
    object["metadata"]["labels"] = json!({"app": "a", "tier": "b", "team": "c"});
    object["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);

    let status = Manager { subresource: "status", ..manager("binder") };
    let create = || {
        let mut new = object.clone();
        track(None, &mut new, &schema, manager("kubectl"), &[&["status"]]);
        new
    };
    measure("create", create, || object.clone());

    let stored = create();
    let mut bound = stored.clone();
    bound["status"] = json!({"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]});
    let patch = || {
        let mut new = bound.clone();
        track(Some(&stored), &mut new, &schema, status, &[&["metadata"], &["spec"]]);
        new
    };
    measure("status patch", patch, || bound.clone());

    let stored = patch();
    let mut renamed = stored.clone();
    renamed["spec"]["volumeName"] = "pvc-1".into();
    renamed["metadata"]["annotations"]["volume.example.com/annotation-1"] = "y".into();
    let update = || {
        let mut new = renamed.clone();
        track(Some(&stored), &mut new, &schema, manager("binder"), &[&["status"]]);
        new
    };
    measure("update that takes a field from another", update, || renamed.clone());
    let same = || {
        let mut new = stored.clone();
        track(Some(&stored), &mut new, &schema, manager("binder"), &[&["status"]]);
        new
    };
    measure("update that changes nothing", same, || stored.clone());
}
