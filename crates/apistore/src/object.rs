//! An object as it is stored and served: its JSON, ready to be sent.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

/// A stored object. A clone costs a counter.
///
/// `json` is compact, without `kind` and `apiVersion`: those depend on the version that is asked for, and items of a list of a
/// built-in kind go without. It does carry `metadata.resourceVersion`.
#[derive(Debug, Clone)]
pub struct Object(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    namespace: Box<str>,
    name: Box<str>,
    version: u64,
    json: Bytes,
}

impl Object {
    /// An object whose JSON is this.
    pub(crate) fn new(namespace: &str, name: &str, version: u64, json: Bytes) -> Self {
        Self(Arc::new(Inner { namespace: namespace.into(), name: name.into(), version, json }))
    }

    /// Empty for cluster-scoped kinds.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// `metadata.resourceVersion`.
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// Compact JSON, without `kind` and `apiVersion`.
    pub fn json(&self) -> &Bytes {
        &self.0.json
    }

    /// The object, decoded.
    pub fn value(&self) -> Value {
        // What is stored was encoded here, so it decodes; a file that was tampered with is refused when it is opened.
        serde_json::from_slice(&self.0.json).unwrap_or(Value::Null)
    }
}
