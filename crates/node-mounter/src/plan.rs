//! The rules for one volume on this node: [`View`] in, [`Next`] out. Read this file first.
//!
//! A view is what the Pods want, what the journal says was done, and what stands in the way. The order of the rules is the
//! order in which data is safe: what no pod wants is unpublished before anything is mounted, a volume is unstaged only when
//! no publish is left and no pod wants it, and nothing is mounted before the Node says, in the API, that it is attached
//! and in use. Knows no clock, no API and no driver.

use std::collections::BTreeMap;
use std::path::PathBuf;

use csi_types::{Next, Reason, VolumeMode};
use rt::Instant;
use rt::rules::{self, Rule};

use crate::journal::{Place, Record, Stage};

/// Everything that the rules look at, for one volume.
#[derive(Debug, Clone)]
pub struct View {
    /// The time.
    pub now: Instant,
    /// What the journal says. `None`: nothing was ever begun.
    pub record: Option<Record>,
    /// Pods whose volume this is, ordered by place.
    pub wants: Vec<Want>,
    /// What is known of the pods that it is published to. A place that is missing belongs to a pod that is gone.
    pub pods: BTreeMap<Place, Life>,
    /// Whether all pods of this node have been listed since this process started. Before that, nothing is torn down.
    pub pods_listed: bool,
    /// Whether the driver is registered here.
    pub driver_registered: bool,
    /// Whether the API has confirmed that this volume is in the Node's `volumesInUse`.
    pub reported_in_use: bool,
    /// Whether the Node's `volumesAttached` names it, as far as our watch has seen. Looked up again before each call.
    pub attached: bool,
    /// Whether this node is declared out of service: another node may be given the volume at any moment.
    pub out_of_service: bool,
    /// Other mounts of what is mounted at the staging path, outside of the pods' own places.
    pub leaked: Vec<PathBuf>,
    /// What we remember of earlier attempts. A hint: without it, calls come earlier than they need to.
    pub memory: Memory,
}

/// One pod that wants this volume at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// For whom and under which name.
    pub place: Place,
    /// Filesystem or device.
    pub mode: VolumeMode,
    /// Whether the driver attaches (its CSIDriver says so, or there is none).
    pub attachable: bool,
    /// Whether the volume is the pod's own, inline.
    pub inline: bool,
    /// Whether the only access mode is ReadWriteOncePod.
    pub one_pod_only: bool,
    /// Whether NodePublishVolume is to be repeated from time to time.
    pub republish: bool,
    /// A pod on its way out keeps what it has and gets nothing new.
    pub leaving: bool,
}

/// What is known of a pod that a volume is published to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It is bound here and its containers run or may run.
    Alive,
    /// Its containers are gone for good.
    Ended,
}

/// What of earlier attempts matters for the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// When an operation that failed may be tried again. By operation and pod, so that one pod's failing mount and another
    /// pod's failing unmount do not reset each other.
    pub not_before: BTreeMap<(Operation, Option<Place>), Instant>,
    /// When a publish is to be repeated.
    pub republish_at: BTreeMap<Place, Instant>,
}

/// What can fail by itself and is waited for by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are those of the actions")]
pub enum Operation {
    NodeStageVolume,
    NodePublishVolume,
    NodeUnpublishVolume,
    NodeUnstageVolume,
    ForgetVolume,
}

/// One step. Variants that call the driver are spelled as the RPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// On behalf of this pod, whose fsGroup goes with it.
    NodeStageVolume(Place),
    /// To this pod.
    NodePublishVolume(Place),
    /// From this pod.
    NodeUnpublishVolume(Place),
    /// The last one is out.
    NodeUnstageVolume,
    /// Nothing was staged, nothing is published: cross the record out.
    ForgetVolume,
}

/// Why there is nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Every pod that wants it has it. If it is to be published again: when.
    AlreadyMounted(Option<Instant>),
    /// No pod wants it and no trace is left.
    NothingWanted,
    /// The pods that hold it are leaving, and still run.
    StillRunning,
    /// Nobody may be evicted before all pods are known.
    PodsNotListed,
    /// `volumesInUse` is on its way to the API. Until it is there, the volume could be detached under us.
    NotReportedInUse,
    /// The attach/detach controller or the attacher has not finished.
    NotAttached,
    /// The driver has not registered with this node, or not again.
    DriverNotRegistered,
    /// The last attempt failed; the next is at this time.
    BackingOff(Instant),
}

