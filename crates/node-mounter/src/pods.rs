//! The controller of pods: which volumes they have, where those are, and when a pod has let go of all of them.
//!
//! ```text
//!  Pod ── resolve_volumes ──> wants ──> (volumes.rs) ──> write_volumes_file ... remove_folders ── delete_pod
//! ```

mod delete_pod;
mod remove_folders;
mod resolve_volumes;
pub(crate) mod volumes_file;

use std::sync::Arc;
use std::time::Duration;

use cluster::drive::{ActError, Controller, Level, Pass, Requeue};
use cluster::kinds::Pod;
use csi_types::{Next, Reason};

use crate::agent::Agent;
use crate::error::Error;
use crate::pod::{PodLife, life};
use cluster::chain;

/// See the module.
pub(crate) struct Pods(pub Agent);

/// The facts about one pod of this node.
#[derive(Debug, Clone)]
pub(crate) struct PodView {
    /// `None`: gone from the API.
    pub pod: Option<Arc<Pod>>,
    /// Whether all its volumes have been looked up.
    pub resolved: bool,
    /// Whether a volume is published to it, or may be.
    pub holds: bool,
    /// Whether `volumes.json` says what is so.
    pub file_current: bool,
    /// Whether its folders have been cleared away.
    pub folders_gone: bool,
    /// Whether its object is ours to delete, and has not been deleted yet.
    pub ours_to_delete: bool,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub(crate) enum PodAction {
    ResolveVolumes,
    WriteVolumesFile,
    RemoveFolders,
    DeletePod,
}

/// Why there is nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodWhy {
    /// The file says where everything is, or why it is not there yet.
    Served,
    /// It is over, and a volume is still published to it.
    WaitsForUnpublish,
    /// It is over and has no volume here; somebody else deletes it.
    Through,
    /// No trace of it.
    Gone,
}

/// There is no problem of a pod that is not an error of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PodProblem {}

/// The next step for one pod. Total.
pub(crate) fn plan(v: &PodView) -> Next<PodAction, PodWhy, PodProblem> {
    let life = v.pod.as_deref().map(life);
    match (life, &v.pod) {
        (Some(PodLife::Wants), _) if !v.resolved => Next::Do(PodAction::ResolveVolumes),
        (Some(PodLife::Wants), _) if !v.file_current => Next::Do(PodAction::WriteVolumesFile),
        // What a leaving pod has is not made sure of again after a restart; the file goes on saying what was so.
        (Some(PodLife::Wants | PodLife::Leaving), _) => Next::Rest(PodWhy::Served),
        _ if v.holds => Next::Rest(PodWhy::WaitsForUnpublish),
        _ if !v.folders_gone => Next::Do(PodAction::RemoveFolders),
        (Some(PodLife::Ended), Some(pod)) if pod.meta.deleting && v.ours_to_delete => Next::Do(PodAction::DeletePod),
        (Some(PodLife::Ended), _) => Next::Rest(PodWhy::Through),
        (None, _) => Next::Rest(PodWhy::Gone),
    }
}

/// What an attempt for a pod failed with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PodError {
    /// Some of its volumes cannot be looked up. The others go on.
    #[error("{0}")]
    Unresolved(String),
    /// Something else.
    #[error(transparent)]
    Other(#[from] Error),
}

impl Controller for Pods {
    const NAME: &'static str = "node-mounter-pods";
    type Key = String;
    type View = PodView;
    type Action = PodAction;
    type Why = PodWhy;
    type Problem = PodProblem;
    type Error = PodError;

    fn observe(&self, uid: &String, _pass: Pass) -> PodView {
        let agent = &self.0;
        let file = volumes_file::content(agent, uid);
        let mut state = agent.state();
        let folders_gone = state.through.contains(uid);
        if folders_gone && !state.pods.contains_key(uid) {
            state.through.remove(uid);
            state.deleted.remove(uid);
        }
        let entry = state.pods.get(uid);
        PodView {
            pod: entry.map(|entry| entry.pod.clone()),
            resolved: entry.is_some_and(|entry| entry.wants.is_some() && entry.unresolved.is_empty()),
            holds: state.holds(uid),
            file_current: state.files.get(uid).is_some_and(|written| *written == file),
            folders_gone,
            ours_to_delete: agent.config.register_node && !state.deleted.contains(uid),
        }
    }

    fn plan(&self, view: &PodView) -> Next<PodAction, PodWhy, PodProblem> {
        plan(view)
    }

    async fn act(&self, uid: &String, view: &PodView, action: &PodAction) -> Result<(), PodError> {
        match (action, &view.pod) {
            (PodAction::ResolveVolumes, Some(pod)) => {
                let resolved = resolve_volumes::act(&self.0, pod).await;
                if resolved.is_err() {
                    // The next pass looks again; until then the file says what is missing.
                    volumes_file::act(&self.0, uid).await?;
                }
                resolved
            }
            (PodAction::WriteVolumesFile, _) => Ok(volumes_file::act(&self.0, uid).await?),
            (PodAction::RemoveFolders, _) => Ok(remove_folders::act(&self.0, uid).await?),
            (PodAction::DeletePod, Some(pod)) => Ok(delete_pod::act(&self.0, pod).await?),
            (PodAction::ResolveVolumes | PodAction::DeletePod, None) => Ok(()),
        }
    }

    async fn refused(&self, _uid: &String, _view: &PodView, problem: &PodProblem) {
        match *problem {}
    }

    async fn failed(&self, _uid: &String, view: &PodView, error: &PodError) {
        if matches!(error, PodError::Other(error) if error.is_race()) {
            return;
        }
        if let Some(pod) = &view.pod {
            self.0.warn(pod, "FailedMount", chain(error));
        }
    }

    fn look_again(&self, why: &PodWhy) -> Option<Duration> {
        match why {
            PodWhy::WaitsForUnpublish => Some(Duration::from_secs(60)),
            PodWhy::Served | PodWhy::Through | PodWhy::Gone => None,
        }
    }

    fn forget(&self, why: &PodWhy) -> bool {
        matches!(why, PodWhy::Gone)
    }
}

// === impl Reason ===

impl Reason for PodAction {
    fn name(&self) -> &'static str {
        match self {
            PodAction::ResolveVolumes => "resolve_volumes",
            PodAction::WriteVolumesFile => "write_volumes_file",
            PodAction::RemoveFolders => "remove_folders",
            PodAction::DeletePod => "delete_pod",
        }
    }
}

impl Reason for PodWhy {
    fn name(&self) -> &'static str {
        match self {
            PodWhy::Served => "Served",
            PodWhy::WaitsForUnpublish => "WaitsForUnpublish",
            PodWhy::Through => "Through",
            PodWhy::Gone => "Gone",
        }
    }
}

impl Reason for PodProblem {
    fn name(&self) -> &'static str {
        match *self {}
    }
}

impl std::fmt::Display for PodProblem {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

impl ActError for PodError {
    fn word(&self) -> &'static str {
        match self {
            PodError::Unresolved(_) => "Unresolved",
            PodError::Other(error) => error.word(),
        }
    }

    fn requeue(&self) -> Requeue {
        Requeue::Backoff
    }

    fn level(&self) -> Level {
        match self {
            PodError::Unresolved(_) => Level::Warn,
            PodError::Other(error) => error.level(),
        }
    }
}

#[cfg(test)]
mod act_tests;
#[cfg(test)]
mod tests;
