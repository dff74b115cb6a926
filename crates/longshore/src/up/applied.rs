//! `-f`: manifests are applied at the start and whenever they change, and what is wrong with them is said each time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use host::Changes;
use sidecar::Exit;

use super::host::Host;
use super::words::{complain, say};
use crate::manifests::{Applier, Outcome, Problem};

/// Manifests that are kept applied.
pub(crate) struct Applied(Arc<Mutex<Vec<Problem>>>);

impl Applied {
    /// Applies them once, and from then on in a task until the shutdown.
    pub(crate) async fn start(host: &Host, paths: Vec<PathBuf>) -> Self {
        let applied = Self(Arc::default());
        if paths.is_empty() {
            return applied;
        }
        let (ctx, shutdown) = (host.parts.ctx.clone(), host.parts.shutdown.clone());
        let store = host.parts.store.clone();
        let applier = Applier::new(host.parts.client("longshore-manifests"), move || store.registry());
        // Before the first look: a change during it is not missed.
        let mut changes = Changes::new(&ctx, &paths);
        applied.told(applier.apply(&paths).await);
        let kept = Self(applied.0.clone());
        ctx.spawn("manifests", async move {
            loop {
                // What was refused may be right by now; what is applied is a person's to change.
                let refused = kept.verdict().is_err();
                tokio::select! {
                    biased;
                    () = shutdown.requested() => return,
                    () = changes.next(refused) => {}
                }
                kept.told(applier.apply(&paths).await);
            }
        });
        applied
    }

    /// Says what is new: an unchanged folder is looked at now and then, and need not be told of again.
    fn told(&self, outcome: Outcome) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for problem in outcome.problems.iter().filter(|problem| !known.contains(problem)) {
            complain(&format!("{problem}\n"));
        }
        if known.is_empty() && outcome.problems.is_empty() {
            tracing::info!(applied = outcome.applied, "manifests are applied");
        } else {
            let (applied, wrong) = (outcome.applied, outcome.problems.len());
            say(&format!("manifests: {applied} applied, {wrong} with problems\n"));
        }
        *known = outcome.problems;
    }

    /// How the process ends, as far as manifests are concerned.
    ///
    /// # Errors
    /// Something in them was wrong when they were last looked at.
    pub(crate) fn verdict(&self) -> Result<(), Exit> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).len() {
            0 => Ok(()),
            wrong => Err(Exit::failed(format!("{wrong} problems in the manifests of -f are unsolved; they were told above"))),
        }
    }
}
