//! The next step for one VolumeAttachment. Decides from facts alone; knows neither caches nor the driver nor time.

use csi_types::{AccessModeError, NodeId, Reason, VolumeCapability, VolumeHandle};
use rt::rules::{Rule, on};

/// The facts about one VolumeAttachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// `None`: there is no such attachment any more.
    pub attachment: Option<Attachment>,
    /// Whether the driver publishes volumes through its controller at all.
    pub publishes: bool,
    /// The driver's list of published volumes contradicts the status: do it again, whatever the status says. A hint.
    pub contradicted: bool,
    /// The node's id by CSINode; `None` while the driver is not registered there.
    pub node: Option<NodeId>,
    /// What is to be attached.
    pub volume: Volume,
}

/// The attachment itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// `spec.attacher` is our driver.
    pub ours: bool,
    /// `deletionTimestamp` is set.
    pub deleting: bool,
    /// `status.attached`.
    pub attached: bool,
    /// It carries our finalizer.
    pub held: bool,
    /// The node id that it was published with, from its annotation.
    pub recorded_node: Option<NodeId>,
}

/// What `spec.source` comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Volume {
    /// A PersistentVolume of a CSI driver.
    Found {
        /// `spec.csi.volumeHandle`.
        handle: VolumeHandle,
        /// It carries our finalizer.
        held: bool,
        /// `deletionTimestamp` is set.
        deleting: bool,
        /// How it will be accessed.
        capability: Result<VolumeCapability, AccessModeError>,
    },
    /// No PersistentVolume of this name.
    Missing(String),
    /// It has no CSI source.
    NotCsi(String),
    /// Its CSI source names another driver than `spec.attacher`.
    Foreign {
        /// The PersistentVolume.
        name: String,
        /// The driver that it names.
        driver: String,
    },
    /// It is written into the attachment.
    Inline,
    /// The source names two volumes.
    Both,
    /// The source names none.
    Nothing,
}

/// What can be done. One file each under `act/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Keep the PersistentVolume until it is detached: its handle is needed for that.
    HoldVolume,
    /// Keep the attachment until it is detached, and write down the node's id.
    AddFinalizer(NodeId),
    /// Publish, and say so in the status.
    ControllerPublishVolume(NodeId),
    /// Unpublish, and let go of the attachment.
    ControllerUnpublishVolume(NodeId),
    /// Say that it is attached: this driver has nothing to do for it.
    MarkAttached,
    /// Let go of an attachment that this driver has nothing to do for.
    MarkDetached,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is no such attachment.
    Gone,
    /// It is another driver's.
    NotOurs,
    /// The status says so.
    AlreadyAttached,
    /// It is being deleted and nothing of ours holds it.
    AlreadyDetached,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The volume is not there.
    #[error("PersistentVolume {0:?} does not exist: it must be created again, with the same volumeHandle")]
    VolumeMissing(String),
    /// The volume is going.
    #[error("the PersistentVolume is marked for deletion and is not attached any more")]
    VolumeGoing,
    /// Not a CSI volume.
    #[error("PersistentVolume {0:?} has no spec.csi, so no CSI driver can attach it")]
    NotCsi(String),
    /// Somebody else's volume.
    #[error("PersistentVolume {name:?} belongs to driver {driver:?}, not to the one in spec.attacher")]
    Foreign {
        /// The PersistentVolume.
        name: String,
        /// The driver that it names.
        driver: String,
    },
    /// Not supported.
    #[error("spec.source.inlineVolumeSpec is used only for migrated in-tree volumes, which Longshore does not translate")]
    Inline,
    /// Two sources.
    #[error("spec.source has both persistentVolumeName and inlineVolumeSpec, it must have one")]
    TwoSources,
    /// No source.
    #[error("spec.source has no persistentVolumeName")]
    NoSource,
    /// No CSI access mode for it.
    #[error("spec.accessModes of the PersistentVolume: {0}")]
    AccessModes(AccessModeError),
    /// The node does not have the driver.
    #[error(
        "the driver is not registered on the node: CSINode has no entry for it; its node plugin and registrar must run there"
    )]
    NodeNotRegistered,
}

