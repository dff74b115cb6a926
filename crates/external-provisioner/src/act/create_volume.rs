//! Asks the driver for a volume.
//!
//! Idempotent by the volume's name. From before the call until its final answer, an intent holds the ask, and memory with it:
//! whatever happens to claim, class and process, the same call is repeated until it is known what became of it.

use std::sync::Arc;

use csi_types::Verdict;
use rt::rules::{Rule, on};
use tracing::{debug, info, warn};

use super::Act;
use crate::ask::Ask;
use crate::error::Error;
use crate::view::ClaimView;

impl Act {
    pub(super) async fn create_volume(&self, view: &ClaimView, ask: &Arc<Ask>) -> Result<(), Error> {
        let secrets = self.provisioner_secret(ask).await?;
        if !ask.deprecated.is_empty() {
            warn!(class = ask.class, keys = ?ask.deprecated, "deprecated parameters; use those under csi.storage.k8s.io/");
        }
        let term = view.recall.term;
        let record = self.begin(term, ask).await?;
        // Not before: others call while this is written down. The semaphore is never closed.
        let _call = self.calls.acquire().await;
        self.still(view)?;
        self.memory.asking(term, ask, record.clone(), self.ctx.now());
        let answer = self.driver.create_volume(ask.request(secrets)).await;
        if !self.leadership.leads(term) {
            let refused = answer.as_ref().err().is_some_and(|source| source.verdict() != Verdict::MaybeRunning);
            return Err(self.in_another_term(ask, record, refused));
        }
        match answer {
            Ok(volume) => {
                info!(pvc = ask.claim_name, pv = %ask.name, volume = %volume.handle, "volume made");
                self.memory.created(term, ask, volume);
                if !on(Rule::IntentUntilSaved) {
                    self.end(term, &ask.claim_uid);
                }
                Ok(())
            }
            Err(source) => Err(self.not_created(view, ask, source)),
        }
    }

    /// Whoever led in between may have finished what this call began, and deleted it: so the answer says nothing of what there is
    /// now, and the same is asked again by who leads. Unless nothing was made: then nothing need be known of it.
    fn in_another_term(&self, ask: &Arc<Ask>, record: Arc<str>, refused: bool) -> Error {
        let term = self.leadership.term();
        match &self.intents {
            _ if refused => {}
            Some(intents) if !self.leadership.leads(term) => intents.leave(&ask.claim_uid, &record),
            _ => self.memory.asking(term, ask, record, self.ctx.now()),
        }
        Error::AnotherTerm { name: ask.name.clone() }
    }

    /// What a refusal means for the next attempt.
    fn not_created(&self, view: &ClaimView, ask: &Ask, source: csi_client::CallError) -> Error {
        let (name, slow) = (ask.name.clone(), self.slow);
        let verdict = source.verdict();
        if verdict == Verdict::MaybeRunning && on(Rule::RepeatWhatMayRun) {
            debug!(pv = %name, "the driver may still be at it: the same will be asked again");
            return Error::CreateVolume { name, verdict, slow, source };
        }
        self.memory.refused(view.recall.term, ask);
        self.end(view.recall.term, &ask.claim_uid);
        match (verdict, &ask.selected_node) {
            (Verdict::Infeasible, _) => self.memory.infeasible(ask, self.ctx.now(), slow),
            (Verdict::Exhausted, Some(node)) if ask.placed && view.claim.is_some() => {
                self.memory.no_room(&ask.claim_uid, node.clone());
                return Error::NoRoom { name, node: node.clone(), source };
            }
            _ => {}
        }
        if view.claim.is_none() {
            self.memory.settle(&ask.claim_uid);
        }
        Error::CreateVolume { name, verdict, slow, source }
    }
}
