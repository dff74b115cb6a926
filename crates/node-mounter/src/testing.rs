//! Objects for tests, by the parts that matter.

use cluster::Kind;
use cluster::kinds::{CsiDriver, Pod, Volume};
use serde_json::{Value, json};

/// A Pod named `pod-1` with uid `uid-1` in namespace `ns`, bound to `node-1`, changed by `parts`.
pub(crate) fn pod(parts: Value) -> Pod {
    let base = json!({
        "metadata": {"name": "pod-1", "namespace": "ns", "uid": "uid-1", "resourceVersion": "1"},
        "spec": {"nodeName": "node-1", "serviceAccountName": "default"},
    });
    read::<Pod>(base, parts)
}

/// A bound PersistentVolume `pv-1` of driver `d.example.com`, handle `vol-1`, claimed by `ns/claim-1` with uid `claim-uid`.
pub(crate) fn volume(parts: Value) -> Volume {
    let base = json!({
        "metadata": {"name": "pv-1", "uid": "pv-uid", "resourceVersion": "1"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "volumeMode": "Filesystem",
            "claimRef": {"namespace": "ns", "name": "claim-1", "uid": "claim-uid"},
            "csi": {"driver": "d.example.com", "volumeHandle": "vol-1"},
        },
        "status": {"phase": "Bound"},
    });
    read::<Volume>(base, parts)
}

/// The CSIDriver `d.example.com`.
pub(crate) fn csi_driver(spec: Value) -> CsiDriver {
    read::<CsiDriver>(json!({"metadata": {"name": "d.example.com", "resourceVersion": "1"}}), json!({ "spec": spec }))
}

fn read<K: Kind>(mut base: Value, parts: Value) -> K {
    merge(&mut base, parts);
    K::compact(serde_json::from_value(base).expect("an object of its kind")).expect("an object that is kept")
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
