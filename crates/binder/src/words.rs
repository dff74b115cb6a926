//! Everything that people and programs read: reasons and messages, as upstream writes them, letter for letter.

use cluster::kinds::{Claim, Pod, Volume};
use cluster::{Event, EventType, Meta, Regarding};

/// An event without the object it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Say {
    pub(crate) kind: EventType,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Say {
    fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: EventType::Normal, reason, message: message.into() }
    }

    fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind: EventType::Warning, reason, message: message.into() }
    }

    pub(crate) fn about(self, regarding: Regarding) -> Event {
        Event { regarding, kind: self.kind, reason: self.reason, message: self.message }
    }
}

fn regarding(kind: &'static str, meta: &Meta) -> Regarding {
    Regarding {
        api_version: "v1".into(),
        kind: kind.into(),
        namespace: meta.key.namespace().unwrap_or_default().to_owned(),
        name: meta.key.name().to_owned(),
        uid: meta.uid.to_string(),
    }
}

pub(crate) fn claim(claim: &Claim) -> Regarding {
    regarding("PersistentVolumeClaim", &claim.meta)
}

pub(crate) fn volume(volume: &Volume) -> Regarding {
    regarding("PersistentVolume", &volume.meta)
}

pub(crate) fn pod(pod: &Pod) -> Regarding {
    regarding("Pod", &pod.meta)
}

// === claims ===

pub(crate) fn no_match() -> Say {
    Say::normal("FailedBinding", "no persistent volumes available for this claim and no storage class is set")
}

/// Names only, in order.
pub(crate) fn waits_for_consumer(unscheduled: &[String]) -> Say {
    match unscheduled {
        [] => Say::normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding"),
        [pod] => Say::normal("WaitForPodScheduled", format!("waiting for pod {pod} to be scheduled")),
        pods => Say::normal("WaitForPodScheduled", format!("waiting for pods {} to be scheduled", pods.join(","))),
    }
}

pub(crate) fn external_provisioning(provisioner: &str) -> Say {
    Say::normal(
        "ExternalProvisioning",
        format!(
            "Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system \
             administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
        ),
    )
}

pub(crate) fn class_missing(class: &str) -> Say {
    Say::warning("ProvisioningFailed", format!("storageclass.storage.k8s.io \"{class}\" not found"))
}

pub(crate) fn no_plugin(provisioner: &str) -> Say {
    Say::warning("ProvisioningFailed", format!("no volume plugin matched name: {provisioner}"))
}

pub(crate) fn cannot_save_claim(error: &str) -> Say {
    Say::warning("ProvisioningFailed", format!("Error saving claim: {error}"))
}

/// Why a volume that a claim names cannot be its.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    Deleting,
    Size,
    Class,
    AttributesClass,
    Mode,
    Access,
}

pub(crate) fn mismatch(volume: &str, why: Mismatch) -> Say {
    let why = match why {
        Mismatch::Deleting => format!("the volume is marked for deletion \"{volume}\""),
        Mismatch::Size => "requested PV is too small".into(),
        Mismatch::Class => "storageClassName does not match".into(),
        Mismatch::AttributesClass => "volumeAttributesClassName does not match".into(),
        Mismatch::Mode => "incompatible volumeMode".into(),
        Mismatch::Access => "incompatible accessMode".into(),
    };
    Say::warning("VolumeMismatch", format!("Cannot bind to requested volume \"{volume}\": {why}"))
}

pub(crate) fn taken(volume: &str) -> Say {
    Say::warning("FailedBinding", format!("volume \"{volume}\" already bound to a different claim."))
}

pub(crate) fn lost_reference() -> Say {
    Say::warning("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!")
}

pub(crate) fn lost_volume() -> Say {
    Say::warning("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!")
}

pub(crate) fn misbound() -> Say {
    Say::warning("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly")
}

pub(crate) fn external_expanding() -> Say {
    Say::normal("ExternalExpanding", "waiting for an external controller to expand this PVC")
}

// === volumes ===

pub(crate) fn volume_mode_of_volume(claim: &str) -> Say {
    let text =
        format!("Cannot bind PersistentVolume to requested PersistentVolumeClaim \"{claim}\" due to incompatible volumeMode.");
    Say::warning("VolumeMismatch", text)
}

pub(crate) fn volume_mode_of_claim(volume: &str) -> Say {
    let text =
        format!("Cannot bind PersistentVolume \"{volume}\" to requested PersistentVolumeClaim due to incompatible volumeMode.");
    Say::warning("VolumeMismatch", text)
}

pub(crate) fn unknown_policy() -> Say {
    Say::warning("VolumeUnknownReclaimPolicy", "Volume has unrecognized PersistentVolumeReclaimPolicy")
}

pub(crate) fn no_recycler() -> Say {
    Say::warning("VolumeFailedRecycle", "No recycler plugin found for the volume!")
}

pub(crate) fn no_deleter(volume: &str) -> Say {
    let text = format!("error getting deleter volume plugin for volume \"{volume}\": no deletable volume plugin matched");
    Say::warning("VolumeFailedDelete", text)
}

// === scheduling ===

/// The only scheduler there is.
pub(crate) const SCHEDULER: &str = "default-scheduler";

pub(crate) fn scheduled(pod: &Pod, node: &str) -> Say {
    Say::normal("Scheduled", format!("Successfully assigned {} to {node}", pod.meta.key))
}

