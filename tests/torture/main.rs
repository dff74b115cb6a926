//! `hack/torture`: the real programs on a real cluster, killed at every boundary that a driver can see, for every call.
//!
//! ```text
//! main ── plan      which call, which boundary, which fault: every combination, in an order of the seed
//!   ├── site        the cluster; what rounds leave there, taken away
//!   ├── round       a user's story: claim, attach or mount, detach, nothing; each step must come about
//!   │    ├── stage      namespace, class, driver in this process; the programs under test as processes
//!   │    ├── witness    the driver's eye: strikes the caller at its point, notes broken rules
//!   │    ├── nurse      what happens while it is dead; its restart
//!   │    └── facts      the API beside the driver and the mount table, and what is amiss
//!   └── report      a line per round, and the table
//! ```
//!
//! It knows nothing of the programs but their flags, which are upstream's, and so can be pointed at upstream's.
#![allow(clippy::disallowed_methods, reason = "it kills real processes on a real clock")]

mod dice;
mod facts;
mod nurse;
mod plan;
mod process;
mod report;
mod round;
mod server;
mod site;
mod stage;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser as _, ValueEnum as _};
use fake_driver::Rpc;
use futures::StreamExt as _;
use harness::Cluster;
use tokio::signal::unix::{SignalKind, signal};

use crate::plan::{Fault, Plan, Point, RPCS, Wanted};
use crate::report::say;
use crate::round::Outcome;
use crate::server::Server;
use crate::site::{Programs, Site};

/// Kills the sidecars and the mounter at every boundary that a driver can see, and counts what is left of it.
#[derive(Debug, clap::Parser)]
#[command(name = "hack/torture", max_term_width = 120)]
struct Flags {
    /// How many rounds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=9999))]
    rounds: u32,
    /// What they are drawn from. Default: another one every time; it is printed.
    #[arg(long)]
    seed: Option<u64>,
    /// Rounds at a time. Those that stop the API server are run alone, at the end.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: u32,
    /// Only the round with this number, of those that the seed draws. Repeated: these.
    #[arg(long)]
    only: Vec<u32>,
    /// Only rounds that strike at this call. Repeated: at these.
    #[arg(long, value_parser = call)]
    rpc: Vec<Rpc>,
    /// Only at this point of the call.
    #[arg(long, value_enum)]
    point: Vec<Point>,
    /// Only under this fault.
    #[arg(long, value_enum)]
    fault: Vec<Fault>,
    /// external-provisioner. Default: the one that was built.
    #[arg(long)]
    provisioner: Option<PathBuf>,
    /// external-attacher. Default: the one that was built.
    #[arg(long)]
    attacher: Option<PathBuf>,
    /// node-mounter. Default: the one that was built.
    #[arg(long)]
    mounter: Option<PathBuf>,
    /// Seconds until a state that has not come about never will.
    #[arg(long, default_value_t = 75)]
    patience: u64,
    /// Keep the logs of good rounds too.
    #[arg(long)]
    keep_logs: bool,
    /// Where the programs that were built are.
    #[arg(long, hide = true)]
    programs: PathBuf,
    /// Where the logs of bad rounds are kept.
    #[arg(long, hide = true)]
    logs: PathBuf,
}

impl Flags {
    /// The flags that draw the same rounds.
    fn again(&self, seed: u64) -> String {
        let mut flags = vec![format!("--seed {seed}")];
        flags.extend(self.rpc.iter().map(|rpc| format!("--rpc {}", rpc.name())));
        let value = |value: Option<clap::builder::PossibleValue>| value.map(|v| v.get_name().to_owned()).unwrap_or_default();
        flags.extend(self.point.iter().map(|point| format!("--point {}", value(point.to_possible_value()))));
        flags.extend(self.fault.iter().map(|fault| format!("--fault {}", value(fault.to_possible_value()))));
        for (name, program) in [("provisioner", &self.provisioner), ("attacher", &self.attacher), ("mounter", &self.mounter)] {
            flags.extend(program.iter().map(|path| format!("--{name} {}", path.display())));
        }
        flags.join(" ")
    }
}

fn call(name: &str) -> Result<Rpc, String> {
    let known = RPCS.iter().find(|rpc| rpc.name() == name).copied();
    known.ok_or_else(|| format!("one of {}", RPCS.map(Rpc::name).join(", ")))
}

fn main() -> ExitCode {
    let flags = Flags::parse();
    // A call's moment may wait for a process to die, which must not hold up another round's.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    match runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(&flags))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("hack/torture: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: &Flags) -> Result<bool> {
    let site = set_up(flags).await?;
    let seed = flags.seed.unwrap_or_else(some_seed);
    let wanted = Wanted { rpcs: flags.rpc.clone(), points: flags.point.clone(), faults: flags.fault.clone() };
    let last = flags.only.iter().copied().max().unwrap_or(flags.rounds);
    let mut plans = plan::draw(seed, last, &wanted);
    plans.retain(|plan| flags.only.is_empty() || flags.only.contains(&plan.number));
    say(&format!("seed {seed}: {} rounds, {} at a time", plans.len(), flags.jobs));
    let again = flags.again(seed);
    let outcomes = tokio::select! {
        biased;
        () = interrupted() => Err(anyhow::anyhow!("interrupted; what was made is deleted")),
        outcomes = all(&site, &again, &plans, flags.jobs) => Ok(outcomes),
    };
    // Whatever happened, the cluster is left as it was.
    let cleared = site.clear_all().await;
    let outcomes = outcomes?;
    cleared?;
    let programs = &site.programs;
    let named = [
        ("external-provisioner", programs.provisioner.as_path()),
        ("external-attacher", programs.attacher.as_path()),
        ("node-mounter", programs.mounter.as_path()),
    ];
    report::table(&outcomes, &named)
}

async fn set_up(flags: &Flags) -> Result<Site> {
    let cluster = Cluster::connect().await?;
    let server = Server::find(cluster.run())?;
    let program = |given: &Option<PathBuf>, name: &str| given.clone().unwrap_or_else(|| flags.programs.join(name));
    let programs = Programs {
        provisioner: program(&flags.provisioner, "external-provisioner"),
        attacher: program(&flags.attacher, "external-attacher"),
        mounter: program(&flags.mounter, "node-mounter"),
        registrar: program(&None, "node-driver-registrar"),
    };
    let folder = cluster.run().join("torture");
    let patience = Duration::from_secs(flags.patience);
    let site = Site { cluster, server, folder, programs, logs: flags.logs.clone(), keep_logs: flags.keep_logs, patience };
    site.clear_all().await?;
    Ok(site)
}

async fn all(site: &Site, again: &str, plans: &[Plan], jobs: u32) -> Vec<Outcome> {
    let alone = |plan: &&Plan| plan.fault == Fault::ServerStopped;
    let (last, first): (Vec<&Plan>, Vec<&Plan>) = plans.iter().partition(alone);
    let rounds = futures::stream::iter(first).map(|plan| round::run(site, plan)).buffer_unordered(jobs as usize);
    let mut rounds = rounds.chain(futures::stream::iter(last).then(|plan| round::run(site, plan))).boxed_local();
    let mut outcomes = Vec::new();
    while let Some(outcome) = rounds.next().await {
        report::tell(site, again, outcomes.len() + 1, plans.len(), &outcome);
        outcomes.push(outcome);
    }
    outcomes
}

/// Ctrl-C, or whoever runs this has had enough of it.
async fn interrupted() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => drop(terminate.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn some_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(now.map(|since| since.as_millis()).unwrap_or_default()).unwrap_or_default()
}