/// What is wrong and cannot be mended here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// ReadWriteOncePod, and another pod on this node has it.
    UsedByAnotherPod {
        /// Who asks.
        place: Place,
        /// Who has it.
        holder: Place,
    },
    /// The node carries the out-of-service taint: the volume may be somebody else's by now.
    NodeOutOfService,
    /// Staged as a filesystem and wanted as a device, or the other way round.
    OtherMode {
        /// Who asks.
        place: Place,
        /// How it is held.
        held_as: VolumeMode,
    },
    /// Somebody bind-mounted the staged volume; unstaging would pull it away under them.
    MountedElsewhere(PathBuf),
}

/// The next step for one volume. Total: any view gets an answer.
pub fn plan(v: &View) -> Next<Action, Why, Problem> {
    let mut waits = Waits::default();
    if let Some(record) = &v.record
        && let Some(next) = tear_down(v, record, &mut waits)
    {
        return next;
    }
    let mut mounted = true;
    for want in &v.wants {
        match mount(v, want, &mut waits) {
            Some(Next::Rest(Why::AlreadyMounted(again))) => waits.again(again),
            Some(next @ Next::Do(_)) => return next,
            Some(Next::Rest(why)) => {
                mounted = false;
                waits.note(Next::Rest(why));
            }
            Some(Next::Refuse(problem)) => {
                mounted = false;
                waits.note(Next::Refuse(problem));
            }
            None => mounted = false,
        }
    }
    waits.answer(mounted && !v.wants.is_empty())
}

/// Unpublish what no pod wants, then unstage what nobody holds. `None`: nothing of this is due.
fn tear_down(v: &View, record: &Record, waits: &mut Waits) -> Option<Next<Action, Why, Problem>> {
    let ended = record.publishes.iter().filter(|publish| v.pods.get(&publish.place) != Some(&Life::Alive));
    for publish in ended {
        if !v.pods_listed {
            waits.note(Next::Rest(Why::PodsNotListed));
        } else if !v.driver_registered {
            waits.note(Next::Rest(Why::DriverNotRegistered));
        } else if waits.due(v, Operation::NodeUnpublishVolume, Some(&publish.place)) {
            return Some(Next::Do(Action::NodeUnpublishVolume(publish.place.clone())));
        }
    }
    let published = !record.publishes.is_empty() && rules::on(Rule::UnpublishBeforeUnstage);
    if published || v.wants.iter().any(|want| !want.leaving) {
        return None;
    }
    if !v.pods_listed {
        waits.note(Next::Rest(Why::PodsNotListed));
        return None;
    }
    match record.stage {
        Stage::No | Stage::NotNeeded if waits.due(v, Operation::ForgetVolume, None) => {
            return Some(Next::Do(Action::ForgetVolume));
        }
        Stage::No | Stage::NotNeeded => return None,
        Stage::Maybe | Stage::Yes => {}
    }
    if !v.driver_registered {
        waits.note(Next::Rest(Why::DriverNotRegistered));
    } else if let Some(place) = v.leaked.first() {
        waits.note(Next::Refuse(Problem::MountedElsewhere(place.clone())));
    } else if waits.due(v, Operation::NodeUnstageVolume, None) {
        return Some(Next::Do(Action::NodeUnstageVolume));
    }
    None
}

/// Bring one pod its volume. `None`: its turn comes later, and the reason is noted.
fn mount(v: &View, want: &Want, waits: &mut Waits) -> Option<Next<Action, Why, Problem>> {
    let record = v.record.as_ref();
    let publish = record.and_then(|record| record.publish(&want.place));
    let done = publish.is_some_and(|publish| publish.done) && record.is_some_and(|record| record.stage != Stage::Maybe);
    if want.leaving {
        return Some(Next::Rest(if publish.is_some() { Why::StillRunning } else { Why::NothingWanted }));
    }
    let republish_at =
        if done && want.republish { Some(v.memory.republish_at.get(&want.place).copied().unwrap_or(v.now)) } else { None };
    if done && republish_at.is_none_or(|at| at > v.now) {
        return Some(Next::Rest(Why::AlreadyMounted(republish_at)));
    }
    if v.out_of_service {
        return Some(Next::Refuse(Problem::NodeOutOfService));
    }
    if let Some(record) = record {
        if record.mode != want.mode {
            return Some(Next::Refuse(Problem::OtherMode { place: want.place.clone(), held_as: record.mode }));
        }
        if let Some(other) = record.publishes.iter().find(|other| other.place.pod_uid != want.place.pod_uid)
            && want.one_pod_only
        {
            return Some(Next::Refuse(Problem::UsedByAnotherPod { place: want.place.clone(), holder: other.place.clone() }));
        }
    }
    if !v.driver_registered {
        return Some(Next::Rest(Why::DriverNotRegistered));
    }
    if want.attachable {
        if !v.reported_in_use && rules::on(Rule::InUseBeforeMount) {
            return Some(Next::Rest(Why::NotReportedInUse));
        }
        if !v.attached {
            return Some(Next::Rest(Why::NotAttached));
        }
    }
    let staged = want.inline || matches!(record.map(|record| record.stage), Some(Stage::Yes | Stage::NotNeeded));
    let (operation, pod) = match staged {
        // Staging is the volume's matter, whoever asks: its backoff is too.
        false => (Operation::NodeStageVolume, None),
        true => (Operation::NodePublishVolume, Some(&want.place)),
    };
    if !waits.due(v, operation, pod) {
        return None;
    }
    Some(Next::Do(match staged {
        false => Action::NodeStageVolume(want.place.clone()),
        true => Action::NodePublishVolume(want.place.clone()),
    }))
}

