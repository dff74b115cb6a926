//! The next step for one PersistentVolumeClaim. Decides from facts alone; knows neither caches nor the API nor time.
//!
//! Upstream: pkg/controller/volume/persistentvolume/pv_controller.go `syncClaim`.

use std::sync::Arc;

use cluster::kinds::{Claim, Phase, Volume};
use csi_types::Reason;

use crate::matching::{self, ClassFact};
use crate::words::{self, Mismatch, Say};

/// The facts about one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// `None`: there is no such claim any more.
    pub(crate) claim: Option<Arc<Claim>>,
    pub(crate) class: ClassFact,
    /// The class for claims that name none.
    pub(crate) default_class: Option<Box<str>>,
    /// The volume that `spec.volumeName` names.
    pub(crate) named: Option<Arc<Volume>>,
    /// Volumes that it might get: those that are free, and those given to it. Only for a claim that names none.
    pub(crate) candidates: Vec<Arc<Volume>>,
    /// The pods that use it and have no node, by name, in order.
    pub(crate) unscheduled: Vec<String>,
    /// What people were told about it lately. A hint.
    pub(crate) told: Option<Say>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            claim: None,
            class: ClassFact::Unset,
            default_class: None,
            named: None,
            candidates: Vec::new(),
            unscheduled: Vec::new(),
            told: None,
        }
    }
}

/// What can be done. One file each under `act/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// The first write of a binding, and its lock: the volume's claimRef.
    HoldVolume(Arc<Volume>),
    /// The second: the volume's phase.
    MarkVolumeBound(Arc<Volume>),
    /// The third: the claim's volumeName, and that binding is complete.
    NameVolume(Arc<Volume>),
    /// The last: the claim's status.
    MarkBound(Arc<Volume>),
    MarkPending,
    MarkLost(Lost),
    /// It names no class, and one has become the default.
    SetDefaultClass(Box<str>),
    /// Start signal for the external provisioner.
    AskProvisioner(Box<str>),
    /// An event, once in a while.
    Tell(Say),
}

/// How a bound claim lost its volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// `spec.volumeName` is empty.
    Reference,
    /// The volume is not there.
    Volume,
    /// The volume is another claim's.
    Misbound,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Gone,
    Bound,
    Lost,
    WaitingForConsumer,
    WaitingForProvisioner,
    /// It is being deleted: nothing is provisioned for it any more.
    Terminating,
    ClassMissing,
    NoProvisioner,
    NoMatch,
    NamedVolumeMissing,
    NamedVolumeMismatch,
    NamedVolumeTaken,
}

