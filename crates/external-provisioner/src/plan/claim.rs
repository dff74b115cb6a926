//! Next step for one PersistentVolumeClaim.
//!
//! A volume that exists, or may come to exist, goes before everything the user has changed since: it must end up with a name
//! in Kubernetes, where deleting it is ordinary work. Only then the claim is asked what it wants.

use std::sync::Arc;
use std::time::Duration;

use csi_types::{Bytes, DriverName, Next, NodeName, QuantityError, Reason, TemplateError, VolumeName};

use crate::ask::{Ask, Halt};
use crate::parameters::ParameterError;
use crate::placement::PlacementError;
use crate::view::{Claim, ClaimView, Created};

/// What to do to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Read what caches do not keep.
    LookUp,
    /// Same ask, same volume: repeating it is safe.
    CreateVolume(Arc<Ask>),
    /// Delete what the driver made too small.
    DiscardVolume(Arc<Created>),
    /// Post the PersistentVolume that names what the driver made.
    SavePv(Arc<Created>),
    /// Forget what was asked for: Kubernetes names it.
    CrossOut,
    /// What deletes the PersistentVolume of this name may delete what the driver made, too: forget its answer, and ask again
    /// when that is over.
    Doubt(Arc<Created>),
    /// Give the pod back to the scheduler: this node will not do.
    Reschedule { node: NodeName, why: Unfit },
    /// Tell the user that somebody else will have to fill the volume.
    AnnouncePopulator,
}

/// Why a node will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The driver has no room in its reach.
    NoRoom,
    /// It has no CSINode.
    Gone,
}

/// Why nothing is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    ClaimGone,
    AlreadyBound,
    /// Saved; Kubernetes binds it.
    VolumeExists,
    /// Its PersistentVolume is on its way out; the next step comes when it is gone.
    OldVolumeGoing,
    NotOurs,
    ClassMissing,
    ClassOfAnother,
    WaitingForConsumer,
    /// The driver said that the request cannot work; asked again slowly.
    SlowRetry {
        again_in: Duration,
    },
    /// Its data source is of a kind that somebody else fills.
    ForAPopulator,
}

/// Why the user does not get what was asked for. Each is one sentence that names the key or value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("driver {driver} does not offer {capability}")]
    DriverLacks { driver: DriverName, capability: &'static str },
    #[error("spec.selector is set, and a claim with a selector can only be bound to volumes that exist")]
    Selector,
    #[error("spec.resources.requests.storage: {0}")]
    Request(QuantityError),
    #[error("access mode {0:?} is not known")]
    UnknownAccessMode(String),
    #[error("spec.accessModes is empty")]
    NoAccessMode,
    #[error("StorageClass {class:?}: {source}")]
    Parameters { class: String, source: ParameterError },
    #[error("StorageClass {class:?}: {source}")]
    SecretTemplate { class: String, source: TemplateError },
    #[error("{0}")]
    Placement(PlacementError),
    #[error("VolumeAttributesClass {0:?} does not exist")]
    NoAttributesClass(String),
    #[error("VolumeAttributesClass {name:?} is for driver {of:?}, and not for {driver}")]
    AttributesClassOfAnother { name: String, of: String, driver: DriverName },
    #[error("data source {kind} {name:?} is not supported in this version: volumes are made empty")]
    Source { kind: String, name: String },
    #[error("PersistentVolume {0:?} exists and belongs to something else; delete or rename it")]
    NameTaken(VolumeName),
}

/// Total: any view gets an answer.
pub fn plan(v: &ClaimView) -> Next<Action, Why, Problem> {
    let of_this_claim = v.existing.as_ref().filter(|pv| pv.claim_uid.as_deref() == Some(&v.uid));
    if let Some(pv) = of_this_claim {
        let other = |created: &Arc<Created>| pv.handle.as_ref() != Some(&created.volume.handle);
        let bound = v.claim.as_ref().is_some_and(|claim| claim.volume.is_some());
        return match &v.recall.created {
            None if v.recall.asked.is_some() && pv.handle.is_some() && (bound || !pv.deleting) => Next::Do(Action::CrossOut),
            // It stays until its claim goes, and takes the driver's volume with it.
            Some(created) if bound && !other(created) => Next::Do(Action::CrossOut),
            None if bound => Next::Rest(Why::AlreadyBound),
            // Upstream takes any volume of this name for saved, and leaks when it is the last one's (issue 1469).
            Some(created) if pv.deleting => Next::Do(Action::Doubt(created.clone())),
            _ if pv.deleting => Next::Rest(Why::OldVolumeGoing),
            Some(created) if other(created) => Next::Refuse(Problem::NameTaken(created.ask.name.clone())),
            Some(_) => Next::Do(Action::CrossOut),
            None => Next::Rest(Why::VolumeExists),
        };
    }
    if let Some(created) = &v.recall.created {
        return match created.volume.capacity {
            // Zero: the driver does not say.
            size if size < created.ask.required && size > Bytes(0) => Next::Do(Action::DiscardVolume(created.clone())),
            _ if v.existing.is_some() => Next::Refuse(Problem::NameTaken(created.ask.name.clone())),
            _ => Next::Do(Action::SavePv(created.clone())),
        };
    }
    if let Some(ask) = &v.recall.asked {
        return Next::Do(Action::CreateVolume(ask.clone()));
    }
    match &v.claim {
        None => Next::Rest(Why::ClaimGone),
        Some(claim) => wanted(v, claim),
    }
}

