//! `hack/bench provision`: how fast volumes are provisioned, beside a client that does nothing but post the same objects.
//! `hack/bench apistore`: see `apistore.rs`. `hack/bench footprint`: see `footprint.rs`.
//!
//! ```text
//! main ── site       namespace, class, accounts; claims made, seen, bound, deleted
//!   ├── bare         the yardstick: a PersistentVolume and an event for each claim, a hundred at once
//!   ├── sidecar      external-provisioner and fake-driver as processes
//!   ├── audit        who asked the API server what, and when: both sides are judged by its clock
//!   ├── round        one side's turn, measured and verified
//!   └── report       the table and the JSON
//! ```
#![allow(clippy::disallowed_methods, reason = "a benchmark runs real processes on a real clock")]

mod apistore;
mod audit;
mod bare;
mod footprint;
mod report;
mod round;
mod sidecar;
mod site;
mod usage;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::round::{Round, Side};
use crate::site::Site;

/// Measures Longshore on the cluster that hack/cluster started.
#[derive(Debug, clap::Parser)]
#[command(name = "hack/bench", max_term_width = 120)]
enum Flags {
    /// N claims at once, an instant driver, default flags; against a bare client that posts the same objects in the same run.
    Provision(Provision),
    /// The API of `longshore up` against a real kube-apiserver with etcd: writes, reads, lists, watches, memory, start.
    Apistore(apistore::Apistore),
    /// Resident memory of every container of an installed chart, at rest and with N claims.
    Footprint(footprint::Footprint),
}

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Provision {
    /// Claims that are there and pending when the clock starts.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    claims: u32,
    /// A third side: external-provisioner without write-ahead intents, to see what they cost.
    #[arg(long)]
    without_intents: bool,
    /// Turns of each side. They alternate: bare, ours, ours, bare, …; the result is the median.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// How many turns may be repeated because others used more than a quarter of the CPU time that was used.
    #[arg(long, default_value_t = 4)]
    repeats: u32,
    /// Write the result here too; the ratio is under the key `ratio`.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Where external-provisioner and fake-driver are.
    #[arg(long, hide = true)]
    programs: PathBuf,
    /// After `--`: flags for external-provisioner. None: its defaults.
    #[arg(last = true)]
    provisioner_flags: Vec<String>,
}

impl Provision {
    /// Whose turns there are.
    pub(crate) fn sides(&self) -> &'static [Side] {
        if self.without_intents { &Side::ALL } else { &Side::ALL[..2] }
    }
}

/// The share of the CPU time used that others may have. Above, it is their work that is measured.
pub(crate) const TOLERABLE: f64 = 0.25;

fn main() -> ExitCode {
    let flags = Flags::parse();
    // As many threads as external-provisioner has.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let end = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(&flags)));
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "hack/bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: &Flags) -> Result<()> {
    match flags {
        Flags::Provision(flags) => provision(flags).await,
        Flags::Apistore(flags) => apistore::run(flags).await,
        Flags::Footprint(flags) => footprint::run(flags).await,
    }
}

async fn provision(flags: &Provision) -> Result<()> {
    let site = Site::set_up().await?;
    let version = site.server_version().await?;
    let rounds = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted; what was made is deleted")),
        rounds = measure(flags, &site) => rounds,
    };
    // Whatever happened, the cluster is left as it was.
    let cleaned = site.clear_away().await;
    let (rounds, repeated) = rounds?;
    cleaned?;
    report::tell(flags, &site, &rounds, repeated, &version)
}

/// The turns, and how many were thrown away.
async fn measure(flags: &Provision, site: &Site) -> Result<(Vec<Round>, u32)> {
    let (mut rounds, mut repeated) = (Vec::new(), 0);
    let sides = flags.sides();
    // Every other time the other way round, so that a host that gets slower or faster meanwhile does not favour one side.
    let order = |round| {
        let mut order = sides.to_vec();
        if round % 2 == 1 {
            order.reverse();
        }
        order
    };
    let turns: Vec<Side> = (0..flags.rounds).flat_map(order).collect();
    for (number, side) in (1..).zip(&turns) {
        let round = loop {
            say(&format!("turn {number} of {}: {} claims for the {}", turns.len(), flags.claims, side.name()));
            let round = round::run(flags, site, number, *side).await?;
            let (rate, disturbed) = (round.rate(), round.disturbed() * 100.0);
            say(&format!("  {rate:.0} volumes a second; others used {disturbed:.0}% of the CPU time"));
            if round.disturbed() <= TOLERABLE || repeated == flags.repeats {
                break round;
            }
            say("  that is too much to tell anything: once more");
            repeated += 1;
        };
        rounds.push(round);
    }
    Ok((rounds, repeated))
}

/// Progress goes to stderr: the result alone is on stdout.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