impl Why {
    /// Whether people are told of it now and then.
    pub(crate) fn is_told(self) -> bool {
        match self {
            Why::WaitingForConsumer
            | Why::WaitingForProvisioner
            | Why::ClassMissing
            | Why::NoProvisioner
            | Why::NoMatch
            | Why::NamedVolumeMismatch
            | Why::NamedVolumeTaken => true,
            Why::Gone | Why::Bound | Why::Lost | Why::Terminating | Why::NamedVolumeMissing => false,
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("PersistentVolume {0:?} has no spec.capacity.storage, so its claim cannot be bound")]
    NoCapacity(String),
    #[error("invalid binding of claim {claim:?} to volume {volume:?}: volume already claimed by {other:?}")]
    InvalidBinding { claim: String, volume: String, other: String },
}

/// The next step. Total: any view gets an answer.
pub(crate) fn plan(v: &View) -> Next {
    let Some(claim) = &v.claim else { return Next::Rest(Why::Gone) };
    match (claim.bind_completed, &claim.volume) {
        (true, _) => completed(v, claim),
        (false, None) => unbound(v, claim),
        (false, Some(name)) => prebound(v, claim, name),
    }
}

/// Binding once finished: it is made whole again, or the claim is lost.
fn completed(v: &View, claim: &Claim) -> Next {
    let lost = |how| if &*claim.phase == "Lost" { Next::Rest(Why::Lost) } else { Next::Do(Action::MarkLost(how)) };
    match (&claim.volume, &v.named) {
        (None, _) => lost(Lost::Reference),
        (Some(_), None) => lost(Lost::Volume),
        (Some(_), Some(volume)) => match &volume.claim {
            // Somebody emptied it: an administrator cannot free a volume while its claim lives.
            None => bind(claim, volume),
            Some(reference) if reference.uid == claim.meta.uid => bind(claim, volume),
            Some(_) => lost(Lost::Misbound),
        },
    }
}

/// The user, or an earlier pass, chose the volume.
fn prebound(v: &View, claim: &Claim, name: &str) -> Next {
    let Some(volume) = &v.named else { return waiting(v, claim, None, Why::NamedVolumeMissing) };
    let Some(reference) = &volume.claim else {
        return match mismatch(volume, claim) {
            None => bind(claim, volume),
            Some(why) => waiting(v, claim, Some(words::mismatch(name, why)), Why::NamedVolumeMismatch),
        };
    };
    if matching::is_bound_to(volume, claim) {
        return bind(claim, volume);
    }
    if claim.bound_by_controller {
        // Not ours to wait for: somebody took bind-completed away from a claim that was bound.
        let (claim, other) = (claim.meta.key.to_string(), format!("{}/{}", reference.namespace, reference.name));
        return match &v.told {
            Some(told) if *told == words::taken(name) => {
                Next::Refuse(Problem::InvalidBinding { claim, volume: name.to_owned(), other })
            }
            _ => Next::Do(Action::Tell(words::taken(name))),
        };
    }
    waiting(v, claim, Some(words::taken(name)), Why::NamedVolumeTaken)
}

/// In upstream's order. Neither selector nor phase nor affinity counts for a volume that is asked for by name.
fn mismatch(volume: &Volume, claim: &Claim) -> Option<Mismatch> {
    Some(match () {
        () if volume.meta.deleting => Mismatch::Deleting,
        () if !matching::is_large_enough_in_bytes(volume, claim) => Mismatch::Size,
        () if !matching::same_class(volume, claim) => Mismatch::Class,
        () if !matching::same_attributes_class(volume, claim) => Mismatch::AttributesClass,
        () if !matching::same_mode(volume, claim) => Mismatch::Mode,
        () if !matching::has_access_modes(volume, claim) => Mismatch::Access,
        () => return None,
    })
}

fn unbound(v: &View, claim: &Claim) -> Next {
    let delayed = v.class.waits_for_consumer();
    if let Some(volume) = matching::find(claim, &v.candidates, delayed) {
        return bind(claim, &volume);
    }
    if let (None, Some(default), false) = (&claim.class, &v.default_class, claim.meta.deleting) {
        return Next::Do(Action::SetDefaultClass(default.clone()));
    }
    match &v.class {
        ClassFact::Unset | ClassFact::Nothing => waiting(v, claim, Some(words::no_match()), Why::NoMatch),
        _ if delayed && claim.selected_node.is_none() => {
            waiting(v, claim, Some(words::waits_for_consumer(&v.unscheduled)), Why::WaitingForConsumer)
        }
        _ if claim.meta.deleting => Next::Rest(Why::Terminating),
        ClassFact::Missing(class) => tell(v, words::class_missing(class), Why::ClassMissing),
        ClassFact::Found(class) => provision(v, claim, &class.provisioner),
    }
}

/// The status stays as it is, as upstream leaves it.
fn provision(v: &View, claim: &Claim, provisioner: &str) -> Next {
    if provisioner.starts_with(IN_TREE) {
        return tell(v, words::no_plugin(provisioner), Why::NoProvisioner);
    }
    if claim.provisioner.as_deref() != Some(provisioner) {
        return Next::Do(Action::AskProvisioner(provisioner.into()));
    }
    tell(v, words::external_provisioning(provisioner), Why::WaitingForProvisioner)
}

/// Plugins that were compiled into Kubernetes; `kubernetes.io/no-provisioner` is none on purpose.
pub(crate) const IN_TREE: &str = "kubernetes.io/";

fn tell(v: &View, say: Say, why: Why) -> Next {
    if v.told.as_ref() == Some(&say) { Next::Rest(why) } else { Next::Do(Action::Tell(say)) }
}

fn waiting(v: &View, claim: &Claim, say: Option<Say>, why: Why) -> Next {
    match say {
        Some(say) if v.told.as_ref() != Some(&say) => Next::Do(Action::Tell(say)),
        _ if &*claim.phase != "Pending" => Next::Do(Action::MarkPending),
        _ => Next::Rest(why),
    }
}

/// The four writes of a binding, each only if it changes something. The volume comes first, since its claimRef is the lock:
/// after a crash between any two, this is where the next pass ends up again.
fn bind(claim: &Claim, volume: &Arc<Volume>) -> Next {
    let held = volume.claim.as_ref().is_some_and(|reference| reference.uid == claim.meta.uid);
    let named = claim.volume.as_deref() == Some(volume.meta.key.name());
    if !held || !matching::is_bound_to(volume, claim) {
        return Next::Do(Action::HoldVolume(volume.clone()));
    }
    if volume.phase != Phase::Bound {
        return Next::Do(Action::MarkVolumeBound(volume.clone()));
    }
    if !named || !claim.bind_completed {
        return Next::Do(Action::NameVolume(volume.clone()));
    }
    let bound = &*claim.phase == "Bound";
    if bound && claim.bound_access_modes == volume.access_modes {
        return Next::Rest(Why::Bound);
    }
    if !bound && matching::capacity(volume).is_none() {
        return Next::Refuse(Problem::NoCapacity(volume.meta.key.to_string()));
    }
    Next::Do(Action::MarkBound(volume.clone()))
}

/// What [`plan`] answers.
pub(crate) type Next = csi_types::Next<Action, Why, Problem>;

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::HoldVolume(_) => "hold_volume",
            Action::MarkVolumeBound(_) => "mark_volume_bound",
            Action::NameVolume(_) => "name_volume",
            Action::MarkBound(_) => "mark_bound",
            Action::MarkPending => "mark_pending",
            Action::MarkLost(_) => "mark_lost",
            Action::SetDefaultClass(_) => "set_default_class",
            Action::AskProvisioner(_) => "ask_provisioner",
            Action::Tell(_) => "tell",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::Bound => "Bound",
            Why::Lost => "Lost",
            Why::WaitingForConsumer => "WaitingForConsumer",
            Why::WaitingForProvisioner => "WaitingForProvisioner",
            Why::Terminating => "Terminating",
            Why::ClassMissing => "ClassMissing",
            Why::NoProvisioner => "NoProvisioner",
            Why::NoMatch => "NoMatch",
            Why::NamedVolumeMissing => "NamedVolumeMissing",
            Why::NamedVolumeMismatch => "NamedVolumeMismatch",
            Why::NamedVolumeTaken => "NamedVolumeTaken",
        }
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        match self {
            Problem::NoCapacity(_) => "NoCapacity",
            Problem::InvalidBinding { .. } => "InvalidBinding",
        }
    }
}

#[cfg(test)]
mod tests;
