//! Death at every await: one plan, run again and again, each time with one process dying a few turns of its tasks later.

use crate::laws::Violation;
use crate::plan::{Act, Plan, Step};
use crate::run::run;
use crate::trace::What;

/// What came of the deaths of one process.
#[derive(Debug, Default)]
pub struct Deaths {
    /// How often it died.
    pub runs: u64,
    /// The plans that broke a law, and how.
    pub broken: Vec<(Plan, Violation)>,
}

/// Kills the process at each turn that one of its tasks takes in this plan, or with a stride at so many of them. It starts again, as it
/// always does, and everything must come to what it should.
///
/// A turn may pass several awaits that are ready; memory dies with the process, so only effects outside of it count, and each of
/// those takes a turn of its own.
pub fn deaths(plan: &Plan, process: &str, stride: u64) -> Deaths {
    let mut deaths = Deaths::default();
    // Turns of the first steps of a start differ in nothing.
    for turns in (1..).step_by(usize::try_from(stride.max(1)).unwrap_or(1)) {
        let mut plan = plan.clone();
        plan.steps.insert(0, Step { at: 0, act: Act::KillAfterTurns { process: process.to_owned(), turns } });
        let outcome = run(&plan);
        let died = |entry: &crate::Entry| *entry.who == *process && matches!(entry.what, What::Dead);
        if !outcome.trace.0.iter().any(died) {
            // It took fewer turns than that.
            return deaths;
        }
        deaths.runs += 1;
        if let Some(violation) = outcome.violations.into_iter().next() {
            deaths.broken.push((plan, violation));
        }
    }
    deaths
}

impl Plan {
    /// The life of one volume from a claim and a pod to their end, without anything going wrong.
    pub fn life() -> Self {
        let claim = |name: &str| name.to_owned();
        let acts = [
            (
                1000,
                Act::CreateClaim { name: claim("c0"), class: "fast".to_owned(), mode: "ReadWriteOnce".to_owned(), block: false },
            ),
            (1100, Act::CreatePod { name: "p0".to_owned(), claims: vec![claim("c0")] }),
            (4000, Act::DeletePod { name: "p0".to_owned() }),
            (4200, Act::DeleteClaim { name: claim("c0") }),
        ];
        let steps = acts.map(|(at, act)| Step { at, act }).to_vec();
        Self { seed: 1, shape: Default::default(), steps, rates: Default::default(), faults: Vec::new() }
    }
}
