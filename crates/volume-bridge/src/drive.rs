//! Drives one volume to a goal: record and mount table, plan, one action, and again.

use csi_types::Next;

use crate::bridge::Bridge;
use crate::error::Error;
use crate::name::Name;
use crate::plan::{Goal, Problem, plan};
use crate::record::Record;

/// No goal needs more than seven.
const MOST_STEPS: usize = 16;

impl Bridge {
    /// Until there is nothing to do. Needs the turn. A dropped future leaves a record from which the next one goes on.
    ///
    /// # Errors
    /// The first action that fails, or why there is none.
    pub(crate) async fn drive(&self, name: &Name, goal: Goal) -> Result<(), Error> {
        let facts = self.facts().await?;
        for _ in 0..MOST_STEPS {
            let Some(record) = self.state.record(name) else { return Ok(()) };
            let mounted = self.is_mounted(name, &self.target(name)).await?;
            let record = record.seen(&self.boot, mounted);
            let action = match plan(&record, &facts, goal) {
                Next::Do(action) => action,
                Next::Rest(why) => {
                    tracing::debug!(volume = %name, ?goal, ?why, "nothing to do");
                    return self.remember(name, record).await;
                }
                Next::Refuse(problem) => return Err(self.refusal(name, &record, &facts.driver, problem)),
            };
            tracing::debug!(volume = %name, ?goal, ?action, "does");
            if let Err(error) = self.act(name, record, &facts, action).await {
                if error.is_unreachable() {
                    // Whoever comes back may be another version of it.
                    self.state.inner().facts = None;
                }
                return Err(error);
            }
        }
        Err(Error::Restless(name.clone()))
    }

    /// What a look changed (a reboot) is written down once there is nothing else to write.
    async fn remember(&self, name: &Name, record: Record) -> Result<(), Error> {
        if self.state.record(name).as_ref() == Some(&record) { Ok(()) } else { self.save(name, &record).await }
    }

    fn refusal(&self, name: &Name, record: &Record, driver: &csi_types::DriverName, problem: Problem) -> Error {
        let name = name.clone();
        match problem {
            Problem::OtherDriver => Error::OtherDriver { name, theirs: record.driver.to_string(), ours: driver.to_string() },
            Problem::Deleting => Error::Deleting(name),
            Problem::CannotCreate => Error::CannotCreate { driver: driver.to_string(), name },
            Problem::InUse => {
                let mounts: Vec<String> = record.mounts.iter().map(|(id, count)| format!("mount id {id} ({count})")).collect();
                Error::InUse { name, mounts: mounts.join(", ") }
            }
            Problem::NoNodeId => Error::NoNodeId(driver.to_string()),
        }
    }
}
