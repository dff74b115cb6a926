//! What exactly is to be mounted: claim and PersistentVolume, or an inline source, as one value. Pure.
//!
//! Upstream: kubelet `volumemanager/populator`; the fields that reach the driver are those of `docs/node-mounter.md`.

use std::collections::BTreeMap;

use cluster::kinds::{Pod, PodVolumeSource, Volume};
use csi_types::{AccessMode, AccessType, CsiAccessMode, DriverName, SecretRef, VolumeCapability, VolumeHandle, VolumeMode};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;

use crate::paths::{VolumeKey, component, inline_handle};
use crate::pod::Used;

/// One volume as one pod wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// What operations are serialised by, and what the Node's status calls it.
    pub key: VolumeKey,
    /// Whose volume.
    pub driver: DriverName,
    /// Which volume.
    pub handle: VolumeHandle,
    /// The PersistentVolume's name, or the volume's name in the pod: the directory.
    pub name: String,
    /// Filesystem or device.
    pub mode: VolumeMode,
    /// The pod's own, not a PersistentVolume.
    pub inline: bool,
    /// `persistentVolumeClaim.readOnly`, or `csi.readOnly` of an inline volume. The PersistentVolume's own is for attaching.
    pub read_only: bool,
    /// As the PersistentVolume has them; only the first counts.
    pub access_modes: Vec<AccessMode>,
    /// `csi.longshore.io/access-mode`: what the driver is told instead.
    pub exact_access_mode: Option<CsiAccessMode>,
    /// Empty: the driver chooses.
    pub fs_type: String,
    /// In order.
    pub mount_options: Vec<String>,
    /// Verbatim.
    pub attributes: BTreeMap<String, String>,
    /// For NodeStageVolume.
    pub stage_secret: Option<SecretRef>,
    /// For NodePublishVolume.
    pub publish_secret: Option<SecretRef>,
}

/// Why a pod's volume cannot be mounted as things are. All of them may change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The scheduler binds claims before pods, so this is a pod that was bound by hand, or a claim that was deleted.
    #[error("PersistentVolumeClaim {claim} is not bound to a volume yet (phase {phase:?}); bind it, or wait for its provisioner")]
    NotBound {
        /// Namespace and name.
        claim: String,
        /// As its status says.
        phase: String,
    },
    /// Its data may go at any moment.
    #[error(
        "PersistentVolumeClaim {claim} is being deleted and no longer protected; the pod that needs it has to be deleted too"
    )]
    ClaimGoing {
        /// Namespace and name.
        claim: String,
    },
    /// Somebody else's claim has the name of this pod's own.
    #[error("PersistentVolumeClaim {claim} does not belong to this pod, so it is not its ephemeral volume; delete or rename it")]
    NotThisPods {
        /// Namespace and name.
        claim: String,
    },
    /// Bound on one side only.
    #[error("PersistentVolume {volume} is not bound to PersistentVolumeClaim {claim}, but to {bound_to}")]
    OtherClaim {
        /// The PersistentVolume.
        volume: String,
        /// Whose pod asks.
        claim: String,
        /// Namespace, name and uid, or nobody.
        bound_to: String,
    },
    /// In-tree volumes are not ours.
    #[error("PersistentVolume {volume} is not a CSI volume, so this node cannot mount it")]
    NotCsi {
        /// The PersistentVolume.
        volume: String,
    },
    /// Its annotation names no access mode.
    #[error("PersistentVolume {volume}: {why}")]
    AccessMode {
        /// The PersistentVolume.
        volume: String,
        /// What is wrong with it.
        why: String,
    },
    /// The API server would not have let it in.
    #[error("{what} {name:?} cannot be a directory name")]
    BadName {
        /// Which name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// `volumeMounts` of a device, or `volumeDevices` of a filesystem.
    #[error("volume {volume} has volumeMode {mode:?}, but a container uses it in {used_in}")]
    WrongMode {
        /// The pod's name for it.
        volume: String,
        /// What it is.
        mode: VolumeMode,
        /// What the pod says.
        used_in: &'static str,
    },
}

/// The claim's volume, if the claim has one and may be used. `owner`: the pod's uid, for an ephemeral volume's claim.
pub fn bound_volume(claim: &PersistentVolumeClaim, owner: Option<&str>) -> Result<String, Unresolved> {
    let meta = &claim.metadata;
    let name = || format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
    if let Some(owner) = owner {
        let owned = meta.owner_references.iter().flatten().any(|of| of.controller == Some(true) && of.uid == owner);
        if !owned {
            return Err(Unresolved::NotThisPods { claim: name() });
        }
    }
    let protected = meta.finalizers.iter().flatten().any(|finalizer| finalizer == "kubernetes.io/pvc-protection");
    if meta.deletion_timestamp.is_some() && !protected {
        return Err(Unresolved::ClaimGoing { claim: name() });
    }
    let phase = claim.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
    let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.clone()).unwrap_or_default();
    if phase != "Bound" || volume.is_empty() {
        return Err(Unresolved::NotBound { claim: name(), phase });
    }
    Ok(volume)
}