/// The next step. Total: any view gets an answer.
pub fn plan(v: &View) -> Next {
    use csi_types::Next::{Do, Rest};
    let Some(a) = &v.attachment else { return Rest(Why::Gone) };
    match (a.ours, v.publishes, a.deleting) {
        (false, ..) => Rest(Why::NotOurs),
        // Left over from a version of the driver that did publish.
        (_, false, true) if a.held => Do(Action::MarkDetached),
        (_, false, _) if a.attached => Rest(Why::AlreadyAttached),
        (_, false, true) => Rest(Why::AlreadyDetached),
        (_, false, false) => Do(Action::MarkAttached),
        (_, _, true) => detach(v, a),
        (_, _, false) => attach(v, a),
    }
}

fn attach(v: &View, a: &Attachment) -> Next {
    use csi_types::Next::{Do, Refuse, Rest};
    if a.attached && !v.contradicted {
        return Rest(Why::AlreadyAttached);
    }
    let held = match usable(&v.volume) {
        Err(problem) => return Refuse(problem),
        Ok(Usable { deleting: true, .. }) => return Refuse(Problem::VolumeGoing),
        Ok(Usable { capability: Err(error), .. }) => return Refuse(Problem::AccessModes(error.clone())),
        Ok(Usable { held, .. }) => held,
    };
    let Some(node) = &v.node else { return Refuse(Problem::NodeNotRegistered) };
    if !held && on(Rule::AttachedIsHeld) {
        return Do(Action::HoldVolume);
    }
    // After every check: held earlier, a bad attachment could never be deleted. Upstream: csi_handler.go.
    if !a.held || a.recorded_node.as_ref() != Some(node) {
        return Do(Action::AddFinalizer(node.clone()));
    }
    Do(Action::ControllerPublishVolume(node.clone()))
}

fn detach(v: &View, a: &Attachment) -> Next {
    use csi_types::Next::{Do, Refuse, Rest};
    if !a.held && !v.contradicted {
        return Rest(Why::AlreadyDetached);
    }
    if let Err(problem) = usable(&v.volume) {
        return Refuse(problem);
    }
    if !on(Rule::DetachBeforeForget) {
        return Do(Action::MarkDetached);
    }
    // A node that is gone, or has lost its driver, is detached from all the same. What was published with is what counts.
    match a.recorded_node.as_ref().or(v.node.as_ref()) {
        Some(node) => Do(Action::ControllerUnpublishVolume(node.clone())),
        None => Refuse(Problem::NodeNotRegistered),
    }
}

struct Usable<'a> {
    held: bool,
    deleting: bool,
    capability: &'a Result<VolumeCapability, AccessModeError>,
}

fn usable(volume: &Volume) -> Result<Usable<'_>, Problem> {
    Err(match volume {
        Volume::Found { held, deleting, capability, .. } => {
            return Ok(Usable { held: *held, deleting: *deleting, capability });
        }
        Volume::Missing(name) => Problem::VolumeMissing(name.clone()),
        Volume::NotCsi(name) => Problem::NotCsi(name.clone()),
        Volume::Foreign { name, driver } => Problem::Foreign { name: name.clone(), driver: driver.clone() },
        Volume::Inline => Problem::Inline,
        Volume::Both => Problem::TwoSources,
        Volume::Nothing => Problem::NoSource,
    })
}

/// What [`plan`] answers.
pub type Next = csi_types::Next<Action, Why, Problem>;

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::HoldVolume => "hold_volume",
            Action::AddFinalizer(_) => "add_finalizer",
            Action::ControllerPublishVolume(_) => "controller_publish_volume",
            Action::ControllerUnpublishVolume(_) => "controller_unpublish_volume",
            Action::MarkAttached => "mark_attached",
            Action::MarkDetached => "mark_detached",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::NotOurs => "NotOurs",
            Why::AlreadyAttached => "AlreadyAttached",
            Why::AlreadyDetached => "AlreadyDetached",
        }
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        match self {
            Problem::VolumeMissing(_) => "VolumeMissing",
            Problem::VolumeGoing => "VolumeGoing",
            Problem::NotCsi(_) => "NotCsi",
            Problem::Foreign { .. } => "Foreign",
            Problem::Inline => "Inline",
            Problem::TwoSources => "TwoSources",
            Problem::NoSource => "NoSource",
            Problem::AccessModes(_) => "AccessModes",
            Problem::NodeNotRegistered => "NodeNotRegistered",
        }
    }
}

#[cfg(test)]
mod tests;
