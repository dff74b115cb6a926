//! The facts that the plans look at: plain data, copied out of the caches. Says what is, never what to do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use csi_types::{AccessMode, CreatedVolume, DriverInfo, NodeName, SecretRef, Segments, VolumeHandle, VolumeMode, VolumeName};
use serde::{Deserialize, Serialize};

use crate::ask::Ask;
use crate::placement::Topology;

/// The flags that rules depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `--volume-name-prefix`; not empty.
    pub name_prefix: String,
    /// `--volume-name-uuid-length`: so many characters of the uid without its dashes, or all of it with them.
    pub uuid_length: Option<usize>,
    /// `--default-fstype`; empty: the driver chooses.
    pub default_fs_type: String,
    /// `--feature-gates=Topology`.
    pub topology: bool,
    /// `--strict-topology`
    pub strict_topology: bool,
    /// `--immediate-topology`
    pub immediate_topology: bool,
    /// `--extra-create-metadata`
    pub extra_create_metadata: bool,
    /// `--controller-publish-readonly`
    pub publish_readonly: bool,
    /// `--feature-gates=VolumeAttributesClass`.
    pub attributes_classes: bool,
}

impl Settings {
    /// The name of the volume for a claim, at the driver and in Kubernetes: the same every time, or a retry makes a second volume.
    ///
    /// Upstream: `makeVolumeName`.
    pub fn volume_name(&self, claim_uid: &str) -> VolumeName {
        let prefix = &self.name_prefix;
        match self.uuid_length {
            None => format!("{prefix}-{claim_uid}").into(),
            Some(length) => {
                let short: String = claim_uid.chars().filter(|c| *c != '-').take(length).collect();
                format!("{prefix}-{short}").into()
            }
        }
    }
}

/// A claim, as far as provisioning looks at it. Its phase and deletion are left out: a claim that is held while it goes is
/// provisioned all the same, since a call may still be under way for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    /// Zero: not known.
    pub version: u64,
    /// `spec.volumeName`.
    pub volume: Option<VolumeName>,
    /// `volume.kubernetes.io/storage-provisioner`, or the beta key if that is absent.
    pub provisioner: Option<String>,
    /// Empty: no class.
    pub class: String,
    /// `volume.kubernetes.io/selected-node`, not empty.
    pub selected_node: Option<NodeName>,
    /// `spec.resources.requests.storage` as written; empty: absent, and the driver chooses.
    pub request: String,
    pub access_modes: Vec<AccessMode>,
    /// Words that are no access mode.
    pub unknown_access_modes: Vec<String>,
    pub volume_mode: Option<VolumeMode>,
    /// `spec.selector` is set.
    pub selector: bool,
    /// `spec.dataSource`, or `dataSourceRef` where that is absent.
    pub source: Option<Source>,
    /// `spec.volumeAttributesClassName`, not empty.
    pub attributes_class: Option<String>,
}

/// What the content of a new volume is asked to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub kind: String,
    pub name: String,
}

/// A StorageClass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Class {
    pub name: String,
    pub uid: String,
    pub provisioner: String,
    pub parameters: BTreeMap<String, String>,
    pub mount_options: Vec<String>,
    pub reclaim: Option<Reclaim>,
    /// `volumeBindingMode: WaitForFirstConsumer`
    pub waits_for_consumer: bool,
    /// `allowedTopologies`, every combination of values; `None` if there are none, empty if none of them names a key.
    pub allowed: Option<Vec<Segments>>,
}

/// `persistentVolumeReclaimPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Reclaim {
    Delete,
    /// Kubernetes' default for volumes.
    #[default]
    Retain,
    Recycle,
}

/// A PersistentVolume of the name that a claim's volume would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingVolume {
    /// `spec.claimRef.uid`.
    pub claim_uid: Option<String>,
    /// `spec.csi.volumeHandle`.
    pub handle: Option<VolumeHandle>,
    pub deleting: bool,
}

/// A volume that the driver made and that no PersistentVolume names yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    pub ask: Arc<Ask>,
    pub volume: CreatedVolume,
}

/// What caches do not keep, read when a class asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Live {
    /// The claim's.
    pub annotations: BTreeMap<String, String>,
    /// The claim's VolumeAttributesClass, if it names one and that exists.
    pub attributes: Option<AttributesClass>,
}

/// A VolumeAttributesClass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributesClass {
    pub driver: String,
    pub parameters: BTreeMap<String, String>,
}

/// What we remember of a claim between passes. A hint: losing it is safe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recall {
    /// The term of leadership in which all this is true.
    pub term: u64,
    /// Made by the driver, not saved yet.
    pub created: Option<Arc<Created>>,
    /// Asked for, and the driver may still be working on it.
    pub asked: Option<Arc<Ask>>,
    /// The driver had no room in reach of this node.
    pub no_room: Option<NodeName>,
    /// What was read live for this pass.
    pub live: Option<Arc<Live>>,
    /// The driver called the request impossible; how long until it is asked again.
    pub slow_for: Option<Duration>,
    /// The user was told that a populator will have to fill the volume.
    pub announced: bool,
}

/// One claim and what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimView {
    /// The claim's uid, also after the claim is gone.
    pub uid: String,
    pub settings: Arc<Settings>,
    pub driver: Arc<DriverInfo>,
    pub claim: Option<Claim>,
    /// The claim's class, if there is one of that name.
    pub class: Option<Class>,
    pub existing: Option<ExistingVolume>,
    /// `None`: placement is not asked of this driver.
    pub topology: Option<Topology>,
    pub recall: Recall,
}

/// `status.phase` of a PersistentVolume, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Bound,
    Released,
    /// Pending, Available, Failed, or not set yet.
    Other,
}

/// A PersistentVolume, as far as deletion looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    pub name: String,
    pub uid: String,
    pub deleting: bool,
    /// It carries our finalizer.
    pub held: bool,
    /// `pv.kubernetes.io/provisioned-by`.
    pub provisioned_by: Option<String>,
    /// `spec.csi.driver`; `None` for volumes that are not CSI's.
    pub driver: Option<String>,
    pub handle: Option<VolumeHandle>,
    pub phase: Phase,
    pub reclaim: Reclaim,
}

/// One PersistentVolume and what surrounds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeView {
    pub driver: Arc<DriverInfo>,
    pub volume: Option<Volume>,
    /// A node that a VolumeAttachment names for it, if attachments are this driver's business.
    pub attached_to: Option<NodeName>,
    /// Another PersistentVolume of this driver with the same handle, that is neither released nor going.
    pub also_named_by: Option<String>,
    /// DeleteVolume has succeeded for this very volume; a hint.
    pub deleted: bool,
}

/// The secrets of one volume, each resolved to an object. Where each goes: `pv.rs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretRefs {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provisioner: Option<SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_publish: Option<SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_stage: Option<SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_publish: Option<SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_expand: Option<SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_expand: Option<SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub controller_modify: Option<SecretRef>,
}
