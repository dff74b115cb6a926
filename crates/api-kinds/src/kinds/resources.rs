//! Which built-in resources there are, and what discovery says of them.

use crate::{Resource, Scope, Subresource};

/// What is said of one of them; the rest follows from the kind's name.
struct Facts {
    group: &'static str,
    kind: &'static str,
    plural: &'static str,
    short_names: &'static [&'static str],
    categories: &'static [&'static str],
    scope: Scope,
    subresources: &'static [Subresource],
    needs_version: bool,
    creates_on_update: bool,
    delete_returns_object: bool,
}

const CORE: &str = "";
const STORAGE: &str = "storage.k8s.io";
const EVENTS: &str = "events.k8s.io";

/// A namespaced resource of the core group; what is different is said where it is listed.
const USUAL: Facts = Facts {
    group: CORE,
    kind: "",
    plural: "",
    short_names: &[],
    categories: &[],
    scope: Scope::Namespaced,
    subresources: &[],
    needs_version: false,
    creates_on_update: false,
    delete_returns_object: true,
};

/// A cluster-scoped resource of the storage group.
const STORAGE_USUAL: Facts = Facts { group: STORAGE, scope: Scope::Cluster, ..USUAL };

const FACTS: [Facts; 18] = [
    Facts { kind: "ConfigMap", plural: "configmaps", short_names: &["cm"], delete_returns_object: false, ..USUAL },
    Facts {
        kind: "Event",
        plural: "events",
        short_names: &["ev"],
        creates_on_update: true,
        delete_returns_object: false,
        ..USUAL
    },
    Facts {
        kind: "Namespace",
        plural: "namespaces",
        short_names: &["ns"],
        scope: Scope::Cluster,
        subresources: &[Subresource::Status, Subresource::Finalize],
        ..USUAL
    },
    Facts {
        kind: "Node",
        plural: "nodes",
        short_names: &["no"],
        scope: Scope::Cluster,
        subresources: &[Subresource::Status],
        delete_returns_object: false,
        ..USUAL
    },
    Facts {
        kind: "PersistentVolume",
        plural: "persistentvolumes",
        short_names: &["pv"],
        scope: Scope::Cluster,
        subresources: &[Subresource::Status],
        ..USUAL
    },
    Facts {
        kind: "PersistentVolumeClaim",
        plural: "persistentvolumeclaims",
        short_names: &["pvc"],
        subresources: &[Subresource::Status],
        ..USUAL
    },
    Facts {
        kind: "Pod",
        plural: "pods",
        short_names: &["po"],
        categories: &["all"],
        subresources: &[Subresource::Status, Subresource::Binding],
        ..USUAL
    },
    Facts { kind: "Secret", plural: "secrets", delete_returns_object: false, ..USUAL },
    Facts {
        kind: "ServiceAccount",
        plural: "serviceaccounts",
        short_names: &["sa"],
        subresources: &[Subresource::Token],
        ..USUAL
    },
    Facts {
        group: "apiextensions.k8s.io",
        kind: "CustomResourceDefinition",
        plural: "customresourcedefinitions",
        short_names: &["crd", "crds"],
        categories: &["api-extensions"],
        scope: Scope::Cluster,
        subresources: &[Subresource::Status],
        needs_version: true,
        ..USUAL
    },
    Facts {
        group: "coordination.k8s.io",
        kind: "Lease",
        plural: "leases",
        needs_version: true,
        creates_on_update: true,
        delete_returns_object: false,
        ..USUAL
    },
    Facts {
        group: EVENTS,
        kind: "Event",
        plural: "events",
        short_names: &["ev"],
        creates_on_update: true,
        delete_returns_object: false,
        ..USUAL
    },
    Facts { kind: "CSIDriver", plural: "csidrivers", needs_version: true, ..STORAGE_USUAL },
    Facts { kind: "CSINode", plural: "csinodes", needs_version: true, ..STORAGE_USUAL },
    Facts {
        kind: "CSIStorageCapacity",
        plural: "csistoragecapacities",
        scope: Scope::Namespaced,
        needs_version: true,
        delete_returns_object: false,
        ..STORAGE_USUAL
    },
    Facts { kind: "StorageClass", plural: "storageclasses", short_names: &["sc"], ..STORAGE_USUAL },
    Facts {
        kind: "VolumeAttachment",
        plural: "volumeattachments",
        subresources: &[Subresource::Status],
        needs_version: true,
        ..STORAGE_USUAL
    },
    Facts { kind: "VolumeAttributesClass", plural: "volumeattributesclasses", short_names: &["vac"], ..STORAGE_USUAL },
];

/// Every built-in resource.
pub(crate) fn resources() -> Vec<Resource> {
    FACTS.iter().map(Facts::resource).collect()
}

impl Facts {
    fn resource(&self) -> Resource {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        // Two groups have a kind of this name.
        let schema = if self.group == EVENTS { "events.Event" } else { self.kind };
        Resource {
            group: self.group.to_owned(),
            version: "v1".to_owned(),
            kind: self.kind.to_owned(),
            list_kind: format!("{}List", self.kind),
            plural: self.plural.to_owned(),
            singular: self.kind.to_lowercase(),
            short_names: owned(self.short_names),
            categories: owned(self.categories),
            scope: self.scope,
            subresources: self.subresources.to_vec(),
            schema: crate::schema(schema).unwrap_or_else(|| unreachable!("{} has no schema", self.kind)),
            needs_version: self.needs_version,
            creates_on_update: self.creates_on_update,
            delete_returns_object: self.delete_returns_object,
            strategic: true,
            custom: None,
        }
    }
}
