//! What to do about one object, and, once the API has been asked about its owners, whether it goes. Both pure.
//!
//! Upstream: pkg/controller/garbagecollector `attemptToDeleteItem`, `processDeletingDependentsItem`, `orphanDependents`.

use std::convert::Infallible;

use csi_types::Reason;

use super::graph::Facts;

/// The facts about one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// `None`: it is gone, or needs nothing.
    pub(crate) facts: Option<Facts>,
    /// Every kind has been listed once, so that no dependent is overlooked.
    pub(crate) complete: bool,
    /// What the API said a moment ago, and nothing has changed since. A hint.
    pub(crate) kept: Option<Why>,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Ask the API about it and its owners, and do what [`judge`] says.
    Verify,
    /// No dependent blocks its deletion any more.
    ReleaseOwner,
    /// Take its references out of its dependents, then let it go.
    OrphanDependents,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Gone,
    /// Not everything has been listed yet.
    NotListed,
    NoOwners,
    /// Its owners are there.
    Owned,
    /// So the API says, and the watch has yet to.
    FoundOwned,
    /// It is being deleted, and not by way of its dependents.
    Going,
    /// Its deletion waits for its dependents'.
    BlockedByDependents,
    /// The API was told; the watch will say what came of it.
    Settled,
    /// An owner is of a kind that is not served. It may be served again: nothing is deleted for that.
    OwnerKindUnknown,
    /// Something without a namespace cannot be owned by something with one. Upstream never collects it.
    OwnerOutOfReach,
}

/// The next step. Total.
pub(crate) fn plan(view: &View) -> Next {
    use csi_types::Next::{Do, Rest};
    let Some(facts) = &view.facts else { return Rest(Why::Gone) };
    let waits = facts.deleting && (facts.orphan || facts.foreground);
    match view {
        _ if facts.deleting && !waits => Rest(Why::Going),
        _ if !facts.deleting && facts.owners == 0 => Rest(Why::NoOwners),
        _ if !facts.deleting && facts.doubtful == 0 => Rest(Why::Owned),
        View { complete: false, .. } => Rest(Why::NotListed),
        View { kept: Some(why), .. } => Rest(*why),
        _ if !facts.deleting => Do(Action::Verify),
        _ if facts.orphan => Do(Action::OrphanDependents),
        _ if facts.blocking > 0 => Rest(Why::BlockedByDependents),
        _ => Do(Action::ReleaseOwner),
    }
}

/// What the API says of one owner, by the reference's apiVersion, kind and name and the dependent's namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Solid,
    /// It is being deleted in the foreground.
    Waiting,
    /// Not there, or another object of that name.
    Absent,
    KindUnknown,
    OutOfReach,
}

/// What is known of an object when its fate is decided.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Case {
    /// In the order of its references.
    pub(crate) owners: Vec<Standing>,
    pub(crate) has_dependents: bool,
    pub(crate) orphan: bool,
    pub(crate) foreground: bool,
}

/// How an object's own dependents fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Background,
    Foreground,
    Orphan,
}

/// An object's fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep(Why),
    /// It keeps an owner, and loses the references at these places.
    Unref(Vec<usize>),
    Delete(Policy),
}

/// Whether an object goes. It stays while any owner is there, and while it cannot be known whether one is.
pub(crate) fn judge(case: &Case) -> Verdict {
    let any = |standing| case.owners.contains(&standing);
    if any(Standing::KindUnknown) {
        return Verdict::Keep(Why::OwnerKindUnknown);
    }
    if any(Standing::OutOfReach) {
        return Verdict::Keep(Why::OwnerOutOfReach);
    }
    if any(Standing::Solid) || case.owners.is_empty() {
        let lost: Vec<usize> = (0..case.owners.len()).filter(|at| case.owners[*at] != Standing::Solid).collect();
        return if lost.is_empty() { Verdict::Keep(Why::FoundOwned) } else { Verdict::Unref(lost) };
    }
    if any(Standing::Waiting) && case.has_dependents {
        return Verdict::Delete(Policy::Foreground);
    }
    let policy = match (case.orphan, case.foreground) {
        (true, _) => Policy::Orphan,
        (_, true) => Policy::Foreground,
        _ => Policy::Background,
    };
    Verdict::Delete(policy)
}

/// What [`plan`] answers.
pub(crate) type Next = csi_types::Next<Action, Why, Infallible>;

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::Verify => "verify",
            Action::ReleaseOwner => "release_owner",
            Action::OrphanDependents => "orphan_dependents",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::NotListed => "NotListed",
            Why::NoOwners => "NoOwners",
            Why::Owned => "Owned",
            Why::FoundOwned => "FoundOwned",
            Why::Going => "Going",
            Why::BlockedByDependents => "BlockedByDependents",
            Why::Settled => "Settled",
            Why::OwnerKindUnknown => "OwnerKindUnknown",
            Why::OwnerOutOfReach => "OwnerOutOfReach",
        }
    }
}
