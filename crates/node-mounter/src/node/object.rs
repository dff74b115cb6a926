//! The Node object: what we put in it, and what of that is missing. Pure but for the time of a heartbeat.

use std::collections::{BTreeMap, BTreeSet};

use csi_types::{DriverName, NodeInfo};
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};

use super::Host;
use crate::agent::Agent;
use crate::paths::VolumeKey;

/// Without this key the attach/detach controller leaves the node alone, and nothing is ever attached.
const MANAGED: &str = "volumes.kubernetes.io/controller-managed-attach-detach";
const NODE_IDS: &str = "csi.volume.kubernetes.io/nodeid";
/// As many pods as a kubelet allows by default.
const PODS: &str = "110";

/// A Node that is not there yet.
pub(super) fn new(agent: &Agent, host: &Host) -> Node {
    let name = agent.config.node.as_str();
    let mut labels = BTreeMap::from([
        ("kubernetes.io/hostname".to_owned(), name.to_owned()),
        ("kubernetes.io/os".to_owned(), "linux".to_owned()),
        ("kubernetes.io/arch".to_owned(), arch().to_owned()),
    ]);
    labels.extend(agent.config.node_labels.iter().cloned());
    let metadata = json!({"name": name, "labels": labels, "annotations": {MANAGED: "true"}});
    // The status can be given at once, so that the node never looks as if it had no room, and what is mounted on it is not detached
    // because the Node was deleted and made again.
    let in_use = {
        let state = agent.state();
        state.in_use(&agent.caches.csi_drivers, &state.node.reported)
    };
    let in_use: Vec<&str> = in_use.iter().map(VolumeKey::as_str).collect();
    let status = json!({"capacity": capacity(host), "allocatable": capacity(host), "volumesInUse": in_use});
    let node = json!({"metadata": metadata, "spec": {}, "status": status});
    serde_json::from_value(node).unwrap_or_default()
}

/// A label that a driver's topology wants with another value than it has; the driver cannot be registered.
pub fn label_conflict(labels: &BTreeMap<String, String>, info: &NodeInfo) -> Option<String> {
    let segments = &info.accessible_topology.0;
    let (key, value) = segments.iter().find(|(key, value)| labels.get(*key).is_some_and(|have| have != *value))?;
    Some(format!(
        "the Node has the label {key}={}, and the driver says {key}={value}",
        labels.get(key).map_or("", String::as_str)
    ))
}

/// What is to be changed of labels and annotations; with the version it was read at, because the node ids are one text that
/// others may write too.
pub(super) fn metadata_patch(agent: &Agent, node: &Node) -> Option<Value> {
    let state = agent.state();
    let has_annotation = |key: &str| node.metadata.annotations.as_ref().and_then(|all| all.get(key));
    let has_label = |key: &str| node.metadata.labels.as_ref().and_then(|all| all.get(key));
    let mut annotations = BTreeMap::new();
    if has_annotation(MANAGED).is_none() {
        annotations.insert(MANAGED, Some("true".to_owned()));
    }
    let registered = state.drivers.iter().map(|(name, driver)| (name.as_str(), driver.info.node_id.as_str())).collect();
    if let Some(ids) = node_ids(has_annotation(NODE_IDS).map(String::as_str), &registered, &state.dropped) {
        annotations.insert(NODE_IDS, ids);
    }
    let topology = state.drivers.values().flat_map(|driver| &driver.info.accessible_topology.0);
    let configured = agent.config.node_labels.iter().filter(|_| agent.config.register_node).map(|(key, value)| (key, value));
    let labels: BTreeMap<&String, &String> = topology.chain(configured).filter(|(key, _)| has_label(key).is_none()).collect();
    if annotations.is_empty() && labels.is_empty() {
        return None;
    }
    let version = node.metadata.resource_version.as_deref();
    Some(json!({"metadata": {"resourceVersion": version, "annotations": annotations, "labels": labels}}))
}

/// The annotation's new text if it has to change; `Some(None)`: it has to go. Entries of others stay.
fn node_ids(text: Option<&str>, registered: &BTreeMap<&str, &str>, dropped: &BTreeSet<DriverName>) -> Option<Option<String>> {
    let have: BTreeMap<String, String> = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let mut want = have.clone();
    for driver in dropped {
        want.remove(driver.as_str());
    }
    want.extend(registered.iter().map(|(driver, id)| ((*driver).to_owned(), (*id).to_owned())));
    if want == have {
        return None;
    }
    Some((!want.is_empty()).then(|| serde_json::to_string(&want).unwrap_or_default()))
}

