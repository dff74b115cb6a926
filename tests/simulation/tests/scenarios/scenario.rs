//! A plan written by hand, and what its run must show.

use fake_driver::Code;
use simulation::driver::CallFault;
use simulation::{Act, ApiFault, Deadly, Fault, FaultKind, Outcome, Plan, Rates, Shape, Step, run};

/// A plan to be. The user deletes everything at the end, unless [`Scenario::keep`].
#[derive(Clone)]
pub(crate) struct Scenario(Plan);

/// What came of it.
pub(crate) struct Story(Outcome);

impl Scenario {
    pub(crate) fn new() -> Self {
        Self(Plan { seed: 1, shape: Shape::default(), steps: Vec::new(), rates: Rates::default(), faults: Vec::new() })
    }

    pub(crate) fn shape(mut self, change: impl FnOnce(&mut Shape)) -> Self {
        change(&mut self.0.shape);
        self
    }

    /// What is there at the end stays, and must work.
    pub(crate) fn keep(self) -> Self {
        self.shape(|shape| shape.clear = false)
    }

    /// This is done so many milliseconds after the start. A second is enough for everything to be up.
    pub(crate) fn at(mut self, ms: u64, act: Act) -> Self {
        self.0.steps.push(Step { at: ms, act });
        self.0.steps.sort_by_key(|step| step.at);
        self
    }

    pub(crate) fn claim(self, ms: u64, name: &str, class: &str) -> Self {
        let (name, class, mode) = (name.to_owned(), class.to_owned(), "ReadWriteOnce".to_owned());
        self.at(ms, Act::CreateClaim { name, class, mode, block: false })
    }

    pub(crate) fn pod(self, ms: u64, name: &str, claims: &[&str]) -> Self {
        let claims = claims.iter().map(|claim| (*claim).to_owned()).collect();
        self.at(ms, Act::CreatePod { name: name.to_owned(), claims })
    }

    /// The nth time (from 0) that this is asked of the API.
    pub(crate) fn api(self, key: &str, nth: u64, fault: ApiFault) -> Self {
        self.fault(key, nth, FaultKind::Api(fault))
    }

    /// The nth time (from 0) that this is asked of the driver.
    pub(crate) fn call(self, key: &str, nth: u64, fault: CallFault) -> Self {
        self.fault(key, nth, FaultKind::Call(fault))
    }

    /// The caller dies the nth time (from 0) that this is asked of the driver.
    pub(crate) fn dies(self, key: &str, nth: u64, at: Deadly) -> Self {
        self.fault(key, nth, FaultKind::Death(at))
    }

    /// Refused with this code, the first so many times.
    pub(crate) fn refused(self, key: &str, times: u64, code: Code) -> Self {
        (0..times).fold(self, |scenario, nth| scenario.call(key, nth, CallFault::Refused(code)))
    }

    fn fault(mut self, key: &str, nth: u64, kind: FaultKind) -> Self {
        self.0.faults.push(Fault { key: key.to_owned(), nth, kind });
        self
    }

    /// Runs it with three seeds, which differ in latencies and in whose turn it is. All laws must hold, every fault must have
    /// happened, and `promise` must hold of what was seen.
    pub(crate) fn promises(self, promise: impl Fn(&Story)) {
        self.with_seeds(1..4, promise);
    }

    /// The same with one seed: for what depends on the very moment of something in its run.
    pub(crate) fn promises_once(self, promise: impl Fn(&Story)) {
        self.with_seeds(1..2, promise);
    }

    /// As it is run first.
    pub(crate) fn plan(&self) -> Plan {
        self.0.clone()
    }

    fn with_seeds(self, seeds: std::ops::Range<u64>, promise: impl Fn(&Story)) {
        for seed in seeds {
            let plan = Plan { seed, ..self.0.clone() };
            let story = Story(run(&plan));
            if let Some(violation) = story.0.violations.first() {
                panic!("seed {seed}: broken law: {}: {}\n{}", violation.law, violation.what, story.0.trace);
            }
            for fault in &plan.faults {
                assert!(story.0.faults.contains(fault), "seed {seed}: {fault:?} never happened\n{}", story.0.trace);
            }
            promise(&story);
        }
    }
}

impl Story {
    /// When a line of the trace with all of these words was first seen, by its place in the trace.
    pub(crate) fn first(&self, words: &str) -> Option<usize> {
        self.lines().position(|line| words.split_whitespace().all(|word| line.contains(word)))
    }

    /// How many lines of the trace have all of these words.
    pub(crate) fn count(&self, words: &str) -> usize {
        self.lines().filter(|line| words.split_whitespace().all(|word| line.contains(word))).count()
    }

    /// When lines of the trace with all of these words were seen, in seconds since the start.
    pub(crate) fn times(&self, words: &str) -> Vec<f64> {
        let text = self.0.trace.0.iter().map(|entry| (entry.at.as_secs_f64(), entry.to_string()));
        let all = |line: &str| words.split_whitespace().all(|word| line.contains(word));
        text.filter(|(_, line)| all(line)).map(|(at, _)| at).collect()
    }

    pub(crate) fn saw(&self, words: &str) {
        assert!(self.first(words).is_some(), "{words:?} never happened\n{}", self.0.trace);
    }

    pub(crate) fn never_saw(&self, words: &str) {
        assert!(self.first(words).is_none(), "{words:?} happened\n{}", self.0.trace);
    }

    pub(crate) fn saw_in_order(&self, all: &[&str]) {
        let mut from = 0;
        let lines: Vec<String> = self.lines().collect();
        for words in all {
            let next = lines[from..].iter().position(|line| words.split_whitespace().all(|word| line.contains(word)));
            let Some(next) = next else { panic!("after line {from}, {words:?} never happened\n{}", self.0.trace) };
            from += next + 1;
        }
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        self.0.trace.0.iter().map(ToString::to_string)
    }
}
