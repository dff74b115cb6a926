//! Next step for one PersistentVolume: hold it while it is in use, delete what it names when it is released.
//!
//! Works whichever of claim and volume the user deletes first, because the finalizer keeps the object, and with it the handle,
//! until the driver has confirmed. Spec: `spec/provisioner.md` chapter 7.

use csi_types::{ControllerCapability, DriverName, Next, PluginCapability, Reason};
use rt::rules::{Rule, on};

use crate::view::{Phase, Reclaim, Volume, VolumeView};

/// What to do to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Put our finalizer on a volume that will have to be deleted.
    HoldPv,
    /// Take it off a volume that will be kept.
    LetGoPv,
    /// Delete the driver's volume.
    DeleteVolume,
    /// The driver's volume is gone: delete the object and take our finalizer off.
    ReleasePv,
}

/// Why nothing is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    VolumeGone,
    NotOurs,
    /// Its reclaim policy keeps it.
    Kept,
    InUse,
    /// Neither bound nor released.
    NotReleased,
    /// It goes, and not by our doing: our finalizer is not on it.
    NotHeld,
    StillAttached,
}

/// Why a released volume cannot be deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("driver {driver} does not offer {capability}")]
    DriverLacks { driver: DriverName, capability: &'static str },
    #[error("spec.csi is missing: what the volume is called at driver {0} is not known")]
    NoHandle(DriverName),
    #[error("PersistentVolume {0:?} names the same volume and is not released: delete that first, or set this one to Retain")]
    AlsoNamedBy(String),
}

/// Total: any view gets an answer.
pub fn plan(v: &VolumeView) -> Next<Action, Why, Problem> {
    let Some(pv) = &v.volume else { return Next::Rest(Why::VolumeGone) };
    if !ours(pv, v.driver.name.as_str()) {
        return Next::Rest(Why::NotOurs);
    }
    match (pv.reclaim, pv.phase) {
        (Reclaim::Retain | Reclaim::Recycle, _) if pv.held => Next::Do(Action::LetGoPv),
        (Reclaim::Retain | Reclaim::Recycle, _) => Next::Rest(Why::Kept),
        (Reclaim::Delete, Phase::Bound) if !pv.held && !pv.deleting => Next::Do(Action::HoldPv),
        (Reclaim::Delete, Phase::Bound) => Next::Rest(Why::InUse),
        (Reclaim::Delete, Phase::Other) => Next::Rest(Why::NotReleased),
        (Reclaim::Delete, Phase::Released) if pv.deleting && !pv.held => Next::Rest(Why::NotHeld),
        (Reclaim::Delete, Phase::Released) => released(v, pv),
    }
}

fn released(v: &VolumeView, pv: &Volume) -> Next<Action, Why, Problem> {
    let lacks = |capability| Next::Refuse(Problem::DriverLacks { driver: v.driver.name.clone(), capability });
    let also_named_by = |name: &String| Next::Refuse(Problem::AlsoNamedBy(name.clone()));
    match () {
        () if v.deleted || !on(Rule::VolumeBeforeRecord) => Next::Do(Action::ReleasePv),
        () if pv.handle.is_none() => Next::Refuse(Problem::NoHandle(v.driver.name.clone())),
        () if !v.driver.has(PluginCapability::ControllerService) => lacks("CONTROLLER_SERVICE"),
        () if !v.driver.can(ControllerCapability::CreateDeleteVolume) => lacks("CREATE_DELETE_VOLUME"),
        // Whose detach is under way keeps its data; the attachment's end wakes the volume.
        () if v.attached_to.is_some() && on(Rule::DeleteAfterDetach) => Next::Rest(Why::StillAttached),
        // Upstream deletes what the other one still needs.
        () => v.also_named_by.as_ref().map_or(Next::Do(Action::DeleteVolume), also_named_by),
    }
}

/// Whoever made it deletes it; a volume that nobody is written down for is its driver's.
fn ours(pv: &Volume, driver: &str) -> bool {
    match &pv.provisioned_by {
        Some(by) => by == driver,
        None => pv.driver.as_deref() == Some(driver),
    }
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::HoldPv => "hold_pv",
            Action::LetGoPv => "let_go_pv",
            Action::DeleteVolume => "delete_volume",
            Action::ReleasePv => "release_pv",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::VolumeGone => "VolumeGone",
            Why::NotOurs => "NotOurs",
            Why::Kept => "Kept",
            Why::InUse => "InUse",
            Why::NotReleased => "NotReleased",
            Why::NotHeld => "NotHeld",
            Why::StillAttached => "StillAttached",
        }
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        match self {
            Problem::DriverLacks { .. } => "DriverLacks",
            Problem::NoHandle(_) => "NoHandle",
            Problem::AlsoNamedBy(_) => "AlsoNamedBy",
        }
    }
}

#[cfg(test)]
mod tests;
