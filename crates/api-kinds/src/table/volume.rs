//! Claims and volumes.

use apimachinery::object::{at, deleting, meta, name, text};
use jiff::Timestamp;
use serde_json::Value;

use super::{age, items, or};

pub(super) fn claim(claim: &Value, now: Timestamp) -> Vec<Value> {
    let volume = text(claim, &["spec", "volumeName"]);
    // What the status says counts for a claim that names its volume.
    let (capacity, modes) = match volume {
        "" => ("", String::new()),
        _ => (or(text(claim, &["status", "capacity", "storage"]), "0"), modes(claim, &["status", "accessModes"])),
    };
    vec![
        name(claim).into(),
        phase(claim).into(),
        volume.into(),
        capacity.into(),
        modes.into(),
        class(claim).into(),
        attributes(claim).into(),
        age::since(meta(claim, "creationTimestamp"), now).into(),
        volume_mode(claim).into(),
    ]
}

pub(super) fn volume(volume: &Value, now: Timestamp) -> Vec<Value> {
    let claim = at(volume, &["spec", "claimRef"]).filter(|claim| !claim.is_null());
    let claim = claim.map(|claim| format!("{}/{}", text(claim, &["namespace"]), text(claim, &["name"])));
    vec![
        name(volume).into(),
        or(text(volume, &["spec", "capacity", "storage"]), "0").into(),
        modes(volume, &["spec", "accessModes"]).into(),
        text(volume, &["spec", "persistentVolumeReclaimPolicy"]).into(),
        phase(volume).into(),
        claim.unwrap_or_default().into(),
        class(volume).into(),
        attributes(volume).into(),
        text(volume, &["status", "reason"]).into(),
        age::since(meta(volume, "creationTimestamp"), now).into(),
        volume_mode(volume).into(),
    ]
}

fn phase(object: &Value) -> &str {
    if deleting(object) { "Terminating" } else { text(object, &["status", "phase"]) }
}

/// Each mode once, by its short name, in upstream's order.
fn modes(object: &Value, path: &[&str]) -> String {
    const NAMES: [(&str, &str); 4] =
        [("ReadWriteOnce", "RWO"), ("ReadOnlyMany", "ROX"), ("ReadWriteMany", "RWX"), ("ReadWriteOncePod", "RWOP")];
    let has = |mode: &str| items(object, path).any(|found| found == mode);
    NAMES.iter().filter(|(mode, _)| has(mode)).map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

/// The annotation of old wins over the field.
fn class(object: &Value) -> &str {
    let old = at(object, &["metadata", "annotations", "volume.beta.kubernetes.io/storage-class"]).and_then(Value::as_str);
    old.unwrap_or_else(|| text(object, &["spec", "storageClassName"]))
}

fn attributes(object: &Value) -> &str {
    at(object, &["spec", "volumeAttributesClassName"]).and_then(Value::as_str).unwrap_or("<unset>")
}

fn volume_mode(object: &Value) -> &str {
    or(text(object, &["spec", "volumeMode"]), "<unset>")
}
