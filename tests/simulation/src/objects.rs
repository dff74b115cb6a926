//! The API's objects as the laws see them: read from the store itself, past every process and every fault.

use std::collections::BTreeMap;

use apistore::{ListRequest, Selection, Store, VersionMatch};
use futures::FutureExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Meta {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) finalizers: Vec<String>,
    pub(crate) deletion_timestamp: Option<String>,
    pub(crate) owner_references: Vec<Owner>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Owner {
    pub(crate) uid: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Of<S, T = Nothing> {
    pub(crate) metadata: Meta,
    pub(crate) spec: S,
    pub(crate) status: T,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Nothing {}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct VolumeSpec {
    pub(crate) csi: Csi,
    pub(crate) claim_ref: ClaimRef,
    pub(crate) capacity: BTreeMap<String, String>,
    pub(crate) access_modes: Vec<String>,
    pub(crate) persistent_volume_reclaim_policy: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Csi {
    pub(crate) driver: String,
    pub(crate) volume_handle: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClaimRef {
    pub(crate) name: String,
    pub(crate) uid: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Phase {
    pub(crate) phase: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ClaimSpec {
    pub(crate) volume_name: String,
    pub(crate) storage_class_name: String,
    pub(crate) access_modes: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodSpec {
    pub(crate) node_name: String,
    pub(crate) volumes: Vec<PodVolume>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodVolume {
    pub(crate) name: String,
    pub(crate) persistent_volume_claim: ClaimSource,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ClaimSource {
    pub(crate) claim_name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AttachmentSpec {
    pub(crate) attacher: String,
    pub(crate) node_name: String,
    pub(crate) source: AttachmentSource,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AttachmentSource {
    pub(crate) persistent_volume_name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AttachmentStatus {
    pub(crate) attached: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct NodeStatus {
    pub(crate) volumes_in_use: Vec<String>,
    pub(crate) volumes_attached: Vec<AttachedVolume>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AttachedVolume {
    pub(crate) name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DriversSpec {
    /// An empty list may be null.
    pub(crate) drivers: Option<Vec<NodeDriver>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeDriver {
    pub(crate) name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct LeaseSpec {
    pub(crate) holder_identity: String,
}

pub(crate) type Volume = Of<VolumeSpec, Phase>;
pub(crate) type Claim = Of<ClaimSpec, Phase>;
pub(crate) type Pod = Of<PodSpec, Phase>;
pub(crate) type Attachment = Of<AttachmentSpec, AttachmentStatus>;
pub(crate) type Node = Of<Nothing, NodeStatus>;
pub(crate) type NodeDrivers = Of<DriversSpec>;
pub(crate) type Lease = Of<LeaseSpec>;

impl<S, T> Of<S, T> {
    pub(crate) fn deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }
}

/// All objects of a kind, in the order of their names.
pub(crate) fn all<T: DeserializeOwned>(store: &Store, group: &str, plural: &str) -> Vec<T> {
    let Some(resource) = store.registry().find(group, "v1", plural) else { return Vec::new() };
    let request = ListRequest {
        resource,
        namespace: None,
        selection: Selection::default(),
        limit: None,
        resume: None,
        version: VersionMatch::Any,
    };
    let listing = store.list(request).now_or_never().and_then(Result::ok);
    let items = listing.map(|listing| listing.items).unwrap_or_default();
    items
        .iter()
        .map(|object| {
            serde_json::from_slice(object.json())
                .unwrap_or_else(|error| panic!("{plural}: {error}: {}", String::from_utf8_lossy(object.json())))
        })
        .collect()
}

pub(crate) fn volumes(store: &Store) -> Vec<Volume> {
    all(store, "", "persistentvolumes")
}

pub(crate) fn claims(store: &Store) -> Vec<Claim> {
    all(store, "", "persistentvolumeclaims")
}

pub(crate) fn pods(store: &Store) -> Vec<Pod> {
    all(store, "", "pods")
}

pub(crate) fn nodes(store: &Store) -> Vec<Node> {
    all(store, "", "nodes")
}

pub(crate) fn csi_nodes(store: &Store) -> Vec<NodeDrivers> {
    all(store, "storage.k8s.io", "csinodes")
}

pub(crate) fn attachments(store: &Store) -> Vec<Attachment> {
    all(store, "storage.k8s.io", "volumeattachments")
}

pub(crate) fn leases(store: &Store) -> Vec<Lease> {
    all(store, "coordination.k8s.io", "leases")
}

/// The claims whose CreateVolume is written down, by uid.
pub(crate) fn intents(store: &Store) -> BTreeMap<String, String> {
    let leases = leases(store).into_iter().filter(|lease| lease.metadata.name.starts_with("longshore-intents-"));
    let texts = leases.filter_map(|mut lease| lease.metadata.annotations.remove(cluster::intents::ANNOTATION));
    // One that cannot be unpacked is no process's doing: none damages Leases.
    texts.flat_map(|text| cluster::intents::unpack(&text).unwrap_or_default()).collect()
}
