//! The Kubernetes API as plain JSON. Typed objects would hide a field that we send and they do not know.

use anyhow::{Context as _, Result, bail};
use http::{Method, Request};
use serde_json::{Value, json};

use crate::objects::name;

/// The kinds that promises speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Kubernetes' own")]
pub enum Kind {
    Namespace,
    Node,
    Pod,
    PersistentVolumeClaim,
    PersistentVolume,
    Secret,
    Event,
    Lease,
    StorageClass,
    VolumeAttachment,
    CSIDriver,
    CSINode,
}

/// A connection with one user's rights.
#[derive(Clone)]
pub struct Api {
    client: kube::Client,
}

impl Kind {
    fn of(object: &Value) -> Result<Self> {
        Ok(match object["kind"].as_str().unwrap_or_default() {
            "Namespace" => Self::Namespace,
            "Pod" => Self::Pod,
            "PersistentVolumeClaim" => Self::PersistentVolumeClaim,
            "PersistentVolume" => Self::PersistentVolume,
            "Secret" => Self::Secret,
            "StorageClass" => Self::StorageClass,
            "VolumeAttachment" => Self::VolumeAttachment,
            "CSIDriver" => Self::CSIDriver,
            "CSINode" => Self::CSINode,
            other => bail!("the harness does not create objects of kind {other:?}"),
        })
    }

    fn place(self) -> (&'static str, &'static str, bool) {
        match self {
            Self::Namespace => ("/api/v1", "namespaces", false),
            Self::Node => ("/api/v1", "nodes", false),
            Self::Pod => ("/api/v1", "pods", true),
            Self::PersistentVolumeClaim => ("/api/v1", "persistentvolumeclaims", true),
            Self::PersistentVolume => ("/api/v1", "persistentvolumes", false),
            Self::Secret => ("/api/v1", "secrets", true),
            Self::Event => ("/api/v1", "events", true),
            Self::Lease => ("/apis/coordination.k8s.io/v1", "leases", true),
            Self::StorageClass => ("/apis/storage.k8s.io/v1", "storageclasses", false),
            Self::VolumeAttachment => ("/apis/storage.k8s.io/v1", "volumeattachments", false),
            Self::CSIDriver => ("/apis/storage.k8s.io/v1", "csidrivers", false),
            Self::CSINode => ("/apis/storage.k8s.io/v1", "csinodes", false),
        }
    }

    fn path(self, namespace: &str, name: &str) -> String {
        let (group, plural, namespaced) = self.place();
        let scope = if namespaced && !namespace.is_empty() { format!("/namespaces/{namespace}") } else { String::new() };
        let name = if name.is_empty() { String::new() } else { format!("/{name}") };
        format!("{group}{scope}/{plural}{name}")
    }
}

impl Api {
    /// Speaks with this client's rights.
    pub fn new(client: kube::Client) -> Self {
        Self { client }
    }

    async fn call(&self, method: Method, path: &str, body: Option<(&str, &Value)>) -> Result<Value, kube::Error> {
        let mut request = Request::builder().method(method).uri(path);
        let mut bytes = Vec::new();
        if let Some((kind, value)) = body {
            request = request.header(http::header::CONTENT_TYPE, kind);
            bytes = value.to_string().into_bytes();
        }
        self.client.request(request.body(bytes).map_err(kube::Error::HttpError)?).await
    }

    /// Creates an object; its own `metadata.namespace` says where, or `namespace` if it is silent.
    pub async fn create(&self, namespace: &str, object: &Value) -> Result<Value> {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(namespace);
        let path = Kind::of(object)?.path(namespace, "");
        self.call(Method::POST, &path, Some(("application/json", object)))
            .await
            .with_context(|| format!("create {} {namespace}/{}", object["kind"], name(object)))
    }

    /// The object, which must be there.
    pub async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Value> {
        self.call(Method::GET, &kind.path(namespace, name), None)
            .await
            .with_context(|| format!("get {kind:?} {namespace}/{name}"))
    }

    /// The object, or `None` if the API says that there is none.
    pub async fn find(&self, kind: Kind, namespace: &str, name: &str) -> Result<Option<Value>> {
        match self.call(Method::GET, &kind.path(namespace, name), None).await {
            Ok(object) => Ok(Some(object)),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(error).with_context(|| format!("get {kind:?} {namespace}/{name}")),
        }
    }

    /// All of a kind, in one namespace or (if empty) everywhere.
    pub async fn list(&self, kind: Kind, namespace: &str) -> Result<Vec<Value>> {
        let mut list = self
            .call(Method::GET, &kind.path(namespace, ""), None)
            .await
            .with_context(|| format!("list {kind:?} {namespace}"))?;
        Ok(std::mem::take(list["items"].as_array_mut().context("a list without items")?))
    }

    /// A JSON merge patch.
    pub async fn patch(&self, kind: Kind, namespace: &str, name: &str, patch: &Value) -> Result<Value> {
        self.call(Method::PATCH, &kind.path(namespace, name), Some(("application/merge-patch+json", patch)))
            .await
            .with_context(|| format!("patch {kind:?} {namespace}/{name}"))
    }

    /// Asks for deletion. An object that is not there is as good as deleted.
    pub async fn delete(&self, kind: Kind, namespace: &str, name: &str, grace_secs: Option<u32>) -> Result<()> {
        let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
        if let Some(secs) = grace_secs {
            options["gracePeriodSeconds"] = json!(secs);
        }
        match self.call(Method::DELETE, &kind.path(namespace, name), Some(("application/json", &options))).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(error) => Err(error).with_context(|| format!("delete {kind:?} {namespace}/{name}")),
        }
    }
}
