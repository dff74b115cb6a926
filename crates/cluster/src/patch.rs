//! Patches that fail rather than undo what somebody else did, and what becomes of their answers. Spec: RFC 6902, RFC 7386.

use kube::api::{Patch, PatchParams};
use kube::core::Request;
use kube::{Client, Resource};
use rt::rules::{Rule, on};
use serde_json::{Value, json};

use crate::key::Meta;
use crate::store::{Kind, Store};

/// A change to one object, as it was seen: it never reaches a namesake that came after it.
#[derive(Debug)]
pub struct Change {
    body: Body,
    status: bool,
    if_unchanged: bool,
}

#[derive(Debug)]
enum Body {
    Operations(Value),
    Merge(Value),
    Strategic(Value),
}

impl Change {
    /// A list of operations, as [`add_finalizer`] makes them.
    pub fn operations(operations: Value) -> Self {
        Self::new(Body::Operations(operations))
    }

    /// A merge patch; a null removes what it names.
    pub fn merge(fields: Value) -> Self {
        Self::new(Body::Merge(fields))
    }

    /// A strategic merge patch, for lists that are merged by a key.
    pub fn strategic(fields: Value) -> Self {
        Self::new(Body::Strategic(fields))
    }

    fn new(body: Body) -> Self {
        Self { body, status: false, if_unchanged: false }
    }

    /// It is the status that is written.
    pub fn status(self) -> Self {
        Self { status: true, ..self }
    }

    /// Only if nothing at all happened to the object since it was seen.
    pub fn if_unchanged(self) -> Self {
        Self { if_unchanged: true, ..self }
    }

    /// With its preconditions in it.
    fn patch(self, seen: &Meta) -> Result<Patch<Value>, kube::Error> {
        let version = (self.if_unchanged && seen.version != 0).then(|| seen.version.to_string());
        if !on(Rule::WritesAreGuarded) {
            return match self.body {
                Body::Merge(fields) => Ok(Patch::Merge(fields)),
                Body::Strategic(fields) => Ok(Patch::Strategic(fields)),
                Body::Operations(operations) => json_patch(operations),
            };
        }
        let guarded = |mut fields: Value| {
            fields["metadata"]["uid"] = json!(seen.uid);
            if let Some(version) = &version {
                fields["metadata"]["resourceVersion"] = json!(version);
            }
            fields
        };
        Ok(match self.body {
            Body::Merge(fields) => Patch::Merge(guarded(fields)),
            Body::Strategic(fields) => Patch::Strategic(guarded(fields)),
            Body::Operations(operations) => {
                let mut all = vec![json!({"op": "test", "path": "/metadata/uid", "value": seen.uid})];
                all.extend(version.map(|at| json!({"op": "test", "path": "/metadata/resourceVersion", "value": at})));
                all.extend(operations.as_array().cloned().unwrap_or_default());
                json_patch(Value::Array(all))?
            }
        })
    }
}

/// Makes a change, and takes the API server's answer into the store, for the next look.
///
/// # Errors
/// What the API server said. A precondition that did not hold is 409, in a list of operations 422; nothing was changed.
pub async fn write<K: Kind>(client: &Client, store: &Store<K>, seen: &Meta, change: Change) -> Result<(), kube::Error> {
    let request = Request::new(K::Wire::url_path(&(), seen.key.namespace()));
    let (name, parameters, status) = (seen.key.name(), PatchParams::default(), change.status);
    let patch = change.patch(seen)?;
    let request = match status {
        true => request.patch_subresource("status", name, &parameters, &patch),
        false => request.patch(name, &parameters, &patch),
    };
    let wire = client.request::<K::Wire>(request.map_err(kube::Error::BuildRequest)?).await?;
    if let Some(answer) = K::compact(wire) {
        store.put_answer(answer);
    }
    Ok(())
}

/// The operations that add a finalizer. `None` if it is there already.
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
            {"op": "test", "path": "/metadata/finalizers", "value": null},
            {"op": "add", "path": "/metadata/finalizers", "value": [finalizer]},
        ])
    } else {
        json!([
            {"op": "test", "path": "/metadata/finalizers", "value": meta.finalizers},
            {"op": "add", "path": "/metadata/finalizers/-", "value": finalizer},
        ])
    })
}

/// The operations that remove a finalizer, if it still stands where it was seen. `None` if it is not there.
pub fn remove_finalizer(meta: &Meta, finalizer: &str) -> Option<Value> {
    let at = meta.finalizers.iter().position(|have| &**have == finalizer)?;
    let path = format!("/metadata/finalizers/{at}");
    Some(json!([
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
