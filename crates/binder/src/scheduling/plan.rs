//! The next step for one Pod on the way to the one node. Decides from facts alone; knows neither caches nor the API nor time.
//!
//! Upstream runs filter, reserve and pre-bind with assumptions in memory. Here every reservation is written at once, and what is
//! written is what the next look finds: a volume with a claimRef is nobody else's.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use cluster::kinds::{Claim, Node, Pod, StorageCapacity, Volume};
use csi_types::Reason;

use super::fit::{Picks, fit, fit_volumes};
pub(crate) use super::waits::{Memory, Wait};
use crate::matching::ClassFact;
use crate::words::{self, Aborted, Say, Unfit};

/// The facts about one pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct View {
    /// `None`: there is no such pod any more.
    pub(crate) pod: Option<Arc<Pod>>,
    /// The one node's name.
    pub(crate) ours: Box<str>,
    /// `None`: it is not registered.
    pub(crate) node: Option<Arc<Node>>,
    /// The claims behind its volumes, each once, in the order of the volumes.
    pub(crate) wants: Vec<Want>,
    /// Volumes that the claims which wait for this pod might get.
    pub(crate) volumes: Vec<Arc<Volume>>,
    /// Drivers of which the node takes only so many volumes.
    pub(crate) loads: Vec<Load>,
    /// A hint.
    pub(crate) memory: Memory,
    /// What people were told about it lately. A hint.
    pub(crate) told: Option<Say>,
}

/// A claim that the pod needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Want {
    /// The claim's name.
    pub(crate) name: String,
    /// It was made for this pod's generic ephemeral volume.
    pub(crate) ephemeral: bool,
    pub(crate) claim: Option<Arc<Claim>>,
    /// Unless it should have been made for this pod and was not.
    pub(crate) owned: bool,
    pub(crate) class: ClassFact,
    /// The volume that the claim names.
    pub(crate) volume: Option<Arc<Volume>>,
    /// It is for one pod only, and another one that has a node uses it.
    pub(crate) exclusive_elsewhere: bool,
    /// Where there is room for its class; `None` where nobody counts.
    pub(crate) room: Option<Vec<Arc<StorageCapacity>>>,
}

/// What one driver's volumes come to on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) limit: i32,
    pub(crate) used: usize,
    /// Those of this pod that are not there already.
    pub(crate) new: usize,
}

impl Want {
    /// Binding has finished.
    pub(super) fn is_bound(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.volume.is_some() && claim.bind_completed)
    }

    /// It waits for its consumer. One that names a volume does not: its user has chosen.
    pub(super) fn is_delayed(&self) -> bool {
        self.claim.as_ref().is_some_and(|claim| claim.volume.is_none()) && self.class.waits_for_consumer()
    }
}

/// What can be done. One file each under `act/`, or one line there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Reserve a volume for a claim of the pod; the claim's own controller finishes the binding.
    HoldVolume(Arc<Claim>, Arc<Volume>),
    /// Have a volume provisioned where the pod will be.
    SelectNode(Arc<Claim>),
    /// Everything is asked for: the time starts.
    Wait(Wait),
    /// What was asked for was refused, or taken back, or took too long.
    Abort(Aborted),
    /// Say why it has no node, in its status and as an event.
    MarkUnschedulable(Unfit),
    /// Put it on the node.
    BindPod,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Gone,
    /// It has ended.
    Over,
    /// Whoever goes is not put anywhere.
    Deleting,
    /// It has another node.
    Elsewhere,
    /// It asks for another scheduler.
    NotOurs,
    /// Its scheduling gates are closed.
    Gated,
    /// It has the node, and all its volumes.
    Placed,
    /// It was put on the node past us, and its volumes cannot be bound there. Upstream never tries.
    PlacedWithoutVolumes,
    Unschedulable,
    WaitingForVolumes(Duration),
    BackingOff(Duration),
}

/// The next step. Total: any view gets an answer.
pub(crate) fn plan(v: &View) -> Next {
    let Some(pod) = &v.pod else { return Next::Rest(Why::Gone) };
    if pod.is_terminal() {
        return Next::Rest(Why::Over);
    }
    if pod.meta.deleting {
        return Next::Rest(Why::Deleting);
    }
    match &pod.scheduling {
        Some(asks) if &*asks.scheduler != words::SCHEDULER => Next::Rest(Why::NotOurs),
        Some(asks) if asks.gated => Next::Rest(Why::Gated),
        Some(asks) => match (v.memory.back_off, fit(v, asks)) {
            (_, Err(unfit)) => unschedulable(v, pod, unfit),
            (Some(left), Ok(_)) => Next::Rest(Why::BackingOff(left)),
            (None, Ok(picks)) => place(v, &picks).unwrap_or(Next::Do(Action::BindPod)),
        },
        None if pod.node != v.ours => Next::Rest(Why::Elsewhere),
        None => placed(v),
    }
}

