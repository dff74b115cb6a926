//! Bodies that many behaviours send.

use serde_json::{Value, json};

pub(crate) const STORAGE: &str = "/apis/storage.k8s.io/v1";
pub(crate) const LEASES: &str = "coordination.k8s.io/v1";

pub(crate) fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
}

pub(crate) fn secret(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"a": "1"}})
}

/// Of a class that nobody provides.
pub(crate) fn claim(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "conf-none", "resources": {"requests": {"storage": "1Gi"}}},
    })
}

/// A CSI volume, of a class named as itself, so that no claim takes it.
pub(crate) fn volume(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "storageClassName": name,
            "csi": {"driver": "conf.example", "volumeHandle": name},
        },
    })
}

pub(crate) fn storage_class(name: &str) -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, "provisioner": "conf.example"})
}

/// One container, and a scheduler that does not exist: nobody runs it.
pub(crate) fn pod(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"schedulerName": "nobody", "containers": [{"name": "c", "image": "conf.example/none:1"}]},
    })
}

/// On a node that does not exist.
pub(crate) fn pod_on_node(name: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["nodeName"] = "conf-nowhere".into();
    pod
}

pub(crate) fn lease(name: &str) -> Value {
    json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": {"holderIdentity": "a"}})
}

pub(crate) fn attachment(name: &str) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment", "metadata": {"name": name},
        "spec": {"attacher": "conf.example", "nodeName": "conf-nowhere", "source": {"persistentVolumeName": "conf-none"}},
    })
}

pub(crate) fn attributes_class(name: &str) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttributesClass", "metadata": {"name": name},
        "driverName": "conf.example", "parameters": {"a": "1"},
    })
}

pub(crate) fn csi_driver(name: &str) -> Value {
    json!({"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name}, "spec": {}})
}

pub(crate) fn csi_node(name: &str) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": name},
        "spec": {"drivers": [{"name": "d.example", "nodeID": "n", "topologyKeys": null}]},
    })
}

pub(crate) fn node(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
}

/// Of core/v1, in the namespace that it speaks of.
pub(crate) fn event(name: &str, namespace: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name},
        "involvedObject": {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": "p1", "uid": "u1"},
        "reason": "Provisioning", "message": "m", "type": "Normal",
    })
}

/// The resourceVersion of an object or a list.
#[track_caller]
pub(crate) fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_else(|| panic!("no resourceVersion in {object}"))
}

/// The names of a list's items.
#[track_caller]
pub(crate) fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no items in {list}"));
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name")).collect()
}
