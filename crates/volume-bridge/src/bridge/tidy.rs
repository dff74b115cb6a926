//! What a failure or a crash left half done: finished in the background, with patience.

use std::time::Duration;

use super::Bridge;
use crate::name::Name;
use crate::plan::Goal;
use crate::record::{Origin, Record};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

impl Bridge {
    /// Finishes what is half done, now and whenever something is left, until the shutdown. Nothing is tidied that somebody uses.
    pub async fn keep_tidy(&self) {
        let mut pause = FIRST;
        loop {
            let left = self.tidy().await;
            tokio::select! {
                biased;
                () = self.shutdown.requested() => return,
                () = self.ctx.sleep(pause), if left => pause = (pause * 2).min(LONGEST),
                () = self.state.untidy.notified() => pause = FIRST,
            }
        }
    }

    /// One round. Whether something is left.
    pub(crate) async fn tidy(&self) -> bool {
        let candidates: Vec<Name> = {
            let inner = self.state.inner();
            inner.records.iter().filter(|(_, record)| self.goal(record).is_some()).map(|(name, _)| name.clone()).collect()
        };
        let mut left = false;
        for name in candidates {
            let Ok(_busy) = self.begin() else { return true };
            let _turn = self.state.turn(&name).await;
            let Some(goal) = self.state.record(&name).and_then(|record| self.goal(&record)) else { continue };
            if let Err(error) = self.drive(&name, goal).await {
                tracing::warn!(volume = %name, "what was left of it cannot be finished yet: {error}");
                // A refusal for good leaves no record.
                left |= self.state.record(&name).is_some();
            }
        }
        left
    }

    /// What a volume that nobody asks for now should come to.
    fn goal(&self, record: &Record) -> Option<Goal> {
        match record {
            _ if !record.mounts.is_empty() && *record.boot == *self.boot => None,
            // Who asked for it over CSI asks again there.
            Record { volume: None, origin: Origin::Csi, .. } => None,
            Record { volume: None, .. } => Some(Goal::Created),
            _ if record.deleting => Some(Goal::Gone),
            _ if record.is_up() => Some(Goal::Unused),
            _ => None,
        }
    }
}
