//! Nodes: whether they are ready, what they are for, and what runs on them.

use std::collections::BTreeSet;

use apimachinery::object::{at, meta, name, text};
use jiff::Timestamp;
use serde_json::Value;

use super::{age, items, or};

pub(super) fn row(node: &Value, now: Timestamp) -> Vec<Value> {
    let info = |field: &str| text(node, &["status", "nodeInfo", field]);
    vec![
        name(node).into(),
        state(node).into(),
        or(&roles(node), "<none>").into(),
        age::since(meta(node, "creationTimestamp"), now).into(),
        info("kubeletVersion").into(),
        address(node, "InternalIP").into(),
        address(node, "ExternalIP").into(),
        or(info("osImage"), "<unknown>").into(),
        kernel(info("kernelVersion"), info("architecture")).into(),
        or(info("containerRuntimeVersion"), "<unknown>").into(),
    ]
}

fn state(node: &Value) -> String {
    // Of several conditions of one type the last counts.
    let ready = items(node, &["status", "conditions"]).filter(|condition| text(condition, &["type"]) == "Ready").last();
    let word = match ready.map(|condition| text(condition, &["status"])) {
        None => "Unknown",
        Some("True") => "Ready",
        Some(_) => "NotReady",
    };
    let cordoned = at(node, &["spec", "unschedulable"]) == Some(&Value::Bool(true));
    format!("{word}{}", if cordoned { ",SchedulingDisabled" } else { "" })
}

/// What its labels say that it is for, in order.
fn roles(node: &Value) -> String {
    let labels = at(node, &["metadata", "labels"]).and_then(Value::as_object).into_iter().flatten();
    let roles: BTreeSet<&str> = labels
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None if key == "kubernetes.io/role" => value.as_str(),
            None => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn address<'a>(node: &'a Value, type_: &str) -> &'a str {
    let found = items(node, &["status", "addresses"]).find(|address| text(address, &["type"]) == type_);
    found.map_or("<none>", |address| text(address, &["address"]))
}

fn kernel(version: &str, architecture: &str) -> String {
    let version = or(version, "<unknown>");
    if architecture.is_empty() { version.to_owned() } else { format!("{version} ({architecture})") }
}
