//! PersistentVolumeClaim: somebody wants storage.

use std::collections::BTreeMap;

use csi_types::{AccessMode, VolumeMode};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::selector::LabelSelector;
use super::wire::{annotation, controller, has_annotation, slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// `spec.dataSource` or `spec.dataSourceRef`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct ClaimSource {
    pub api_group: Option<Box<str>>,
    pub kind: Box<str>,
    pub name: Box<str>,
    pub namespace: Option<Box<str>>,
}

/// A PersistentVolumeClaim as controllers see it. Annotations are kept only by the keys below.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Claim {
    pub meta: Meta,
    /// `volume.kubernetes.io/storage-provisioner`, or the beta key if only that is there.
    pub provisioner: Option<Box<str>>,
    /// `volume.kubernetes.io/selected-node`, set by the scheduler. Empty counts as absent.
    pub selected_node: Option<Box<str>>,
    /// `pv.kubernetes.io/migrated-to`.
    pub migrated_to: Option<Box<str>>,
    /// `pv.kubernetes.io/bind-completed` is there, whatever it says.
    pub bind_completed: bool,
    /// `pv.kubernetes.io/bound-by-controller` is there: `volume` was not the user's choice.
    pub bound_by_controller: bool,
    /// The uid of the controlling owner; a pod for generic ephemeral volumes.
    pub controller: Option<Box<str>>,
    /// The beta annotation, else `spec.storageClassName`. `Some("")` is "no class, on purpose".
    pub class: Option<Box<str>>,
    /// `spec.resources.requests.storage`, as written.
    pub request: Option<Box<str>>,
    pub access_modes: Box<[AccessMode]>,
    /// Access modes that this version does not know, as written.
    pub unknown_access_modes: Box<[Box<str>]>,
    /// `None`: not given, which means Filesystem.
    pub volume_mode: Option<VolumeMode>,
    /// `spec.volumeName`. Empty counts as absent.
    pub volume: Option<Box<str>>,
    pub selector: Option<Box<LabelSelector>>,
    pub source: Option<ClaimSource>,
    pub source_ref: Option<ClaimSource>,
    pub attributes_class: Option<Box<str>>,
    /// `status.phase`; empty before the first one.
    pub phase: Box<str>,
    /// `status.capacity.storage`, as written.
    pub capacity: Option<Box<str>>,
    /// `status.accessModes`.
    pub bound_access_modes: Box<[AccessMode]>,
    /// `status.currentVolumeAttributesClassName`.
    pub current_attributes_class: Option<Box<str>>,
    /// `status.modifyVolumeStatus.targetVolumeAttributesClassName`.
    pub target_attributes_class: Option<Box<str>>,
}

impl Claim {
    /// Who is to provision it.
    pub const PROVISIONER_ANNOTATION: &'static str = "volume.kubernetes.io/storage-provisioner";
    /// The same, as it was once called; still written by kube-controller-manager.
    pub const BETA_PROVISIONER_ANNOTATION: &'static str = "volume.beta.kubernetes.io/storage-provisioner";
    /// Where the scheduler wants it.
    pub const SELECTED_NODE_ANNOTATION: &'static str = "volume.kubernetes.io/selected-node";
    /// The CSI driver that took over an in-tree claim or volume.
    pub const MIGRATED_TO_ANNOTATION: &'static str = "pv.kubernetes.io/migrated-to";
    /// The claim once finished binding.
    pub const BIND_COMPLETED_ANNOTATION: &'static str = "pv.kubernetes.io/bind-completed";
    /// On a claim: its volume was found, not given. On a volume: its claim was.
    pub const BOUND_BY_CONTROLLER_ANNOTATION: &'static str = "pv.kubernetes.io/bound-by-controller";
    /// The class, as it was once given.
    pub const BETA_CLASS_ANNOTATION: &'static str = "volume.beta.kubernetes.io/storage-class";
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct ClaimWire {
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
    storage_class_name: Option<Box<str>>,
    volume_name: Option<Box<str>>,
    volume_mode: Option<VolumeMode>,
    volume_attributes_class_name: Option<Box<str>>,
    selector: Option<Box<LabelSelector>>,
    data_source: Option<ClaimSource>,
    data_source_ref: Option<ClaimSource>,
    resources: Resources,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: Box<str>,
    capacity: BTreeMap<String, String>,
    access_modes: Vec<String>,
    current_volume_attributes_class_name: Option<Box<str>>,
    modify_volume_status: Option<ModifyVolume>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ModifyVolume {
    target_volume_attributes_class_name: Option<Box<str>>,
}

wire!(ClaimWire = PersistentVolumeClaim);

fn present(text: Option<Box<str>>) -> Option<Box<str>> {
    text.filter(|text| !text.is_empty())
}

/// Known modes, and the words that are none.
pub(super) fn access_modes(words: Vec<String>) -> (Box<[AccessMode]>, Box<[Box<str>]>) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for word in words {
        match AccessMode::parse(&word) {
            Some(mode) => known.push(mode),
            None => unknown.push(word.into()),
        }
    }
    (known.into(), unknown.into())
}

impl Kind for Claim {
    type Wire = ClaimWire;
    const PLURAL: &'static str = "persistentvolumeclaims";

    fn compact(wire: ClaimWire) -> Option<Self> {
        let meta = &wire.metadata;
        let (access_modes, unknown_access_modes) = access_modes(wire.spec.access_modes);
        let mut status_capacity = wire.status.capacity;
        let mut requests = wire.spec.resources.requests;
        Some(Self {
            provisioner: annotation(meta, Self::PROVISIONER_ANNOTATION)
                .or_else(|| annotation(meta, Self::BETA_PROVISIONER_ANNOTATION)),
            selected_node: present(annotation(meta, Self::SELECTED_NODE_ANNOTATION)),
            migrated_to: annotation(meta, Self::MIGRATED_TO_ANNOTATION),
            bind_completed: has_annotation(meta, Self::BIND_COMPLETED_ANNOTATION),
            bound_by_controller: has_annotation(meta, Self::BOUND_BY_CONTROLLER_ANNOTATION),
            controller: controller(meta),
            class: annotation(meta, Self::BETA_CLASS_ANNOTATION).or(wire.spec.storage_class_name),
            request: requests.remove("storage").map(Into::into),
            access_modes,
            unknown_access_modes,
            volume_mode: wire.spec.volume_mode,
            volume: present(wire.spec.volume_name),
            selector: wire.spec.selector,
            source: wire.spec.data_source,
            source_ref: wire.spec.data_source_ref,
            attributes_class: present(wire.spec.volume_attributes_class_name),
            phase: wire.status.phase,
            capacity: status_capacity.remove("storage").map(Into::into),
            bound_access_modes: self::access_modes(wire.status.access_modes).0,
            current_attributes_class: present(wire.status.current_volume_attributes_class_name),
            target_attributes_class: present(
                wire.status.modify_volume_status.and_then(|modify| modify.target_volume_attributes_class_name),
            ),
            meta: Meta::of(meta)?,
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// By `spec.volumeName`.
    fn index(&self) -> Option<&str> {
        self.volume.as_deref()
    }
}
