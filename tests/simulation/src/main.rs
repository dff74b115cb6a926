//! Runs seeds, or kept plans, and says what it found. `cargo run --release -p simulation -- --seeds A..B [--trace]`
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "the program around the runs: threads, a real clock, output")]

mod report;
mod sweep;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use rt::rules::Rule;
use simulation::{Plan, run, shrink};

/// Longshore's engine in one thread on a paused clock, with everything going wrong that can.
#[derive(Debug, Parser)]
struct Flags {
    /// Seeds to run: A..B without B, or one.
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: Option<Range<u64>>,
    /// So many seeds that nobody has run before; the range is printed.
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    fresh: Option<u64>,
    /// A plan that was kept, or a folder of them.
    #[arg(long, value_name = "FILE|DIR")]
    plan: Option<PathBuf>,
    /// Print everything that happens, and do not make it smaller.
    #[arg(long)]
    trace: bool,
    /// Print what the processes log, to stderr.
    #[arg(long, requires = "trace")]
    log: bool,
    /// Break each rule in turn, and see that the laws notice within --seeds.
    #[arg(long)]
    mutants: bool,
    /// Kill each process of one volume's life at every turn of its tasks, or at each Nth.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1")]
    deaths: Option<u64>,
    /// Break this rule, and no other.
    #[arg(long, value_name = "RULE")]
    without: Option<String>,
    /// Write what a failing seed was made smaller to into this folder.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Threads. Default: one for each processor.
    #[arg(long)]
    jobs: Option<usize>,
}

fn seeds(text: &str) -> Result<Range<u64>> {
    let number = |text: &str| text.trim().parse::<u64>().with_context(|| format!("{text:?} is no number"));
    let range = match text.split_once("..") {
        Some((from, to)) => number(from)?..number(to)?,
        None => number(text)?..number(text)? + 1,
    };
    ensure!(!range.is_empty(), "{text} are no seeds at all");
    Ok(range)
}

fn main() -> ExitCode {
    // A panic is a finding, told with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    let flags = Flags::parse();
    if flags.log {
        tracing_subscriber::fmt().without_time().with_max_level(tracing::Level::DEBUG).with_writer(std::io::stderr).init();
    }
    match decide(&flags) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("simulation: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether nothing was found that should not be there.
fn decide(flags: &Flags) -> Result<bool> {
    let jobs = flags.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let rule = flags.without.as_deref().map(rule).transpose()?;
    let range = match (&flags.seeds, flags.fresh) {
        (Some(range), _) => Some(range.clone()),
        (None, Some(count)) => Some(sweep::fresh(count)),
        (None, None) => None,
    };
    if flags.mutants {
        return Ok(sweep::mutants(range.unwrap_or(0..2000), jobs));
    }
    if let Some(stride) = flags.deaths {
        return Ok(sweep::deaths(stride, jobs));
    }
    let mut good = true;
    if let Some(path) = &flags.plan {
        good &= kept(path, flags.trace)?;
    }
    match range {
        Some(range) if flags.trace => {
            for seed in range {
                good &= report::told(&breaking(rule, || run(&Plan::of_seed(seed))));
            }
        }
        Some(range) => {
            let swept = sweep::sweep(range, jobs, rule);
            print!("{swept}");
            good &= swept.failed.is_empty();
            if let Some(seed) = swept.failed.first() {
                smaller(*seed, rule, flags)?;
            }
        }
        None if flags.plan.is_none() => bail!("nothing to run: give --seeds A..B, --fresh N, --plan FILE or --mutants"),
        None => {}
    }
    Ok(good)
}

/// Makes a failing seed smaller, tells it, and keeps it if that is wanted.
fn smaller(seed: u64, rule: Option<Rule>, flags: &Flags) -> Result<()> {
    let plan = Plan::of_seed(seed);
    let Some((plan, outcome)) = breaking(rule, || shrink(&plan, 400)) else { bail!("seed {seed} does not fail again") };
    report::told(&outcome);
    let text = serde_json::to_string_pretty(&plan)?;
    println!("\nseed {seed}, made smaller:\n{text}");
    if let Some(folder) = &flags.keep {
        let law = outcome.violations.first().map_or("", |violation| violation.law).replace(' ', "-");
        let file = folder.join(format!("{law}-{seed}.json"));
        std::fs::write(&file, text + "\n").with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Plans that failed once.
fn kept(path: &PathBuf, trace: bool) -> Result<bool> {
    let mut files = vec![path.clone()];
    if path.is_dir() {
        files = std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        files.sort();
    }
    let mut good = true;
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let plan: Plan = serde_json::from_str(&text).with_context(|| format!("{} is no plan", file.display()))?;
        let outcome = run(&plan);
        if trace || !outcome.violations.is_empty() {
            println!("{}:", file.display());
            good &= report::told(&outcome);
        }
    }
    println!("kept plans: {}", files.len());
    Ok(good)
}

fn rule(name: &str) -> Result<Rule> {
    let found = Rule::ALL.into_iter().find(|rule| format!("{rule:?}") == name);
    found.with_context(|| format!("{name:?} is no rule; there are {:?}", Rule::ALL))
}

fn breaking<T>(rule: Option<Rule>, work: impl FnOnce() -> T) -> T {
    match rule {
        Some(rule) => rt::rules::without(rule, work),
        None => work(),
    }
}