/// What is to be changed of the status; `None`: nothing, and it is not time for a heartbeat.
pub(super) fn status_patch(
    agent: &Agent,
    host: &Host,
    node: &Node,
    in_use: &BTreeSet<VolumeKey>,
    heartbeat: bool,
) -> Option<Value> {
    let have: Vec<&str> =
        node.status.iter().flat_map(|status| status.volumes_in_use.iter().flatten()).map(String::as_str).collect();
    let want: Vec<&str> = in_use.iter().map(VolumeKey::as_str).collect();
    let ready = !agent.config.register_node || is_ready(node);
    if have == want && ready && !(heartbeat && agent.config.register_node) {
        return None;
    }
    let mut status = json!({});
    if have != want {
        status["volumesInUse"] = json!(want);
    }
    if agent.config.register_node {
        status["conditions"] = conditions(agent, node);
        status["capacity"] = capacity(host);
        status["allocatable"] = capacity(host);
        status["addresses"] = host.addresses.iter().map(|(kind, address)| json!({"type": kind, "address": address})).collect();
        status["nodeInfo"] = node_info(host);
    }
    // Of one that reaches the API late, a process that has died since may be the sender: it must not take out of the list what
    // the next one has put there.
    Some(json!({"metadata": {"resourceVersion": node.metadata.resource_version}, "status": status}))
}

const CONDITIONS: [(&str, &str, &str, &str); 4] = [
    ("MemoryPressure", "False", "NotWatched", "node-mounter runs no pods and watches no memory"),
    ("DiskPressure", "False", "NotWatched", "node-mounter runs no pods and watches no disk"),
    ("PIDPressure", "False", "NotWatched", "node-mounter runs no pods and watches no process ids"),
    ("Ready", "True", "NodeMounterReady", "node-mounter is ready to mount volumes"),
];

fn is_ready(node: &Node) -> bool {
    let mut conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn conditions(agent: &Agent, node: &Node) -> Value {
    let now = format!("{:.0}", agent.ctx.timestamp());
    let had = |kind: &str| {
        let mut conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
        conditions.find(|condition| condition.type_ == kind)
    };
    let condition = |(kind, status, reason, message): (&str, &str, &str, &str)| {
        let since =
            had(kind).filter(|had| had.status == status).and_then(|had| serde_json::to_value(&had.last_transition_time).ok());
        let since = since.filter(|since| !since.is_null()).unwrap_or_else(|| json!(now));
        json!({
            "type": kind, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": now, "lastTransitionTime": since,
        })
    };
    CONDITIONS.map(condition).to_vec().into()
}

fn capacity(host: &Host) -> Value {
    json!({"cpu": host.cpus.to_string(), "memory": format!("{}Ki", host.memory_kib), "pods": PODS})
}

fn node_info(host: &Host) -> Value {
    json!({
        "architecture": arch(), "operatingSystem": "linux", "kernelVersion": host.kernel, "osImage": host.os_image,
        "machineID": host.machine_id, "systemUUID": host.machine_id, "bootID": host.boot_id,
        "containerRuntimeVersion": "none://", "kubeletVersion": concat!("v", env!("CARGO_PKG_VERSION"), "-node-mounter"),
        "kubeProxyVersion": "",
    })
}

/// Go's word for this machine's architecture.
fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(segments: &[(&str, &str)]) -> NodeInfo {
        let segments = segments.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        NodeInfo { node_id: "id-1".into(), max_volumes_per_node: 0, accessible_topology: csi_types::Segments(segments) }
    }

    #[test]
    fn node_ids_of_others_stay() {
        let registered = BTreeMap::from([("d", "id-1")]);
        let text = node_ids(Some(r#"{"other":"x"}"#), &registered, &BTreeSet::new()).expect("a change").expect("a text");
        assert_eq!(text, r#"{"d":"id-1","other":"x"}"#);
        assert_eq!(node_ids(Some(&text), &registered, &BTreeSet::new()), None, "nothing more to do");
    }

    #[test]
    fn the_annotation_goes_with_its_last_node_id() {
        let dropped = BTreeSet::from(["d".into()]);
        assert_eq!(node_ids(Some(r#"{"d":"id-1"}"#), &BTreeMap::new(), &dropped), Some(None));
        assert_eq!(node_ids(None, &BTreeMap::new(), &dropped), None);
    }

    #[test]
    fn a_label_with_another_value_is_a_conflict() {
        let labels = BTreeMap::from([("zone".to_owned(), "a".to_owned())]);
        assert!(label_conflict(&labels, &info(&[("zone", "b")])).is_some());
        assert!(label_conflict(&labels, &info(&[("zone", "a"), ("rack", "1")])).is_none());
    }
}
