//! A kind of one behaviour's own, made by a CustomResourceDefinition.

use serde_json::{Value, json};

use crate::{World, eventually};

pub(crate) const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// The kind's names, and its definition before it is sent.
pub(crate) struct CustomKind {
    pub(crate) kind: String,
    pub(crate) group: String,
    pub(crate) plural: String,
    pub(crate) definition: Value,
}

impl CustomKind {
    /// Of a group of the behaviour's own, namespaced, v1, with a `spec` and a `status` that may have anything, and no subresource.
    pub(crate) fn new(world: &World, kind: &str) -> Self {
        let group = format!("{}.example", world.name(""));
        let plural = format!("{}s", kind.to_lowercase());
        let any = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let schema = json!({"type": "object", "properties": {"spec": any, "status": any}});
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {
                "group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
            },
        });
        Self { kind: kind.to_owned(), group, plural, definition }
    }

    /// With this schema of `spec`.
    pub(crate) fn spec(mut self, schema: Value) -> Self {
        self.version()["schema"]["openAPIV3Schema"]["properties"]["spec"] = schema;
        self
    }

    pub(crate) fn with_status(mut self) -> Self {
        self.version()["subresources"] = json!({"status": {}});
        self
    }

    pub(crate) fn cluster_scoped(mut self) -> Self {
        self.definition["spec"]["scope"] = "Cluster".into();
        self
    }

    /// The one version there is.
    pub(crate) fn version(&mut self) -> &mut Value {
        &mut self.definition["spec"]["versions"][0]
    }

    /// `things.group`, as in messages.
    pub(crate) fn resource(&self) -> String {
        format!("{}.{}", self.plural, self.group)
    }

    pub(crate) fn api_version(&self) -> String {
        format!("{}/v1", self.group)
    }

    /// Where its definition is.
    pub(crate) fn path(&self) -> String {
        format!("{DEFINITIONS}/{}", self.resource())
    }

    /// Defines it, and waits until it is served.
    pub(crate) async fn make(self, world: &World) -> Self {
        world.post(DEFINITIONS, &self.definition).await.made();
        self.served(world).await;
        self
    }

    pub(crate) async fn served(&self, world: &World) {
        let everywhere = format!("/apis/{}/v1/{}", self.group, self.plural);
        eventually("the new kind", async || (world.get(&everywhere).await.code == 200).then_some(())).await;
    }

    /// The collection in the behaviour's namespace, or the only one of a cluster-scoped kind.
    pub(crate) async fn collection(&self, world: &World) -> String {
        match self.definition["spec"]["scope"].as_str() {
            Some("Cluster") => format!("/apis/{}/v1/{}", self.group, self.plural),
            _ => world.group(&self.api_version(), &self.plural).await,
        }
    }

    /// An object of the kind.
    pub(crate) fn object(&self, name: &str, spec: Value) -> Value {
        json!({"apiVersion": self.api_version(), "kind": self.kind, "metadata": {"name": name}, "spec": spec})
    }
}
