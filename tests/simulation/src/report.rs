//! What people read of a run.

use simulation::Outcome;

/// Prints a run. Returns whether it kept the laws.
pub(crate) fn told(outcome: &Outcome) -> bool {
    print!("{}", outcome.trace);
    for violation in &outcome.violations {
        println!("broken law: {}: {}", violation.law, violation.what);
    }
    println!("{} writes, {} faults, {:?} of virtual time", outcome.writes, outcome.faults.len(), outcome.time);
    outcome.violations.is_empty()
}