/// The claim is there, and nothing has been asked for it yet.
fn wanted(v: &ClaimView, claim: &Claim) -> Next<Action, Why, Problem> {
    let driver = v.driver.name.as_str();
    if claim.volume.is_some() {
        return Next::Rest(Why::AlreadyBound);
    }
    if claim.provisioner.as_deref() != Some(driver) {
        return Next::Rest(Why::NotOurs);
    }
    let class = match &v.class {
        // Kubernetes tells the user; the class's arrival wakes the claim.
        None => return Next::Rest(Why::ClassMissing),
        Some(class) if class.provisioner != driver => return Next::Rest(Why::ClassOfAnother),
        Some(class) if class.waits_for_consumer && claim.selected_node.is_none() => return Next::Rest(Why::WaitingForConsumer),
        Some(class) => class,
    };
    if let Some(source) = &claim.source {
        let (kind, name) = (source.kind.clone(), source.name.clone());
        return match kind.as_str() {
            "VolumeSnapshot" | "PersistentVolumeClaim" => Next::Refuse(Problem::Source { kind, name }),
            _ if v.recall.announced => Next::Rest(Why::ForAPopulator),
            _ => Next::Do(Action::AnnouncePopulator),
        };
    }
    if let Some(again_in) = v.recall.slow_for {
        return Next::Rest(Why::SlowRetry { again_in });
    }
    if let (Some(node), true) = (&claim.selected_node, claim.selected_node == v.recall.no_room) {
        return Next::Do(Action::Reschedule { node: node.clone(), why: Unfit::NoRoom });
    }
    if v.existing.is_some() {
        return Next::Refuse(Problem::NameTaken(v.settings.volume_name(&claim.uid)));
    }
    match Ask::build(v, claim, class) {
        Ok(ask) => Next::Do(Action::CreateVolume(Arc::new(ask))),
        Err(Halt::LookUp) => Next::Do(Action::LookUp),
        Err(Halt::Refuse(problem)) => match problem.gone_node() {
            Some(node) => Next::Do(Action::Reschedule { node: node.clone(), why: Unfit::Gone }),
            None => Next::Refuse(problem),
        },
    }
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::LookUp => "look_up",
            Action::CreateVolume(_) => "create_volume",
            Action::DiscardVolume(_) => "discard_volume",
            Action::SavePv(_) => "save_pv",
            Action::CrossOut => "cross_out",
            Action::Doubt(_) => "doubt",
            Action::Reschedule { .. } => "reschedule",
            Action::AnnouncePopulator => "announce_populator",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::ClaimGone => "ClaimGone",
            Why::AlreadyBound => "AlreadyBound",
            Why::VolumeExists => "VolumeExists",
            Why::OldVolumeGoing => "OldVolumeGoing",
            Why::NotOurs => "NotOurs",
            Why::ClassMissing => "ClassMissing",
            Why::ClassOfAnother => "ClassOfAnother",
            Why::WaitingForConsumer => "WaitingForConsumer",
            Why::SlowRetry { .. } => "SlowRetry",
            Why::ForAPopulator => "ForAPopulator",
        }
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        match self {
            Problem::DriverLacks { .. } => "DriverLacks",
            Problem::Selector => "Selector",
            Problem::Request(_) => "Request",
            Problem::UnknownAccessMode(_) => "UnknownAccessMode",
            Problem::NoAccessMode => "NoAccessMode",
            Problem::Parameters { .. } => "Parameters",
            Problem::SecretTemplate { .. } => "SecretTemplate",
            Problem::Placement(_) => "Placement",
            Problem::NoAttributesClass(_) => "NoAttributesClass",
            Problem::AttributesClassOfAnother { .. } => "AttributesClassOfAnother",
            Problem::Source { .. } => "Source",
            Problem::NameTaken(_) => "NameTaken",
        }
    }
}

#[cfg(test)]
mod tests;
