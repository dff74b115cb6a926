//! Forgets what was asked for, once Kubernetes names what came of it, or nothing did.

use super::Act;
use crate::view::ClaimView;

impl Act {
    /// A PersistentVolume names the volume: from here on it is ordinary work.
    pub(super) fn cross_out(&self, view: &ClaimView) {
        self.memory.saved(view.recall.term, &view.uid);
        self.end(view.recall.term, &view.uid);
    }

    /// There is nothing left at the driver that nothing names.
    pub(super) fn end(&self, term: u64, claim_uid: &str) {
        if let Some(intents) = &self.intents {
            intents.end(term, claim_uid);
        }
    }
}
