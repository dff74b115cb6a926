//! JSON patches that fail rather than undo what somebody else did. Spec: RFC 6902.

use serde_json::{Value, json};

use crate::key::Meta;

/// Adds a finalizer. `None` if it is there already.
///
/// Upstream: external-attacher 4.12 learned that replacing the whole list from a stale cache resurrects finalizers that others
/// removed; so the list is only appended to, or made where none is. It must be the list that was seen, or what another replica
/// has added already would be added twice.
pub fn add_finalizer(meta: &Meta, finalizer: &str) -> Option<Value> {
    if meta.has_finalizer(finalizer) {
        return None;
    }
    Some(if meta.finalizers.is_empty() {
        json!([
            {"op": "test", "path": "/metadata/uid", "value": meta.uid},
            {"op": "test", "path": "/metadata/finalizers", "value": null},
            {"op": "add", "path": "/metadata/finalizers", "value": [finalizer]},
        ])
    } else {
        json!([
            {"op": "test", "path": "/metadata/uid", "value": meta.uid},
            {"op": "test", "path": "/metadata/finalizers", "value": meta.finalizers},
            {"op": "add", "path": "/metadata/finalizers/-", "value": finalizer},
        ])
    })
}

/// Removes a finalizer, if it still stands where it was seen. `None` if it is not there.
pub fn remove_finalizer(meta: &Meta, finalizer: &str) -> Option<Value> {
    let at = meta.finalizers.iter().position(|have| &**have == finalizer)?;
    let path = format!("/metadata/finalizers/{at}");
    Some(json!([
        {"op": "test", "path": "/metadata/uid", "value": meta.uid},
        {"op": "test", "path": path, "value": finalizer},
        {"op": "remove", "path": path},
    ]))
}

/// Turns a JSON value into the patch that kube sends.
///
/// # Errors
/// When the value is no list of operations, which is a fault of the caller.
pub fn json_patch<T: std::fmt::Debug + serde::Serialize>(operations: Value) -> Result<kube::api::Patch<T>, kube::Error> {
    let patch = serde_json::from_value(operations).map_err(kube::Error::SerdeError)?;
    Ok(kube::api::Patch::Json(patch))
}
