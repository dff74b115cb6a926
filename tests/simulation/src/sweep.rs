//! Many seeds on several threads; each run is in one thread, and none sees another.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rt::rules::Rule;
use simulation::{Law, Outcome, Plan, run};

/// What came of many seeds.
pub(crate) struct Swept {
    range: Range<u64>,
    /// Seeds that broke a law, in their order.
    pub(crate) failed: Vec<u64>,
    laws: BTreeMap<Law, Vec<u64>>,
    runs: u64,
    twice: u64,
    writes: u64,
    faults: u64,
    virtual_time: Duration,
    took: Duration,
}

/// Seeds by the clock: another range with every run, and printed with what came of it.
pub(crate) fn fresh(count: u64) -> Range<u64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let first = since.as_secs().saturating_mul(1000);
    first..first + count
}

/// Runs them all. One in twenty is run again and must be the same run, byte for byte.
pub(crate) fn sweep(range: Range<u64>, jobs: usize, rule: Option<Rule>) -> Swept {
    let began = Instant::now();
    let swept = Mutex::new(Swept {
        range: range.clone(),
        failed: Vec::new(),
        laws: BTreeMap::new(),
        runs: 0,
        twice: 0,
        writes: 0,
        faults: 0,
        virtual_time: Duration::ZERO,
        took: Duration::ZERO,
    });
    each(range, jobs, |seed| {
        let outcome = lived(seed, rule);
        let again = (seed % 20 == 0).then(|| lived(seed, rule).trace.hash() != outcome.trace.hash());
        let mut swept = swept.lock().unwrap_or_else(PoisonError::into_inner);
        swept.add(seed, &outcome, again);
        true
    });
    let mut swept = swept.into_inner().unwrap_or_else(PoisonError::into_inner);
    swept.failed.sort_unstable();
    swept.took = began.elapsed();
    swept
}

/// Kills each process of one volume's life wherever it may die. Whether every law was kept.
pub(crate) fn deaths(stride: u64, jobs: usize) -> bool {
    let good = AtomicBool::new(true);
    each(0..PROCESSES.len() as u64, jobs, |nth| {
        let process = PROCESSES[usize::try_from(nth).unwrap_or(0)];
        let deaths = simulation::deaths(&Plan::life(), process, stride);
        println!("{process:<16} {:>5} deaths, {} broke a law", deaths.runs, deaths.broken.len());
        for (plan, violation) in deaths.broken.iter().take(3) {
            good.store(false, Ordering::Relaxed);
            println!("broken law: {}: {}, by {:?}", violation.law, violation.what, plan.steps.first());
        }
        true
    });
    good.into_inner()
}

const PROCESSES: [&str; 4] = ["provisioner-a", "attacher-a", "binder", "mounter"];

/// Breaks each rule until a law notices. Whether every one was noticed.
pub(crate) fn mutants(range: Range<u64>, jobs: usize) -> bool {
    println!("{:<26} {:>8}  law", "without", "seeds");
    let mut survived = 0;
    for rule in Rule::ALL {
        let found: Mutex<Option<(u64, Law)>> = Mutex::new(None);
        let first = range.start;
        each(range.clone(), jobs, |seed| {
            let outcome = lived(seed, Some(rule));
            let Some(violation) = outcome.violations.first() else { return true };
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            if found.is_none_or(|(earlier, _)| seed < earlier) {
                *found = Some((seed, violation.law));
            }
            false
        });
        match found.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some((seed, law)) => println!("{:<26} {:>8}  {law}", format!("{rule:?}"), seed - first + 1),
            None => {
                survived += 1;
                println!("{:<26} {:>8}  NOT NOTICED", format!("{rule:?}"), range.end - first);
            }
        }
    }
    println!("{} rules broken, {survived} not noticed", Rule::ALL.len());
    survived == 0
}

fn lived(seed: u64, rule: Option<Rule>) -> Outcome {
    let plan = Plan::of_seed(seed);
    match rule {
        Some(rule) => rt::rules::without(rule, || run(&plan)),
        None => run(&plan),
    }
}

/// Every seed once, until one of them answers no.
fn each(range: Range<u64>, jobs: usize, on: impl Fn(u64) -> bool + Sync) {
    let (next, stop) = (AtomicU64::new(range.start), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= range.end {
                        return;
                    }
                    if !on(seed) {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

impl Swept {
    fn add(&mut self, seed: u64, outcome: &Outcome, differs: Option<bool>) {
        self.runs += 1;
        self.twice += u64::from(differs.is_some());
        self.writes += outcome.writes;
        self.faults += outcome.faults.len() as u64;
        self.virtual_time += outcome.time;
        let law = outcome.violations.first().map(|violation| violation.law);
        if let Some(law) = law.or(differs.unwrap_or(false).then_some("the same seed gives the same run")) {
            self.failed.push(seed);
            self.laws.entry(law).or_default().push(seed);
        }
    }
}

impl fmt::Display for Swept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (law, seeds) in &self.laws {
            let some: Vec<String> = seeds.iter().take(8).map(u64::to_string).collect();
            writeln!(f, "broken law: {law}: {} seeds: {}", seeds.len(), some.join(" "))?;
        }
        let Range { start, end } = self.range;
        let minutes = self.took.as_secs_f64() / 60.0;
        writeln!(
            f,
            "seeds {start}..{end}: {} runs, {} of them twice, {} broke a law; {} writes to the API, {} faults, {:.1} h of virtual time, in {:.1} s: {:.0} seeds a minute",
            self.runs,
            self.twice,
            self.failed.len(),
            self.writes,
            self.faults,
            self.virtual_time.as_secs_f64() / 3600.0,
            self.took.as_secs_f64(),
            self.runs as f64 / minutes
        )
    }
}
