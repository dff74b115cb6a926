//! What is told: a line per round, what is wrong in full, and the table.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::facts::Wrong;
use crate::plan::{Fault, RPCS};
use crate::round::Outcome;
use crate::site::{Site, round_folder};

/// Progress goes to stderr: the table alone is on stdout.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A round's line, and if it went wrong, all that is known about it.
pub(crate) fn tell(site: &Site, again: &str, done: usize, of: usize, outcome: &Outcome) {
    let plan = &outcome.plan;
    let end = match &outcome.trouble {
        None => "ok".to_owned(),
        Some(trouble) => format!("{:?}", trouble.kind).to_uppercase(),
    };
    let times = if outcome.struck > 1 { format!(", hit {} times", outcome.struck) } else { String::new() };
    say(&format!("[{done:3}/{of}] {end:6} {:5.1} s  #{} {}{times}", outcome.took.as_secs_f64(), plan.number, plan.sentence()));
    let Some(trouble) = &outcome.trouble else { return };
    say(&format!("    this round again: hack/torture {again} --only {}", plan.number));
    say(&format!("    expected {}; found:", trouble.expected));
    for line in &trouble.found {
        say(&format!("      {line}"));
    }
    say(&format!("    logs: {}", site.logs.join(format!("round-{}", plan.number)).display()));
}

/// Copies the logs of a round to where they outlive it.
pub(crate) fn keep_logs(site: &Site, round: &str) {
    let copy = || -> Result<()> {
        let from = round_folder(&site.folder, round);
        let number = round.rsplit('-').next().and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
        let to = site.logs.join(format!("round-{number}"));
        std::fs::create_dir_all(&to)?;
        for entry in std::fs::read_dir(from)? {
            let path = entry?.path();
            if path.extension() == Some("log".as_ref())
                && let Some(name) = path.file_name()
            {
                std::fs::copy(&path, to.join(name))?;
            }
        }
        Ok(())
    };
    if let Err(error) = copy() {
        say(&format!("the logs of {round} could not be kept: {error:#}"));
    }
}

#[derive(Default)]
struct Row {
    rounds: usize,
    leaked: usize,
    double: usize,
    stuck: usize,
}

impl Row {
    fn add(&mut self, outcome: &Outcome) {
        self.rounds += 1;
        match outcome.trouble.as_ref().map(|trouble| trouble.kind) {
            None => {}
            Some(Wrong::Leaked) => self.leaked += 1,
            Some(Wrong::Double) => self.double += 1,
            Some(Wrong::Stuck) => self.stuck += 1,
        }
    }
}

/// The table; whether nothing went wrong.
pub(crate) fn table(outcomes: &[Outcome], programs: &[(&str, &Path)]) -> Result<bool> {
    let place = |outcome: &Outcome| RPCS.iter().position(|rpc| *rpc == outcome.plan.rpc).unwrap_or_default();
    let mut rows: BTreeMap<(usize, Fault), Row> = BTreeMap::new();
    let mut all = Row::default();
    for outcome in outcomes {
        rows.entry((place(outcome), outcome.plan.fault)).or_default().add(outcome);
        all.add(outcome);
    }
    let mut out = std::io::stdout().lock();
    let line = |call: &str, fault: &str, row: &Row| {
        format!("{call:28}{fault:22}{:>8}{:>8}{:>8}{:>8}", row.rounds, row.leaked, row.double, row.stuck)
    };
    writeln!(out, "\n{:28}{:22}{:>8}{:>8}{:>8}{:>8}", "killed during", "meanwhile", "rounds", "leaked", "double", "stuck")?;
    for ((place, fault), row) in &rows {
        writeln!(out, "{}", line(RPCS[*place].name(), fault.name(), row))?;
    }
    writeln!(out, "{}\n", line("all", "", &all))?;
    for (part, program) in programs {
        writeln!(out, "{part}: {}", program.display())?;
    }
    Ok(all.leaked + all.double + all.stuck == 0)
}