/// Cut as upstream cuts it.
pub(crate) fn failed_scheduling(message: &str) -> Say {
    const MAX: usize = 1024;
    const MORE: &str = " ...";
    if message.len() <= MAX {
        return Say::warning("FailedScheduling", message);
    }
    let end = message.floor_char_boundary(MAX - MORE.len());
    Say::warning("FailedScheduling", format!("{}{MORE}", &message[..end]))
}

/// Why a pod is not put on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// There is no node.
    NoNode,
    // Of the pod, wherever it would be.
    ClaimMissing(String),
    EphemeralClaimMissing(String),
    ClaimLost {
        claim: String,
        volume: String,
    },
    ClaimDeleting(String),
    ClaimNotOwned {
        claim: String,
        pod: String,
    },
    UnboundImmediate,
    /// A check could not be made.
    ClassMissing(String),
    // Of the node, in upstream's order.
    Unschedulable,
    Taint,
    NodeAffinity,
    AccessModeInUse,
    TooManyVolumes,
    /// At most one for volumes that are bound, and one for those that are not.
    Volumes(Vec<Conflict>),
    Zone,
}

/// What is wrong between a pod's volumes and the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conflict {
    VolumeMissing,
    VolumeAffinity,
    NothingToBind,
    NoSpace,
}

impl Conflict {
    fn text(self) -> &'static str {
        match self {
            Conflict::VolumeMissing => "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
            Conflict::VolumeAffinity => "node(s) didn't match PersistentVolume's node affinity",
            Conflict::NothingToBind => "node(s) didn't find available persistent volumes to bind",
            Conflict::NoSpace => "node(s) did not have enough free storage",
        }
    }
}

impl Unfit {
    /// The condition's message, and the event's.
    ///
    /// What the plugin for dynamic resources adds upstream (`no new claims to deallocate, `, or a bare ` not found` after a
    /// pre-filter) is left out: there is none here.
    pub(crate) fn message(&self) -> String {
        const UNHELPFUL: &str = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
        const NO_VICTIMS: &str = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
        let whole = |text: String| format!("0/1 nodes are available: {text}. {UNHELPFUL}");
        let node = |text: &str| format!("0/1 nodes are available: 1 {text}. {UNHELPFUL}");
        let resolvable = |text: &str| format!("0/1 nodes are available: 1 {text}. {NO_VICTIMS}");
        match self {
            Unfit::NoNode => "no nodes available to schedule pods".into(),
            Unfit::ClaimMissing(claim) => whole(format!("persistentvolumeclaim \"{claim}\" not found")),
            Unfit::EphemeralClaimMissing(claim) => {
                whole(format!("waiting for ephemeral volume controller to create the persistentvolumeclaim \"{claim}\""))
            }
            Unfit::ClaimLost { claim, volume } => {
                whole(format!("persistentvolumeclaim \"{claim}\" bound to non-existent persistentvolume \"{volume}\""))
            }
            Unfit::ClaimDeleting(claim) => whole(format!("persistentvolumeclaim \"{claim}\" is being deleted")),
            Unfit::ClaimNotOwned { claim, pod } => whole(not_owned(claim, pod)),
            Unfit::UnboundImmediate => whole("pod has unbound immediate PersistentVolumeClaims".into()),
            Unfit::ClassMissing(class) => {
                format!("running \"VolumeBinding\" filter plugin: failed to find storage class \"{class}\"")
            }
            Unfit::Unschedulable => node("node(s) were unschedulable"),
            Unfit::Taint => node("node(s) had untolerated taint(s)"),
            Unfit::NodeAffinity => node("node(s) didn't match Pod's node affinity/selector"),
            Unfit::AccessModeInUse => resolvable(
                "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
            ),
            Unfit::TooManyVolumes => resolvable("node(s) exceed max volume count"),
            Unfit::Volumes(conflicts) => {
                // Counted by reason, in the order of the texts.
                let mut reasons: Vec<String> = conflicts.iter().map(|conflict| format!("1 {}", conflict.text())).collect();
                reasons.sort();
                whole(reasons.join(", "))
            }
            Unfit::Zone => node("node(s) had no available volume zone"),
        }
    }

    /// The condition's reason.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Unfit::ClassMissing(_) => SCHEDULER_ERROR,
            _ => "Unschedulable",
        }
    }
}

pub(crate) const SCHEDULER_ERROR: &str = "SchedulerError";

/// `claim` and `pod` with their namespace.
pub(crate) fn not_owned(claim: &str, pod: &str) -> String {
    format!("PVC {claim} was not created for pod {pod} (pod is not owner)")
}

/// Why the volumes of a pod that fits were not bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Aborted {
    Provisioning(String),
    Reservation(String),
    Timeout,
}

impl Aborted {
    pub(crate) fn message(&self) -> String {
        let why = match self {
            Aborted::Provisioning(claim) => format!("provisioning failed for PVC \"{claim}\""),
            Aborted::Reservation(volume) => format!("ClaimRef got reset for pv \"{volume}\""),
            Aborted::Timeout => "context deadline exceeded".into(),
        };
        format!("running PreBind plugin \"VolumeBinding\": binding volumes: {why}")
    }
}

#[cfg(test)]
mod tests;
