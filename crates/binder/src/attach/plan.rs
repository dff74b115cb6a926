//! The next step for one volume on the node. Decides from facts alone.

use std::time::Duration;

use csi_types::Reason;

/// How long an attacher may say nothing. Upstream: csi_attacher.go.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum View {
    Volume(Facts),
    /// The node's list names something that is not attached any more, and that no volume speaks for.
    Node {
        stray: bool,
    },
}

/// The facts about one volume.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Facts {
    pub(super) node: NodeState,
    /// A pod on the node needs it attached.
    pub(super) wanted: bool,
    pub(super) attachment: Option<AttachmentState>,
    /// What the attacher said last, while it has not attached it.
    pub(super) failure: Option<String>,
    /// In `volumesInUse`: it may be mounted.
    pub(super) in_use: bool,
    /// In `volumesAttached`.
    pub(super) reported: bool,
    /// How long the attacher has been waited for.
    pub(super) waited: Duration,
    /// For messages.
    pub(super) driver: String,
    pub(super) handle: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum NodeState {
    #[default]
    Missing,
    /// Its volumes are none of ours: the annotation that says so is not there.
    Unmanaged,
    Managed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AttachmentState {
    pub(super) attached: bool,
    pub(super) deleting: bool,
    /// Its deletion was asked for, and may yet happen.
    pub(super) detaching: bool,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    CreateAttachment,
    DeleteAttachment,
    /// Bring the node's list in step.
    Report {
        attached: bool,
    },
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    NotWanted,
    NodeMissing,
    NotManaged,
    Attached,
    WaitsForAttacher,
    /// The attachment is being deleted; the end of that brings us back.
    BeingDetached,
    /// Nobody wants it, and the node has not let go of it.
    StillMounted,
    /// The node's list is right.
    InStep,
}

/// What is wrong. The texts are upstream's, for events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("{0}")]
    Failed(String),
    #[error("timed out waiting for external-attacher of {driver} CSI driver to attach volume {handle}")]
    TimedOut { driver: String, handle: String },
}

/// What [`plan`] answers.
pub(super) type Next = csi_types::Next<Action, Why, Problem>;

/// The next step. Total.
pub(super) fn plan(view: &View) -> Next {
    use csi_types::Next::{Do, Rest};
    match view {
        View::Node { stray: true } => Do(Action::Report { attached: false }),
        View::Node { stray: false } => Rest(Why::InStep),
        View::Volume(facts) => match facts.node {
            NodeState::Managed => volume(facts),
            _ if facts.attachment.is_none() && !facts.wanted => Rest(Why::NotWanted),
            NodeState::Missing => Rest(Why::NodeMissing),
            NodeState::Unmanaged => Rest(Why::NotManaged),
        },
    }
}

fn volume(v: &Facts) -> Next {
    use csi_types::Next::{Do, Refuse, Rest};
    // First the list: a mounter must not rely on what is about to go, and what is attached it waits for.
    if !v.is_in_step() {
        return Do(Action::Report { attached: !v.reported });
    }
    match (v.wanted, v.attachment) {
        (false, None) => Rest(Why::NotWanted),
        (true, None) => Do(Action::CreateAttachment),
        (_, Some(AttachmentState { deleting: true, .. })) => Rest(Why::BeingDetached),
        (_, Some(AttachmentState { detaching: true, .. })) => Do(Action::DeleteAttachment),
        (true, Some(AttachmentState { attached: true, .. })) => Rest(Why::Attached),
        (true, Some(_)) => match &v.failure {
            Some(message) => Refuse(Problem::Failed(message.clone())),
            None if v.waited < PATIENCE => Rest(Why::WaitsForAttacher),
            None => Refuse(Problem::TimedOut { driver: v.driver.clone(), handle: v.handle.clone() }),
        },
        (false, Some(_)) if v.in_use => Rest(Why::StillMounted),
        (false, Some(_)) => Do(Action::DeleteAttachment),
    }
}

impl AttachmentState {
    /// Attached, and nobody is about to change that.
    pub(super) fn stays(self) -> bool {
        self.attached && !self.deleting && !self.detaching
    }
}

impl Facts {
    /// It belongs into the node's list.
    pub(super) fn is_attached_for_good(&self) -> bool {
        self.attachment.is_some_and(AttachmentState::stays) && (self.wanted || self.in_use)
    }

    /// The node's list is right about it.
    pub(super) fn is_in_step(&self) -> bool {
        self.is_attached_for_good() == self.reported
    }

    /// It is the attacher's turn.
    pub(super) fn waits(&self) -> bool {
        let waits = self.attachment.is_some_and(|attachment| !attachment.attached && !attachment.deleting);
        self.wanted && waits && self.failure.is_none()
    }
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::CreateAttachment => "create_attachment",
            Action::DeleteAttachment => "delete_attachment",
            Action::Report { .. } => "report",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::NotWanted => "NotWanted",
            Why::NodeMissing => "NodeMissing",
            Why::NotManaged => "NotManaged",
            Why::Attached => "Attached",
            Why::WaitsForAttacher => "WaitsForAttacher",
            Why::BeingDetached => "BeingDetached",
            Why::StillMounted => "StillMounted",
            Why::InStep => "InStep",
        }
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        match self {
            Problem::Failed(_) => "AttachFailed",
            Problem::TimedOut { .. } => "TimedOut",
        }
    }
}
