//! The next step for one namespace. Decides from facts alone.

use std::convert::Infallible;

use csi_types::Reason;

/// The facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    pub(super) exists: bool,
    pub(super) deleting: bool,
    /// It waits for its content to go.
    pub(super) held: bool,
    /// There is a certificate to be published.
    pub(super) has_root_ca: bool,
    pub(super) memory: Memory,
}

/// What was done, and nothing has undone since. A hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Memory {
    pub(super) account: Known,
    pub(super) root_ca: Known,
    pub(super) emptied: Known,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Known {
    #[default]
    No,
    /// It is being done; what changes meanwhile makes it unknown again.
    Looking,
    Yes,
}

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    EnsureAccount,
    EnsureRootCa,
    /// Delete what is in it; if nothing is left, let it go; if something is, say what.
    Empty,
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Gone,
    Active,
    /// Its content is gone; somebody else's finalizer holds it.
    Going,
    /// Something in it has yet to go.
    NotEmpty,
}

/// The next step. Total.
pub(super) fn plan(v: &View) -> Next {
    use csi_types::Next::{Do, Rest};
    let unknown = |known| known != Known::Yes;
    match v {
        View { exists: false, .. } => Rest(Why::Gone),
        View { deleting: true, held: false, .. } => Rest(Why::Going),
        View { deleting: true, .. } if unknown(v.memory.emptied) => Do(Action::Empty),
        View { deleting: true, .. } => Rest(Why::NotEmpty),
        _ if unknown(v.memory.account) => Do(Action::EnsureAccount),
        _ if v.has_root_ca && unknown(v.memory.root_ca) => Do(Action::EnsureRootCa),
        _ => Rest(Why::Active),
    }
}

impl Memory {
    pub(super) const ALL: Self = Self { account: Known::Yes, root_ca: Known::Yes, emptied: Known::Yes };

    pub(super) fn of(&mut self, action: Action) -> &mut Known {
        match action {
            Action::EnsureAccount => &mut self.account,
            Action::EnsureRootCa => &mut self.root_ca,
            Action::Empty => &mut self.emptied,
        }
    }
}

/// What [`plan`] answers.
pub(super) type Next = csi_types::Next<Action, Why, Infallible>;

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Action::EnsureAccount => "ensure_account",
            Action::EnsureRootCa => "ensure_root_ca",
            Action::Empty => "empty",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Why::Gone => "Gone",
            Why::Active => "Active",
            Why::Going => "Going",
            Why::NotEmpty => "NotEmpty",
        }
    }
}
