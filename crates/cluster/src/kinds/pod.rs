//! Pod: what wants volumes on a node. Only what the node's volumes depend on.

use std::collections::BTreeMap;

use csi_types::SecretRef;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::scheduling::{AffinityWire, Scheduling, Toleration};
use super::selector::Labels;
use super::wire::{slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// Where a pod's volume comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodVolumeSource {
    /// A claim of the pod's namespace, by name.
    Claim {
        /// The claim's name.
        name: Box<str>,
        /// `persistentVolumeClaim.readOnly`.
        read_only: bool,
    },
    /// A generic ephemeral volume: the claim `<pod>-<volume>`, owned by the pod.
    Ephemeral,
    /// An inline CSI volume.
    Csi {
        /// The driver.
        driver: Box<str>,
        /// `csi.fsType`.
        fs_type: Box<str>,
        /// `csi.readOnly`.
        read_only: bool,
        /// `csi.volumeAttributes`.
        attributes: BTreeMap<String, String>,
        /// `csi.nodePublishSecretRef`, in the pod's namespace.
        secret: Option<SecretRef>,
    },
    /// None of a CSI driver's business.
    Other,
}

/// One entry of `spec.volumes`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct PodVolume {
    pub name: Box<str>,
    pub source: PodVolumeSource,
}

/// What one container (init and ephemeral ones included) wants of the pod's volumes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: Box<str>,
    /// Volumes mounted as filesystems.
    pub mounts: Box<[Mount]>,
    /// Volumes given as devices.
    pub devices: Box<[Device]>,
}

/// One entry of `volumeMounts`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Mount {
    /// Of the pod's volumes, which.
    pub name: Box<str>,
    pub mount_path: Box<str>,
    #[serde(default)]
    pub read_only: bool,
}

/// One entry of `volumeDevices`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Device {
    /// Of the pod's volumes, which.
    pub name: Box<str>,
    pub device_path: Box<str>,
}

/// What the condition `PodScheduled` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Condition {
    pub status: Box<str>,
    pub reason: Box<str>,
    pub message: Box<str>,
}

/// A Pod as the node's volumes see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct Pod {
    pub meta: Meta,
    /// Empty: not scheduled.
    pub node: Box<str>,
    pub phase: Box<str>,
    pub service_account: Box<str>,
    pub fs_group: Option<i64>,
    /// `fsGroupChangePolicy: OnRootMismatch`.
    pub fs_group_on_root_mismatch: bool,
    pub volumes: Box<[PodVolume]>,
    pub containers: Box<[Container]>,
    /// The status of a container (init and ephemeral ones included) says `running`.
    pub any_container_running: bool,
    /// `deletionTimestamp` is set with no grace left: it is about to go.
    pub grace_is_over: bool,
    /// What it asks of a node; only until it has one.
    pub scheduling: Option<Box<Scheduling>>,
    /// The condition `PodScheduled`; only until it has a node.
    pub scheduled: Option<Box<Condition>>,
}

impl Pod {
    /// Whether it will not use its volumes any more: it has ended, or is being deleted and nothing of it runs.
    ///
    /// Upstream: volume/util `IsPodTerminated`.
    pub fn is_over(&self) -> bool {
        self.is_terminal() || (self.meta.deleting && !self.any_container_running)
    }

    /// The name of the claim behind one of its volumes, if it is one of a claim or a generic ephemeral one.
    pub fn claim_name(&self, volume: &PodVolume) -> Option<String> {
        match &volume.source {
            PodVolumeSource::Claim { name, .. } => Some(name.to_string()),
            PodVolumeSource::Ephemeral => Some(format!("{}-{}", self.meta.key.name(), volume.name)),
            PodVolumeSource::Csi { .. } | PodVolumeSource::Other => None,
        }
    }

