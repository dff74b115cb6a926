//! One resource of one group version: what discovery says of it, and how its objects are handled.

use std::sync::Arc;

use apimachinery::{GroupKind, GroupResource, Schema};

use crate::View;
use crate::custom::Custom;

/// Whether objects live in namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Scope {
    Cluster,
    Namespaced,
}

/// What a request writes or reads of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the API's")]
pub enum Subresource {
    /// The object itself, without its status where that is a subresource.
    Main,
    Status,
    /// Namespaces: takes finalizers out of `spec`.
    Finalize,
    /// Pods: puts the pod on a node.
    Binding,
    /// ServiceAccounts: asks for a token.
    Token,
}

impl Subresource {
    /// The word in a path, and in managedFields; empty for the object itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Status => "status",
            Self::Finalize => "finalize",
            Self::Binding => "binding",
            Self::Token => "token",
        }
    }
}

/// A resource that is served.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Empty for the core group.
    pub group: String,
    /// `v1`, …
    pub version: String,
    /// `PersistentVolumeClaim`.
    pub kind: String,
    /// `PersistentVolumeClaimList`.
    pub list_kind: String,
    /// `persistentvolumeclaims`.
    pub plural: String,
    /// `persistentvolumeclaim`.
    pub singular: String,
    /// `pvc`.
    pub short_names: Vec<String>,
    /// `all`, …
    pub categories: Vec<String>,
    /// Whether objects live in namespaces.
    pub scope: Scope,
    /// All but [`Subresource::Main`].
    pub subresources: Vec<Subresource>,
    /// What objects look like. Includes `apiVersion`, `kind` and `metadata`.
    pub schema: Arc<Schema>,
    /// A PUT must carry the resourceVersion.
    pub needs_version: bool,
    /// A PUT of an absent object creates it.
    pub creates_on_update: bool,
    /// A completed DELETE answers with the object, not with a Status.
    pub delete_returns_object: bool,
    /// A strategic merge patch is understood. Not so for custom resources.
    pub strategic: bool,
    /// What the CustomResourceDefinition says. `None`: built in.
    pub custom: Option<Arc<Custom>>,
}

impl Resource {
    /// `apiVersion` of its objects.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Group and plural, for messages.
    pub fn group_resource(&self) -> GroupResource {
        GroupResource { group: self.group.clone(), resource: self.plural.clone() }
    }

    /// Group and kind, for messages. Of objects that are another group's, that group.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind { group: self.storage_group().to_owned(), kind: self.kind.clone() }
    }

    /// What objects are stored under: the same for every version, and for every group that shows them. `persistentvolumes`,
    /// `storageclasses.storage.k8s.io`.
    pub fn storage_key(&self) -> String {
        GroupResource { group: self.storage_group().to_owned(), resource: self.plural.clone() }.to_string()
    }

    /// The group that the objects are stored as.
    pub fn storage_group(&self) -> &str {
        self.view().map_or(&self.group, |view| view.group)
    }

    /// How the objects differ from what is stored; `None`: not at all.
    pub fn view(&self) -> Option<&'static View> {
        if self.custom.is_some() { None } else { crate::kinds::event::view(&self.group, &self.plural) }
    }

    /// Whether objects live in namespaces.
    pub fn namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    /// Whether this subresource is served.
    pub fn has(&self, subresource: Subresource) -> bool {
        subresource == Subresource::Main || self.subresources.contains(&subresource)
    }
}
