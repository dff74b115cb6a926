//! PersistentVolume: storage that exists.

use std::collections::BTreeMap;

use csi_types::{AccessMode, SecretRef, VolumeMode};
use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::claim::{Claim, access_modes};
use super::selector::{Labels, NodeSelector};
use super::wire::{annotation, boxed, has_annotation, labels, slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// `status.phase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[allow(missing_docs, reason = "the names are Kubernetes' own")]
pub enum Phase {
    #[default]
    Pending,
    Available,
    Bound,
    Released,
    Failed,
    #[serde(other)]
    Unknown,
}

/// `spec.persistentVolumeReclaimPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[allow(missing_docs, reason = "the names are Kubernetes' own")]
pub enum ReclaimPolicy {
    #[default]
    Retain,
    Delete,
    Recycle,
    #[serde(other)]
    Unknown,
}

/// `spec.claimRef`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "fields are the object's own")]
#[derive(Default)]
pub struct ClaimRef {
    pub namespace: Box<str>,
    pub name: Box<str>,
    pub uid: Box<str>,
}

/// `spec.csi`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct CsiSource {
    pub driver: Box<str>,
    pub volume_handle: Box<str>,
    #[serde(default)]
    pub read_only: bool,
    #[serde(default)]
    pub fs_type: Box<str>,
    #[serde(default)]
    pub volume_attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub controller_publish_secret_ref: Option<SecretRef>,
    #[serde(default)]
    pub node_stage_secret_ref: Option<SecretRef>,
    #[serde(default)]
    pub node_publish_secret_ref: Option<SecretRef>,
    #[serde(default)]
    pub node_expand_secret_ref: Option<SecretRef>,
}

/// A PersistentVolume as controllers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Volume {
    pub meta: Meta,
    pub phase: Phase,
    pub reclaim_policy: ReclaimPolicy,
    pub claim: Option<ClaimRef>,
    pub class: Option<Box<str>>,
    /// `None` for volumes that are not CSI's.
    pub csi: Option<CsiSource>,
    pub access_modes: Box<[AccessMode]>,
    pub unknown_access_modes: Box<[Box<str>]>,
    pub volume_mode: Option<VolumeMode>,
    pub mount_options: Box<[Box<str>]>,
    /// `spec.capacity.storage`, as written.
    pub capacity: Box<str>,
    pub labels: Labels,
    /// `spec.nodeAffinity.required`.
    pub affinity: Option<Box<NodeSelector>>,
    pub attributes_class: Option<Box<str>>,
    /// `pv.kubernetes.io/bound-by-controller` is there: `claim` was not the user's choice.
    pub bound_by_controller: bool,
    /// `volume.alpha.kubernetes.io/pre-resize-capacity`, as written.
    pub pre_resize_capacity: Option<Box<str>>,
    /// `pv.kubernetes.io/provisioned-by`.
    pub provisioned_by: Option<Box<str>>,
    /// `pv.kubernetes.io/migrated-to`.
    pub migrated_to: Option<Box<str>>,
    /// `volume.kubernetes.io/provisioner-deletion-secret-*`. `None`: the annotations are not there; empty texts: no secret.
    pub deletion_secret: Option<SecretRef>,
    /// `csi.longshore.io/access-mode`, as written: what the driver is told instead of `access_modes`.
    pub csi_access_mode: Option<Box<str>>,
}

impl Volume {
    /// Who made it.
    pub const PROVISIONED_BY_ANNOTATION: &'static str = "pv.kubernetes.io/provisioned-by";
    /// The capacity that its claim had before a resize which the node has yet to finish.
    pub const PRE_RESIZE_CAPACITY_ANNOTATION: &'static str = "volume.alpha.kubernetes.io/pre-resize-capacity";
    /// The secret that DeleteVolume needs.
    pub const DELETION_SECRET_NAME_ANNOTATION: &'static str = "volume.kubernetes.io/provisioner-deletion-secret-name";
    /// Its namespace.
    pub const DELETION_SECRET_NAMESPACE_ANNOTATION: &'static str = "volume.kubernetes.io/provisioner-deletion-secret-namespace";
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct VolumeWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    access_modes: Vec<String>,
    capacity: BTreeMap<String, String>,
    claim_ref: Option<ClaimRef>,
    csi: Option<CsiSource>,
    mount_options: Vec<String>,
    node_affinity: Option<Affinity>,
    volume_attributes_class_name: Option<Box<str>>,
    persistent_volume_reclaim_policy: ReclaimPolicy,
    storage_class_name: Option<Box<str>>,
    volume_mode: Option<VolumeMode>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Affinity {
    required: Option<Box<NodeSelector>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Status {
    phase: Phase,
}

wire!(VolumeWire = PersistentVolume);

impl Kind for Volume {
    type Wire = VolumeWire;
    const PLURAL: &'static str = "persistentvolumes";

    fn compact(wire: VolumeWire) -> Option<Self> {
        let meta = &wire.metadata;
        let (access_modes, unknown_access_modes) = access_modes(wire.spec.access_modes);
        let secret_name = annotation(meta, Self::DELETION_SECRET_NAME_ANNOTATION);
        let secret_namespace = annotation(meta, Self::DELETION_SECRET_NAMESPACE_ANNOTATION);
        let deletion_secret = secret_name
            .zip(secret_namespace)
            .map(|(name, namespace)| SecretRef { name: name.into(), namespace: namespace.into() });
        let mut capacity = wire.spec.capacity;
        Some(Self {
            phase: wire.status.phase,
            reclaim_policy: wire.spec.persistent_volume_reclaim_policy,
            claim: wire.spec.claim_ref,
            class: annotation(meta, Claim::BETA_CLASS_ANNOTATION).or(wire.spec.storage_class_name),
            csi: wire.spec.csi,
            access_modes,
            unknown_access_modes,
            volume_mode: wire.spec.volume_mode,
            mount_options: boxed(wire.spec.mount_options),
            capacity: capacity.remove("storage").unwrap_or_default().into(),
            labels: labels(meta),
            affinity: wire.spec.node_affinity.and_then(|affinity| affinity.required),
            attributes_class: wire.spec.volume_attributes_class_name.filter(|name| !name.is_empty()),
            bound_by_controller: has_annotation(meta, Claim::BOUND_BY_CONTROLLER_ANNOTATION),
            pre_resize_capacity: annotation(meta, Self::PRE_RESIZE_CAPACITY_ANNOTATION),
            provisioned_by: annotation(meta, Self::PROVISIONED_BY_ANNOTATION),
            migrated_to: annotation(meta, Claim::MIGRATED_TO_ANNOTATION),
            deletion_secret,
            csi_access_mode: annotation(meta, csi_types::ACCESS_MODE_ANNOTATION),
            meta: Meta::of(meta)?,
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn index(&self) -> Option<&str> {
        self.csi.as_ref().map(|csi| &*csi.volume_handle)
    }
}
