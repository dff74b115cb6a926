//! Objects as a user would write them, and reading what came of them.

use serde_json::{Value, json};

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// `metadata.uid`.
pub fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

/// A class of this driver's, deleting, binding at once.
pub fn class(name: &str, driver: &str, parameters: Value) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
        "provisioner": driver, "parameters": parameters, "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate",
    })
}

/// A claim of one node's read-write access.
pub fn claim(name: &str, class: &str, size: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
        "spec": {
            "storageClassName": class, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
            "resources": {"requests": {"storage": size}},
        },
    })
}

/// A PV that somebody made by hand for a volume that is there, reserved for one claim.
pub fn volume(name: &str, driver: &str, handle: &str, claim: (&str, &str)) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "64Mi"}, "accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem",
            "persistentVolumeReclaimPolicy": "Retain", "storageClassName": "",
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": claim.0, "name": claim.1},
            "csi": {"driver": driver, "volumeHandle": handle},
        },
    })
}

/// A secret with one key.
pub fn secret(name: &str, key: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {key: value}})
}

/// What Kubernetes is to know of a driver.
pub fn csi_driver(name: &str, attach_required: bool) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name},
        "spec": {"attachRequired": attach_required, "volumeLifecycleModes": ["Persistent"]},
    })
}