/// What the rules came across and did not act on. The loudest is the answer: a problem, then a reason, then a time.
#[derive(Default)]
struct Waits {
    problem: Option<Problem>,
    why: Option<Why>,
    backoff: Option<Instant>,
    again: Option<Instant>,
}

impl Waits {
    fn note(&mut self, next: Next<Action, Why, Problem>) {
        match next {
            Next::Refuse(problem) => {
                self.problem.get_or_insert(problem);
            }
            // Weakest of all: it only says what is not there.
            Next::Rest(Why::NothingWanted) | Next::Do(_) => {}
            Next::Rest(why) => {
                self.why.get_or_insert(why);
            }
        }
    }

    fn due(&mut self, v: &View, operation: Operation, place: Option<&Place>) -> bool {
        match v.memory.not_before.get(&(operation, place.cloned())) {
            Some(at) if *at > v.now => {
                self.backoff = earliest(self.backoff, Some(*at));
                false
            }
            _ => true,
        }
    }

    fn again(&mut self, at: Option<Instant>) {
        self.again = earliest(self.again, at);
    }

    fn answer(self, mounted: bool) -> Next<Action, Why, Problem> {
        match (self.problem, self.backoff, self.why) {
            // A time is kept before any reason that has none: somebody has to come back then.
            (_, Some(at), _) => Next::Rest(Why::BackingOff(earliest(Some(at), self.again).unwrap_or(at))),
            (Some(problem), None, _) => Next::Refuse(problem),
            (None, None, Some(why)) => Next::Rest(why),
            (None, None, None) if mounted => Next::Rest(Why::AlreadyMounted(self.again)),
            (None, None, None) => Next::Rest(Why::NothingWanted),
        }
    }
}

fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

// === impl Memory ===

impl Memory {
    /// A pod is through with this volume.
    pub fn forget_place(&mut self, place: &Place) {
        self.not_before.retain(|(_, of), _| of.as_ref() != Some(place));
        self.republish_at.remove(place);
    }
}

// === impl Reason ===

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::NodeStageVolume(_) => "node_stage_volume",
            Action::NodePublishVolume(_) => "node_publish_volume",
            Action::NodeUnpublishVolume(_) => "node_unpublish_volume",
            Action::NodeUnstageVolume => "node_unstage_volume",
            Action::ForgetVolume => "forget_volume",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::AlreadyMounted(_) => "AlreadyMounted",
            Why::NothingWanted => "NothingWanted",
            Why::StillRunning => "StillRunning",
            Why::PodsNotListed => "PodsNotListed",
            Why::NotReportedInUse => "NotReportedInUse",
            Why::NotAttached => "NotAttached",
            Why::DriverNotRegistered => "DriverNotRegistered",
            Why::BackingOff(_) => "BackingOff",
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Problem::UsedByAnotherPod { holder, .. } => {
                write!(f, "the volume is ReadWriteOncePod and in use by the pod with uid {}; it is mounted when that pod is gone", holder.pod_uid)
            }
            Problem::NodeOutOfService => {
                f.write_str("this node carries the taint node.kubernetes.io/out-of-service, so nothing is mounted; remove the taint when the node is sound")
            }
            Problem::OtherMode { held_as, .. } => {
                write!(f, "the volume is held on this node as {held_as:?} for another pod, and cannot be both")
            }
            Problem::MountedElsewhere(path) => {
                write!(f, "the staged volume is also mounted at {}, which no pod has; unmount that, then it can be unstaged", path.display())
            }
        }
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        match self {
            Problem::UsedByAnotherPod { .. } => "UsedByAnotherPod",
            Problem::NodeOutOfService => "NodeOutOfService",
            Problem::OtherMode { .. } => "OtherMode",
            Problem::MountedElsewhere(_) => "MountedElsewhere",
        }
    }
}

#[cfg(test)]
mod tests;