    /// Whether its phase says that it will never run again.
    pub fn is_terminal(&self) -> bool {
        matches!(&*self.phase, "Succeeded" | "Failed")
    }
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct PodWire {
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
    scheduler_name: Box<str>,
    scheduling_gates: Vec<serde::de::IgnoredAny>,
    node_selector: Labels,
    affinity: Option<AffinityWire>,
    tolerations: Vec<Toleration>,
    node_name: Box<str>,
    service_account_name: Box<str>,
    security_context: Option<SecurityContext>,
    volumes: Vec<VolumeWire>,
    containers: Vec<ContainerWire>,
    init_containers: Vec<ContainerWire>,
    ephemeral_containers: Vec<ContainerWire>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SecurityContext {
    fs_group: Option<i64>,
    fs_group_change_policy: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VolumeWire {
    name: Box<str>,
    persistent_volume_claim: Option<ClaimWire>,
    ephemeral: Option<serde::de::IgnoredAny>,
    csi: Option<CsiWire>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaimWire {
    claim_name: Box<str>,
    #[serde(default)]
    read_only: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CsiWire {
    driver: Box<str>,
    #[serde(default)]
    read_only: bool,
    fs_type: Option<Box<str>>,
    #[serde(default)]
    volume_attributes: Option<BTreeMap<String, String>>,
    node_publish_secret_ref: Option<LocalRef>,
}

#[derive(Debug, Clone, Deserialize)]
struct LocalRef {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerWire {
    name: Box<str>,
    #[serde(default)]
    volume_mounts: Box<[Mount]>,
    #[serde(default)]
    volume_devices: Box<[Device]>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: Box<str>,
    container_statuses: Vec<ContainerStatus>,
    init_container_statuses: Vec<ContainerStatus>,
    ephemeral_container_statuses: Vec<ContainerStatus>,
    conditions: Vec<TypedCondition>,
}

#[derive(Debug, Clone, Deserialize)]
struct TypedCondition {
    #[serde(rename = "type")]
    kind: Box<str>,
    status: Box<str>,
    #[serde(default)]
    reason: Box<str>,
    #[serde(default)]
    message: Box<str>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ContainerStatus {
    state: State,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct State {
    running: Option<serde::de::IgnoredAny>,
}

wire!(PodWire = k8s_openapi::api::core::v1::Pod);

impl Kind for Pod {
    type Wire = PodWire;
    const PLURAL: &'static str = "pods";

    fn compact(wire: PodWire) -> Option<Self> {
        let meta = Meta::of(&wire.metadata)?;
        let grace_is_over = meta.deleting && wire.metadata.deletion_grace_period_seconds == Some(0);
        let namespace = wire.metadata.namespace.unwrap_or_default();
        let status = wire.status;
        let mut statuses =
            status.container_statuses.iter().chain(&status.init_container_statuses).chain(&status.ephemeral_container_statuses);
        let spec = wire.spec;
        let security = spec.security_context.unwrap_or_default();
        let containers = spec.containers.into_iter().chain(spec.init_containers).chain(spec.ephemeral_containers);
        let waits = spec.node_name.is_empty();
        let scheduling = waits.then(|| Scheduling {
            scheduler: if spec.scheduler_name.is_empty() { "default-scheduler".into() } else { spec.scheduler_name },
            gated: !spec.scheduling_gates.is_empty(),
            node_selector: spec.node_selector,
            affinity: spec.affinity.and_then(AffinityWire::required),
            tolerations: spec.tolerations.into(),
        });
        let scheduled = status.conditions.into_iter().find(|condition| waits && &*condition.kind == "PodScheduled");
        Some(Self {
            meta,
            node: spec.node_name,
            phase: status.phase,
            service_account: spec.service_account_name,
            fs_group: security.fs_group,
            fs_group_on_root_mismatch: security.fs_group_change_policy.as_deref() == Some("OnRootMismatch"),
            volumes: spec.volumes.into_iter().map(|volume| volume.compact(&namespace)).collect(),
            containers: containers.map(ContainerWire::compact).collect(),
            any_container_running: statuses.any(|status| status.state.running.is_some()),
            grace_is_over,
            scheduling: scheduling.map(Box::new),
            scheduled: scheduled.map(|typed| Box::new(typed.compact())),
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    /// It stays for its grace period, finalizers or not.
    fn is_final(&self) -> bool {
        self.grace_is_over && self.meta.finalizers.is_empty()
    }
}

// === impl wire structs ===

impl TypedCondition {
    fn compact(self) -> Condition {
        Condition { status: self.status, reason: self.reason, message: self.message }
    }
}

impl VolumeWire {
    fn compact(self, namespace: &str) -> PodVolume {
        let source = if let Some(claim) = self.persistent_volume_claim {
            PodVolumeSource::Claim { name: claim.claim_name, read_only: claim.read_only }
        } else if self.ephemeral.is_some() {
            PodVolumeSource::Ephemeral
        } else if let Some(csi) = self.csi {
            let secret = csi.node_publish_secret_ref.filter(|secret| !secret.name.is_empty());
            PodVolumeSource::Csi {
                driver: csi.driver,
                fs_type: csi.fs_type.unwrap_or_default(),
                read_only: csi.read_only,
                attributes: csi.volume_attributes.unwrap_or_default(),
                secret: secret.map(|secret| SecretRef { namespace: namespace.to_owned(), name: secret.name }),
            }
        } else {
            PodVolumeSource::Other
        };
        PodVolume { name: self.name, source }
    }
}

impl ContainerWire {
    fn compact(self) -> Container {
        Container { name: self.name, mounts: self.volume_mounts, devices: self.volume_devices }
    }
}
