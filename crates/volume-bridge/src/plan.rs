//! What is to be done next with one volume. The rules: read this file first.
//!
//! Every action may be repeated, and is, where its outcome is not known. Pure: the record, what the driver can, and what is wanted
//! go in; one action, or why there is none, comes out.

use csi_types::{DriverName, Next, NodeId, Reason, Segments};

use crate::record::{Done, Origin, Record};

/// What the driver said that it can, and where this node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its name.
    pub driver: DriverName,
    /// CREATE_DELETE_VOLUME.
    pub creates: bool,
    /// LIST_VOLUMES.
    pub lists: bool,
    /// PUBLISH_UNPUBLISH_VOLUME.
    pub attaches: bool,
    /// STAGE_UNSTAGE_VOLUME.
    pub stages: bool,
    /// VOLUME_ACCESSIBILITY_CONSTRAINTS: volumes are in places.
    pub has_places: bool,
    /// `None`: the driver was not asked, because neither attaching nor places need it.
    pub node_id: Option<NodeId>,
    /// Where this node is.
    pub place: Segments,
}

/// What is wanted of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// It exists.
    Created,
    /// It is mounted on this host.
    Mounted,
    /// Nothing of it is on this host, unless somebody has it mounted.
    Unused,
    /// It does not exist.
    Gone,
}

/// One step. Those that call the driver are spelled as the RPC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are CSI's own")]
pub enum Action {
    CreateVolume,
    ControllerPublishVolume,
    NodeStageVolume,
    NodePublishVolume,
    NodeUnpublishVolume,
    NodeUnstageVolume,
    ControllerUnpublishVolume,
    DeleteVolume,
    /// Crosses the record out.
    Forget,
}

/// Why there is nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The volume is there.
    Exists,
    /// It is mounted.
    Mounted,
    /// Somebody has it mounted, so it stays.
    InUse,
    /// Nothing of it is on this host.
    Unused,
}

/// Why it cannot be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The record is another driver's.
    OtherDriver,
    /// Its end was asked for, and may have come.
    Deleting,
    /// The driver has no CREATE_DELETE_VOLUME.
    CannotCreate,
    /// Somebody has it mounted.
    InUse,
    /// The driver has a ControllerPublishVolume, and did not say the id of this node.
    NoNodeId,
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Exists => "Exists",
            Why::Mounted => "Mounted",
            Why::InUse => "InUse",
            Why::Unused => "Unused",
        }
    }
}

/// Next step for one volume. Total: any record gets an answer.
pub fn plan(record: &Record, facts: &Facts, goal: Goal) -> Next<Action, Why, Problem> {
    if record.driver != facts.driver {
        return Next::Refuse(Problem::OtherDriver);
    }
    match goal {
        Goal::Created => created(record, facts).unwrap_or(Next::Rest(Why::Exists)),
        Goal::Mounted => created(record, facts).unwrap_or_else(|| mounted(record, facts)),
        Goal::Unused => match unused(record, facts) {
            _ if !record.mounts.is_empty() => Next::Rest(Why::InUse),
            Some(action) => Next::Do(action),
            None => Next::Rest(Why::Unused),
        },
        Goal::Gone => gone(record, facts),
    }
}

/// What is left to do until the volume exists.
fn created(record: &Record, facts: &Facts) -> Option<Next<Action, Why, Problem>> {
    match &record.volume {
        _ if record.deleting => Some(Next::Refuse(Problem::Deleting)),
        Some(_) => None,
        None if !facts.creates => Some(Next::Refuse(Problem::CannotCreate)),
        None => Some(Next::Do(Action::CreateVolume)),
    }
}

fn mounted(record: &Record, facts: &Facts) -> Next<Action, Why, Problem> {
    let here = facts.node_id.as_ref().is_some_and(|id| id.as_str() == record.node_id);
    match record {
        _ if facts.attaches && facts.node_id.is_none() => Next::Refuse(Problem::NoNodeId),
        Record { attached, .. } if facts.attaches && (*attached != Done::Yes || !here) => {
            Next::Do(Action::ControllerPublishVolume)
        }
        Record { staged, .. } if facts.stages && *staged != Done::Yes => Next::Do(Action::NodeStageVolume),
        Record { published, .. } if *published != Done::Yes => Next::Do(Action::NodePublishVolume),
        _ => Next::Rest(Why::Mounted),
    }
}

/// What is left to take back on this host, last first.
fn unused(record: &Record, facts: &Facts) -> Option<Action> {
    match record {
        Record { published: Done::Maybe | Done::Yes, .. } => Some(Action::NodeUnpublishVolume),
        Record { staged: Done::Maybe | Done::Yes, .. } if facts.stages => Some(Action::NodeUnstageVolume),
        Record { attached: Done::Maybe | Done::Yes, .. } if facts.attaches => Some(Action::ControllerUnpublishVolume),
        _ => None,
    }
}

fn gone(record: &Record, facts: &Facts) -> Next<Action, Why, Problem> {
    if !record.mounts.is_empty() {
        return Next::Refuse(Problem::InUse);
    }
    if let Some(action) = unused(record, facts) {
        return Next::Do(action);
    }
    match &record.volume {
        _ if !record.is_deletable() => Next::Do(Action::Forget),
        _ if !facts.creates => Next::Do(Action::Forget),
        // Who asked for it over CSI asks again; the request, and its secrets, are theirs.
        None if record.origin == Origin::Csi => Next::Do(Action::Forget),
        Some(_) => Next::Do(Action::DeleteVolume),
        // Its id is not known: the same call again says it.
        None => Next::Do(Action::CreateVolume),
    }
}

#[cfg(test)]
mod tests;
