//! Pod: what wants volumes on a node. Only what the node's volumes depend on.

use std::collections::BTreeMap;

use csi_types::SecretRef;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

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
    /// A container's status says `running`.
    pub any_container_running: bool,
}

impl Pod {
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
        let namespace = wire.metadata.namespace.unwrap_or_default();
        let security = wire.spec.security_context.unwrap_or_default();
        let containers = wire.spec.containers.into_iter().chain(wire.spec.init_containers).chain(wire.spec.ephemeral_containers);
        let mut statuses = wire.status.container_statuses.iter().chain(&wire.status.init_container_statuses);
        Some(Self {
            meta,
            node: wire.spec.node_name,
            phase: wire.status.phase,
            service_account: wire.spec.service_account_name,
            fs_group: security.fs_group,
            fs_group_on_root_mismatch: security.fs_group_change_policy.as_deref() == Some("OnRootMismatch"),
            volumes: wire.spec.volumes.into_iter().map(|volume| volume.compact(&namespace)).collect(),
            containers: containers.map(ContainerWire::compact).collect(),
            any_container_running: statuses.any(|status| status.state.running.is_some()),
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

// === impl wire structs ===

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