/// A PersistentVolume as this pod's volume.
pub fn of_volume(pv: &Volume, claim: &str, claim_uid: &str, used: &Used<'_>) -> Result<Spec, Unresolved> {
    let name = pv.meta.key.name();
    let bound = pv.claim.as_ref().is_some_and(|claim| &*claim.uid == claim_uid);
    if !bound {
        let bound_to = match &pv.claim {
            Some(other) => format!("{}/{} ({})", other.namespace, other.name, other.uid),
            None => "no claim".to_owned(),
        };
        return Err(Unresolved::OtherClaim { volume: name.to_owned(), claim: claim.to_owned(), bound_to });
    }
    let Some(csi) = &pv.csi else { return Err(Unresolved::NotCsi { volume: name.to_owned() }) };
    let (driver, handle) = (DriverName::from(&*csi.driver), VolumeHandle::from(&*csi.volume_handle));
    let exact_access_mode = pv.csi_access_mode.as_deref().map(CsiAccessMode::of_annotation).transpose();
    let exact_access_mode =
        exact_access_mode.map_err(|source| Unresolved::AccessMode { volume: name.to_owned(), why: source.to_string() })?;
    let spec = Spec {
        key: VolumeKey::of(&driver, &handle),
        driver,
        handle,
        name: name.to_owned(),
        mode: pv.volume_mode.unwrap_or_default(),
        inline: false,
        read_only: matches!(used.volume.source, PodVolumeSource::Claim { read_only: true, .. }),
        access_modes: pv.access_modes.to_vec(),
        exact_access_mode,
        fs_type: csi.fs_type.to_string(),
        mount_options: pv.mount_options.iter().map(ToString::to_string).collect(),
        attributes: csi.volume_attributes.clone(),
        stage_secret: csi.node_stage_secret_ref.clone().filter(named),
        publish_secret: csi.node_publish_secret_ref.clone().filter(named),
    };
    check(spec, used)
}

/// An inline volume of this pod; `None` if it is another kind of volume.
pub fn of_inline(pod: &Pod, used: &Used<'_>) -> Option<Result<Spec, Unresolved>> {
    let PodVolumeSource::Csi { driver, fs_type, read_only, attributes, secret } = &used.volume.source else { return None };
    let spec = Spec {
        key: VolumeKey::inline(&pod.meta.uid, &used.volume.name),
        driver: DriverName::from(&**driver),
        handle: inline_handle(&pod.meta.uid, &used.volume.name),
        name: used.volume.name.to_string(),
        mode: VolumeMode::Filesystem,
        inline: true,
        read_only: *read_only,
        access_modes: Vec::new(),
        exact_access_mode: None,
        fs_type: fs_type.to_string(),
        mount_options: Vec::new(),
        attributes: attributes.clone(),
        stage_secret: None,
        publish_secret: secret.clone(),
    };
    Some(check(spec, used))
}

fn check(spec: Spec, used: &Used<'_>) -> Result<Spec, Unresolved> {
    for (what, name) in [("volume", spec.name.as_str()), ("driver", spec.driver.as_str())] {
        if component(name).is_none() {
            return Err(Unresolved::BadName { what, name: name.to_owned() });
        }
    }
    // The two fixed folders beside the block volumes' own: kubelet would mix them up.
    if spec.mode == VolumeMode::Block && matches!(spec.name.as_str(), "staging" | "publish") {
        return Err(Unresolved::BadName { what: "block volume", name: spec.name });
    }
    let used_in = match spec.mode {
        VolumeMode::Filesystem if used.as_device => Some("volumeDevices"),
        VolumeMode::Block if used.mounted => Some("volumeMounts"),
        VolumeMode::Filesystem | VolumeMode::Block => None,
    };
    match used_in {
        Some(used_in) => Err(Unresolved::WrongMode { volume: used.volume.name.to_string(), mode: spec.mode, used_in }),
        None => Ok(spec),
    }
}

fn named(secret: &SecretRef) -> bool {
    !secret.name.is_empty()
}

// === impl Spec ===

impl Spec {
    /// Whether ReadWriteOncePod is the one access mode.
    pub fn one_pod_only(&self) -> bool {
        self.access_modes == [AccessMode::ReadWriteOncePod]
    }

    /// The capability that stage and publish send. `group`: the pod's fsGroup if the driver applies it itself.
    pub fn capability(&self, single_node_multi_writer: bool, group: Option<i64>) -> VolumeCapability {
        VolumeCapability {
            access_type: match self.mode {
                VolumeMode::Block => AccessType::Block,
                VolumeMode::Filesystem => AccessType::Mount {
                    fs_type: self.fs_type.clone(),
                    mount_flags: self.mount_options.clone(),
                    volume_mount_group: group.map(|gid| gid.to_string()).unwrap_or_default(),
                },
            },
            access_mode: self.csi_access_mode(single_node_multi_writer),
        }
    }

    /// Of several modes only the first counts; without any, it is ReadWriteOnce.
    fn csi_access_mode(&self, single_node_multi_writer: bool) -> CsiAccessMode {
        if let Some(exact) = self.exact_access_mode {
            return exact;
        }
        self.access_modes.first().copied().unwrap_or(AccessMode::ReadWriteOnce).to_csi(single_node_multi_writer)
    }
}

#[cfg(test)]
mod tests;
