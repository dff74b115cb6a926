//! An intent that another process, or another term, left open: the same call is repeated, and a PersistentVolume saved for what
//! comes of it, whatever became of claim, namespace and class.
//!
//! That is the ordinary path: Kubernetes finds a volume whose claim is gone to be released, and deleting it, or keeping it where
//! the policy says so, is ordinary work. If a PersistentVolume names it already, the plan crosses the intent out.

use std::sync::Arc;

use cluster::intents::Found;
use cluster::{Key, Keys};
use csi_types::DriverName;
use jiff::Timestamp;
use rt::Ctx;
use rt::rules::{Rule, on};

use crate::intent;
use crate::memory::Memory;
use crate::observe::ClaimKey;

pub(crate) struct Settle {
    pub(crate) ctx: Ctx,
    pub(crate) driver: DriverName,
    pub(crate) memory: Arc<Memory>,
    pub(crate) claims: Arc<Keys<ClaimKey>>,
}

impl Settle {
    /// Returns when it was begun, or why it cannot be gone on from.
    pub(crate) fn found(&self, found: Found<'_>) -> Result<Timestamp, String> {
        let intent = intent::read(found.key, found.text, &self.driver)?;
        if !on(Rule::IntentsAreSettled) {
            return Ok(intent.started);
        }
        let ask = &intent.ask;
        self.memory.asking(found.term, ask, found.text.into(), self.ctx.now());
        let object = Key::namespaced(&ask.claim_namespace, &ask.claim_name);
        self.claims.add(ClaimKey { object, uid: ask.claim_uid.as_str().into() });
        Ok(intent.started)
    }
}
