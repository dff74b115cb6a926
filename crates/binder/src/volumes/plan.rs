//! The next step for one PersistentVolume: its phase, and what becomes of it when its claim is gone. Decides from facts alone.
//!
//! Binding itself is the claims' business. Upstream: pv_controller.go `syncVolume`, `reclaimVolume`.

use std::convert::Infallible;
use std::sync::Arc;

use cluster::kinds::{Claim, Phase, ReclaimPolicy, Volume};
use csi_types::Reason;

use crate::claims::plan::IN_TREE;
use crate::matching;
use crate::words::{self, Say};

/// The facts about one volume.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct View {
    /// `None`: there is no such volume any more.
    pub(crate) volume: Option<Arc<Volume>>,
    /// The claim of the name that the claimRef has; its uid may be another.
    pub(crate) claim: Option<Arc<Claim>>,
    /// What people were told about it lately. A hint.
    pub(crate) told: Option<Say>,
}

/// What can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    MarkAvailable,
    MarkBound,
    /// Its claim is gone, which is looked up once more before it is written down.
    Release,
    /// Its claim has another volume: it is free again, or reserved, if a user had reserved it.
    Unbind,
    MarkFailed(Say),
    /// It was given to a claim that wants another volumeMode.
    TellMode,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Gone,
    Available,
    Bound,
    /// It is for a claim that has not taken it yet; that is the next step for the claim.
    ClaimsTurn,
    ModeMismatch,
    /// Released, and to be kept.
    Retained,
    /// Released: its provisioner deletes it.
    ProvisionersTurn,
    /// It belongs to the migration of an in-tree plugin.
    Migrated,
    /// It failed, and stays so that people see it.
    Failed,
}

/// The next step. Total: any view gets an answer.
pub(crate) fn plan(v: &View) -> Next {
    let Some(volume) = &v.volume else { return Next::Rest(Why::Gone) };
    let to = |phase: Phase, action: Action, why: Why| if volume.phase == phase { Next::Rest(why) } else { Next::Do(action) };
    let available = || to(Phase::Available, Action::MarkAvailable, Why::Available);
    // Without a uid it is reserved, and the claim will take it.
    let Some(of) = volume.claim.as_ref().filter(|of| !of.uid.is_empty()) else { return available() };
    let Some(claim) = v.claim.as_ref().filter(|claim| claim.meta.uid == of.uid) else { return released(volume) };
    match claim.volume.as_deref() {
        None if !matching::same_mode(volume, claim) => {
            let told = v.told.as_ref() == Some(&mode_words(volume, claim).0);
            if told { Next::Rest(Why::ModeMismatch) } else { Next::Do(Action::TellMode) }
        }
        None => Next::Rest(Why::ClaimsTurn),
        Some(name) if name == volume.meta.key.name() => to(Phase::Bound, Action::MarkBound, Why::Bound),
        // The claim was provisioned for twice: nobody has ever written to this one.
        Some(_) if volume.provisioned_by.is_some() && volume.reclaim_policy == ReclaimPolicy::Delete => released(volume),
        Some(_) => Next::Do(Action::Unbind),
    }
}

/// What people are told of both.
pub(crate) fn mode_words(volume: &Volume, claim: &Claim) -> (Say, Say) {
    (words::volume_mode_of_volume(claim.meta.key.name()), words::volume_mode_of_claim(volume.meta.key.name()))
}

fn released(volume: &Volume) -> Next {
    match volume.phase {
        Phase::Released => reclaim(volume),
        Phase::Failed => Next::Rest(Why::Failed),
        Phase::Pending | Phase::Available | Phase::Bound | Phase::Unknown => Next::Do(Action::Release),
    }
}

/// The policy counts as it is now, not as it was when the volume was released.
fn reclaim(volume: &Volume) -> Next {
    if volume.migrated_to.as_deref().is_some_and(|driver| !driver.is_empty()) {
        return Next::Rest(Why::Migrated);
    }
    match volume.reclaim_policy {
        ReclaimPolicy::Retain => Next::Rest(Why::Retained),
        ReclaimPolicy::Unknown => Next::Do(Action::MarkFailed(words::unknown_policy())),
        // Upstream recycles two kinds of in-tree volumes; neither is served here.
        ReclaimPolicy::Recycle => Next::Do(Action::MarkFailed(words::no_recycler())),
        ReclaimPolicy::Delete => {
            let external = match volume.provisioned_by.as_deref().filter(|name| !name.is_empty()) {
                Some(name) => !name.starts_with(IN_TREE),
                None => volume.csi.is_some(),
            };
            if external {
                return Next::Rest(Why::ProvisionersTurn);
            }
            Next::Do(Action::MarkFailed(words::no_deleter(volume.meta.key.name())))
        }
    }
}

/// What [`plan`] answers.
pub(crate) type Next = csi_types::Next<Action, Why, Infallible>;

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::MarkAvailable => "mark_available",
            Action::MarkBound => "mark_bound",
            Action::Release => "release",
            Action::Unbind => "unbind",
            Action::MarkFailed(_) => "mark_failed",
            Action::TellMode => "tell_mode",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::Available => "Available",
            Why::Bound => "Bound",
            Why::ClaimsTurn => "ClaimsTurn",
            Why::ModeMismatch => "ModeMismatch",
            Why::Retained => "Retained",
            Why::ProvisionersTurn => "ProvisionersTurn",
            Why::Migrated => "Migrated",
            Why::Failed => "Failed",
        }
    }
}

#[cfg(test)]
mod tests;