/// A pod that was made with its node in it never meets a scheduler, and upstream its claims wait for ever. Here there is one node:
/// its consumer is there.
fn placed(v: &View) -> Next {
    if v.wants.iter().all(|want| !want.is_delayed()) {
        return Next::Rest(Why::Placed);
    }
    match (v.memory.back_off, fit_volumes(v)) {
        (_, Err(_)) => Next::Rest(Why::PlacedWithoutVolumes),
        (Some(left), Ok(_)) => Next::Rest(Why::BackingOff(left)),
        (None, Ok(picks)) => place(v, &picks).unwrap_or(Next::Rest(Why::Placed)),
    }
}

fn unschedulable(v: &View, pod: &Pod, unfit: Unfit) -> Next {
    let message = unfit.message();
    let says = |condition: &cluster::kinds::Condition| {
        (&*condition.status, &*condition.reason, &*condition.message) == ("False", unfit.reason(), &*message)
    };
    let known = pod.scheduled.as_ref().is_some_and(|condition| says(condition));
    if known && v.told.as_ref() == Some(&words::failed_scheduling(&message)) {
        return Next::Rest(Why::Unschedulable);
    }
    Next::Do(Action::MarkUnschedulable(unfit))
}

/// The writes before the placement, and the wait for what they bring about. `None`: everything is bound.
fn place(v: &View, picks: &Picks) -> Option<Next> {
    if let Some(aborted) = aborted(v) {
        return Some(Next::Do(Action::Abort(aborted)));
    }
    for (claim, volume) in &picks.hold {
        if volume.claim.as_ref().is_none_or(|of| of.uid != claim.meta.uid) {
            return Some(Next::Do(Action::HoldVolume(claim.clone(), volume.clone())));
        }
    }
    if let Some(claim) = picks.select.iter().find(|claim| claim.selected_node.is_none()) {
        return Some(Next::Do(Action::SelectNode(claim.clone())));
    }
    if v.wants.iter().all(Want::is_bound) {
        return None;
    }
    let wait = Wait {
        selected: picks.select.iter().map(|claim| claim.meta.uid.clone()).collect(),
        reserved: picks.hold.iter().map(|(claim, volume)| (claim.meta.uid.clone(), volume.meta.key.name().into())).collect(),
    };
    Some(match &v.memory.waiting {
        Some((_, left)) => Next::Rest(Why::WaitingForVolumes(*left)),
        None => Next::Do(Action::Wait(wait)),
    })
}

/// Whether what the pod waits for was refused, taken back, or took too long.
fn aborted(v: &View) -> Option<Aborted> {
    let (wait, left) = v.memory.waiting.as_ref()?;
    for want in v.wants.iter().filter(|want| !want.is_bound()) {
        let Some(claim) = &want.claim else { continue };
        let uid = &claim.meta.uid;
        if wait.selected.contains(uid) && claim.selected_node.as_deref() != Some(&*v.ours) {
            return Some(Aborted::Provisioning(want.name.clone()));
        }
        if let Some((_, name)) = wait.reserved.iter().find(|(of, _)| of == uid).filter(|_| claim.volume.is_none()) {
            let held = |volume: &&Arc<Volume>| {
                volume.meta.key.name() == &**name && volume.claim.as_ref().is_some_and(|of| of.uid == *uid)
            };
            if !v.volumes.iter().any(|volume| held(&volume)) {
                return Some(Aborted::Reservation(name.to_string()));
            }
        }
    }
    let unbound = v.wants.iter().any(|want| !want.is_bound());
    (unbound && left.is_zero()).then_some(Aborted::Timeout)
}

/// What [`plan`] answers.
pub(crate) type Next = csi_types::Next<Action, Why, Infallible>;

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::HoldVolume(..) => "hold_volume",
            Action::SelectNode(_) => "select_node",
            Action::Wait(_) => "wait",
            Action::Abort(_) => "abort",
            Action::MarkUnschedulable(_) => "mark_unschedulable",
            Action::BindPod => "bind_pod",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::Over => "Over",
            Why::Deleting => "Deleting",
            Why::Elsewhere => "Elsewhere",
            Why::NotOurs => "NotOurs",
            Why::Gated => "Gated",
            Why::Placed => "Placed",
            Why::PlacedWithoutVolumes => "PlacedWithoutVolumes",
            Why::Unschedulable => "Unschedulable",
            Why::WaitingForVolumes(_) => "WaitingForVolumes",
            Why::BackingOff(_) => "BackingOff",
        }
    }
}

#[cfg(test)]
mod tests;
