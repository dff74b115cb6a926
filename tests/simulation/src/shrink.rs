//! The smallest plan that breaks the same law: without each step, fault and part of the shape that is not needed.

use crate::fault::Rates;
use crate::laws::Law;
use crate::plan::{Plan, Shape};
use crate::run::{Outcome, run};

/// Makes a plan smaller for as long as it breaks the same law. Returns it with its outcome, or `None` if it breaks none.
pub fn shrink(plan: &Plan, runs: usize) -> Option<(Plan, Outcome)> {
    let outcome = run(plan);
    let law = outcome.violations.first()?.law;
    let mut search = Search { law, left: runs, best: (plan.clone(), outcome) };
    // What went wrong by chance is listed, so that each can be left out.
    let exact = Plan { rates: Rates::default(), faults: search.best.1.faults.clone(), ..plan.clone() };
    search.try_on(exact);
    loop {
        let changed = search.halves() | search.singles() | search.shapes();
        if !changed || search.left == 0 {
            return Some(search.best);
        }
    }
}

struct Search {
    law: Law,
    left: usize,
    best: (Plan, Outcome),
}

impl Search {
    /// Takes the smaller plan if it breaks the same law.
    fn try_on(&mut self, plan: Plan) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let outcome = run(&plan);
        let same = outcome.violations.first().is_some_and(|violation| violation.law == self.law);
        if same {
            self.best = (plan, outcome);
        }
        same
    }

    /// Without many faults at once, while there are many.
    fn halves(&mut self) -> bool {
        let (mut changed, mut size) = (false, self.best.0.faults.len() / 2);
        while size > 1 {
            let mut at = 0;
            while at < self.best.0.faults.len() {
                let mut plan = self.best.0.clone();
                plan.faults.drain(at..(at + size).min(plan.faults.len()));
                if self.try_on(plan) {
                    changed = true;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        changed
    }

    fn singles(&mut self) -> bool {
        let mut changed = false;
        for at in (0..self.best.0.faults.len()).rev() {
            let mut plan = self.best.0.clone();
            plan.faults.remove(at);
            changed |= self.try_on(plan);
        }
        for at in (0..self.best.0.steps.len()).rev() {
            let mut plan = self.best.0.clone();
            plan.steps.remove(at);
            changed |= self.try_on(plan);
        }
        changed
    }

    fn shapes(&mut self) -> bool {
        let shape = self.best.0.shape;
        let simpler = [
            Shape { replicas: 1, ..shape },
            Shape { secrets: false, ..shape },
            Shape { topology: false, ..shape },
            Shape { attach: false, ..shape },
            Shape { stage: false, ..shape },
            Shape { clear: true, ..shape },
        ];
        let mut changed = false;
        for shape in simpler {
            if shape != self.best.0.shape {
                let plan = Plan { shape, ..self.best.0.clone() };
                changed |= self.try_on(plan);
            }
        }
        changed
    }
}
