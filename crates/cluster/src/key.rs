//! Names of objects, and the metadata that every cached object keeps.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// `namespace/name`, or `name` for objects without a namespace. Shared text: a clone costs a counter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Arc<str>);

impl Key {
    /// The key of an object without a namespace.
    pub fn cluster(name: &str) -> Self {
        Self(name.into())
    }

    /// The key of an object in a namespace.
    pub fn namespaced(namespace: &str, name: &str) -> Self {
        Self(format!("{namespace}/{name}").into())
    }

    /// The namespace; `None` for objects without one.
    pub fn namespace(&self) -> Option<&str> {
        self.0.split_once('/').map(|(namespace, _)| namespace)
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or(&*self.0, |(_, name)| name)
    }

    /// `namespace/name` or `name`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// What every cached object keeps of its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Namespace and name.
    pub key: Key,
    /// Tells an object from its namesake that was there before.
    pub uid: Box<str>,
    /// `metadata.resourceVersion`. Kubernetes 1.35 and later promise that versions of one kind compare as numbers; zero when
    /// a server hands out something else.
    pub version: u64,
    /// Whether `deletionTimestamp` is set.
    pub deleting: bool,
    /// All finalizers, in order.
    pub finalizers: Box<[Box<str>]>,
}

impl Meta {
    /// Reads an object's metadata. `None` without a name, which the API server never sends.
    pub fn of(meta: &ObjectMeta) -> Option<Self> {
        let name = meta.name.as_deref()?;
        let key = match meta.namespace.as_deref() {
            Some(namespace) => Key::namespaced(namespace, name),
            None => Key::cluster(name),
        };
        Some(Self {
            key,
            uid: meta.uid.as_deref().unwrap_or_default().into(),
            version: meta.resource_version.as_deref().and_then(|version| version.parse().ok()).unwrap_or(0),
            deleting: meta.deletion_timestamp.is_some(),
            finalizers: meta.finalizers.iter().flatten().map(|text| text.as_str().into()).collect(),
        })
    }

    /// Whether the object carries this finalizer.
    pub fn has_finalizer(&self, finalizer: &str) -> bool {
        self.finalizers.iter().any(|have| &**have == finalizer)
    }
}
