//! What a pod's containers need next. Pure and total: the rules of restarts and of the end.

pub(crate) mod backoff;

use std::time::Duration;

use csi_types::Reason;
use jiff::{SignedDuration, Timestamp};

use crate::record::Exit;
use backoff::Pauses;

/// One pod, as this host has it.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// `None`: the API does not know it any more.
    pub(crate) pod: Option<PodFacts>,
    /// Init containers in their order, then the others.
    pub(crate) containers: Vec<Container>,
    /// What the API says of the containers is what is so.
    pub(crate) told: bool,
    /// There is something of it on the disk.
    pub(crate) folder: bool,
    pub(crate) now: Timestamp,
}

/// What the API says.
#[derive(Debug, Clone)]
pub(crate) struct PodFacts {
    pub(crate) restart: Restart,
    /// How long a restart waits. `None`: as a kubelet does.
    pub(crate) pauses: Option<Pauses>,
    /// By when containers must have ended. `None`: the pod is not being deleted.
    pub(crate) deadline: Option<Timestamp>,
    /// Its phase says that it has ended.
    pub(crate) ended: bool,
    /// What of its volumes is still awaited. `None`: nothing.
    pub(crate) awaits: Option<String>,
    /// Why it can never run here.
    pub(crate) unfit: Option<String>,
}

/// `restartPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restart {
    Always,
    OnFailure,
    Never,
}

#[derive(Debug, Clone)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) init: bool,
    pub(crate) state: State,
}

/// What a container does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It was never started.
    New,
    Running {
        /// It was asked to end.
        asked: bool,
    },
    Ended {
        exit: Exit,
        /// How often it was started before.
        restarts: u32,
        /// How long it ran.
        ran: SignedDuration,
    },
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start this container (by its place in the view).
    Start(usize),
    /// Ask it to end.
    Terminate(usize),
    /// End it.
    Kill(usize),
    /// Write what is so into the pod's status.
    PostStatus,
    /// Remove the pod's folder.
    RemoveFolder,
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// Everything that should run does.
    Runs,
    /// Nothing is to run any more.
    Ended,
    /// Containers have this long to end by themselves.
    Grace(Duration),
    /// A failing container is started again after this long.
    BackOff(Duration),
    AwaitsVolumes,
    /// An init container runs.
    Initializes,
    /// The mounter takes its volumes, then the API forgets it.
    Leaves,
    Gone,
}

/// What this host cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    Unfit(String),
}

pub(crate) type Next = csi_types::Next<Action, Why, Problem>;

pub(crate) fn plan(view: &View) -> Next {
    use csi_types::Next::{Do, Refuse, Rest};
    let running = view.containers.iter().position(|container| matches!(container.state, State::Running { .. }));
    let Some(pod) = &view.pod else {
        // Nobody waits for its end any more.
        return match running {
            Some(index) => Do(Action::Kill(index)),
            None if view.folder => Do(Action::RemoveFolder),
            None => Rest(Why::Gone),
        };
    };
    if let Some(deadline) = pod.deadline {
        return end(view, deadline);
    }
    if !view.told {
        return Do(Action::PostStatus);
    }
    if pod.ended {
        return Rest(Why::Ended);
    }
    if let Some(unfit) = &pod.unfit {
        return Refuse(Problem::Unfit(unfit.clone()));
    }
    if pod.awaits.is_some() {
        return Rest(Why::AwaitsVolumes);
    }
    start(view, pod.restart, pod.pauses.as_ref())
}

/// All containers are to end.
fn end(view: &View, deadline: Timestamp) -> Next {
    use csi_types::Next::{Do, Rest};
    let left = deadline.duration_since(view.now);
    for (index, container) in view.containers.iter().enumerate() {
        match container.state {
            State::Running { asked: false } => return Do(Action::Terminate(index)),
            State::Running { asked: true } if left <= SignedDuration::ZERO => return Do(Action::Kill(index)),
            State::Running { asked: true } | State::New | State::Ended { .. } => {}
        }
    }
    if view.containers.iter().any(|container| matches!(container.state, State::Running { .. })) {
        return Rest(Why::Grace(left.unsigned_abs()));
    }
    // The mounter takes the volumes away when no status says `running` any more.
    if view.told { Rest(Why::Leaves) } else { Do(Action::PostStatus) }
}

/// Whatever should run is started: init containers one after the other, then all others.
fn start(view: &View, restart: Restart, pauses: Option<&Pauses>) -> Next {
    use csi_types::Next::{Do, Rest};
    let mut wait: Option<Duration> = None;
    for (index, container) in view.containers.iter().enumerate() {
        // An init container that has to succeed is started again unless the policy says never.
        let again = match (&container.state, container.init, restart) {
            (State::New, ..) => return Do(Action::Start(index)),
            (State::Running { .. }, true, _) => return Rest(Why::Initializes),
            (State::Running { .. }, false, _) => continue,
            (State::Ended { exit, .. }, true, _) if exit.code == 0 => continue,
            // It will never be initialized.
            (State::Ended { .. }, true, Restart::Never) => return Rest(Why::Ended),
            (State::Ended { .. }, false, Restart::Never) => continue,
            (State::Ended { exit, .. }, false, Restart::OnFailure) if exit.code == 0 => continue,
            (State::Ended { exit, restarts, ran }, ..) => {
                due(exit, Pauses::pause(pauses, *restarts, ran.unsigned_abs()), view.now)
            }
        };
        match again {
            Duration::ZERO => return Do(Action::Start(index)),
            again if container.init => return Rest(Why::BackOff(again)),
            again => wait = Some(wait.map_or(again, |wait| wait.min(again))),
        }
    }
    match wait {
        Some(wait) => Rest(Why::BackOff(wait)),
        None => Rest(Why::Runs),
    }
}

/// How long a container that has ended still waits to be started again.
fn due(exit: &Exit, pause: Duration, now: Timestamp) -> Duration {
    let waited = now.duration_since(exit.at).max(SignedDuration::ZERO).unsigned_abs();
    pause.saturating_sub(waited)
}

impl Reason for Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "start_container",
            Self::Terminate(_) => "terminate_container",
            Self::Kill(_) => "kill_container",
            Self::PostStatus => "post_status",
            Self::RemoveFolder => "remove_folder",
        }
    }
}

impl Reason for Why {
    fn name(&self) -> &'static str {
        match self {
            Self::Runs => "Runs",
            Self::Ended => "Ended",
            Self::Grace(_) => "Grace",
            Self::BackOff(_) => "BackOff",
            Self::AwaitsVolumes => "AwaitsVolumes",
            Self::Initializes => "Initializes",
            Self::Leaves => "Leaves",
            Self::Gone => "Gone",
        }
    }
}

impl Reason for Problem {
    fn name(&self) -> &'static str {
        match self {
            Self::Unfit(_) => "Unfit",
        }
    }
}

#[cfg(test)]
mod tests;
