//! Writes down what is about to be asked of the driver. Spec: design, "write-ahead intents".

use std::sync::Arc;

use cluster::intents::{Begun, IntentError};
use rt::rules::{Rule, on};

use super::Act;
use crate::ask::Ask;
use crate::error::Error;
use crate::intent;
use crate::view::ClaimView;

impl Act {
    /// Returns when the ask is durable, with what was written of it. An ask that is open already is not written again.
    pub(super) async fn begin(&self, term: u64, ask: &Arc<Ask>) -> Result<Arc<str>, Error> {
        let failed = |source| Error::Intent { name: ask.name.clone(), source };
        let record = match self.memory.record(ask) {
            Some(record) => record,
            None => {
                let written = intent::write(ask, &self.driver_name, &self.run, self.ctx.timestamp());
                written.map_err(|error| failed(IntentError::Text(error.to_string())))?.into()
            }
        };
        let begun = match &self.intents {
            Some(intents) if on(Rule::IntentBeforeCreate) => {
                intents.begin(term, &ask.claim_uid, &record).await.map_err(failed)?
            }
            _ => Begun::Unprotected,
        };
        if begun == Begun::Earlier {
            return Err(Error::EarlierIntent { name: ask.name.clone() });
        }
        Ok(record)
    }

    /// Whether what was looked at is from this term of leadership; in another, nothing of it need be true.
    pub(super) fn still(&self, view: &ClaimView) -> Result<(), Error> {
        match self.leadership.leads(view.recall.term) {
            true => Ok(()),
            false => Err(Error::AnotherTerm { name: view.settings.volume_name(&view.uid) }),
        }
    }
}
