//! `longshore run`: documents of other orchestrators, run on this host with the engine of `longshore up`.
//!
//! ```text
//!  files ─ foreign.rs ─> documents ─┬─ plugins ─> plugin_host ─> which drivers they are ┐
//!                                   └─ objects.rs ─> PersistentVolumes, claims, Pods  <─┘
//!                                                       └─ node-mounter, pod-runner ─> follow.rs: what tasks say, how they end
//! ```
//!
//! What a document asks for is there as long as the command runs: at its end tasks are ended, then their volumes unpublished, then plugins stopped.
//! Volumes that a volume specification makes or registers stay, as in Nomad.

mod drivers;
mod flags;
mod follow;
mod objects;

use std::ffi::OsString;
use std::process::ExitCode;

use rt::Shutdown;
use sidecar::{Exit, Shell};

use crate::foreign::{Source, together};
use crate::rootless;
use crate::up::words::complain;
use crate::up::{self, Host};
use flags::{Config, Flags};
use follow::{Follower, Outcome};
use objects::Wanted;

/// The flags.
pub(crate) fn command() -> clap::Command {
    <Flags as clap::CommandFactory>::command()
}

/// The command, from `argv` on.
pub(crate) fn main(argv: Vec<OsString>) -> ExitCode {
    if !rootless::is_root() && sidecar::parse::<Flags>(<Flags as sidecar::Program>::DIALECT, argv.clone()).is_ok() {
        complain(
            "longshore run mounts volumes and starts processes in mount namespaces of their own, which needs root: run it with sudo\n",
        );
        return ExitCode::FAILURE;
    }
    sidecar::run_with::<Flags, _>(argv, run)
}

async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    // Before anything is started: a document that is wrong changes nothing.
    let node = up::node_name();
    let read = config.files.iter().map(|file| Source::read(file, &config.what, Some(&node)));
    let (sources, refused): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    let refused: Vec<String> = refused.into_iter().filter_map(Result::err).flatten().collect();
    refuse(&refused, "a document cannot be used")?;
    let mut sources: Vec<Source> = sources.into_iter().filter_map(Result::ok).collect();
    if let Err(lines) = together(&mut sources) {
        refuse(&lines, "documents contradict each other")?;
    }

    // The engine goes on while we take away what we asked it for.
    let engine = Shell { shutdown: Shutdown::new(), ..shell.clone() };
    let host = Host::start(&config.up, &engine).await?;
    let ran = with_engine(&config, &sources, &host, &shell.shutdown).await;
    engine.shutdown.request();
    let stopped = host.until_stopped().await;
    match ran? {
        Outcome::Succeeded | Outcome::Stopped => stopped,
        Outcome::Failed(why) => Err(Exit::failed(why).into()),
    }
}

/// Everything that needs the engine. When this returns, nothing of the documents runs or is mounted, unless the error says so.
async fn with_engine(config: &Config, sources: &[Source], host: &Host, stop: &Shutdown) -> anyhow::Result<Outcome> {
    let plugins = drivers::ask_for(host, sources);
    let drivers = tokio::select! {
        biased;
        () = stop.requested() => Ok(None),
        () = host.parts.shutdown.requested() => Ok(None),
        drivers = drivers::of(host, &config.what, sources) => drivers.map(Some),
    };
    let outcome = match drivers {
        Ok(None) => Ok(Outcome::Stopped),
        Ok(Some(drivers)) => tasks(config, sources, host, &drivers, stop).await,
        Err(why) => Err(why),
    };
    drivers::stop(host, plugins).await;
    outcome
}

async fn tasks(
    config: &Config,
    sources: &[Source],
    host: &Host,
    drivers: &drivers::Known,
    stop: &Shutdown,
) -> anyhow::Result<Outcome> {
    let mut wanted = Wanted::default();
    let mut refused = Vec::new();
    for source in sources {
        match source.objects(&config.what, documents::kubernetes::Place::Host, drivers) {
            Ok(made) => {
                made.warnings.iter().for_each(|line| complain(&format!("{line}\n")));
                // What makes volumes known outlives the command.
                let stays = !source.parsed.document.volumes.is_empty();
                wanted.add(source.file(), made.objects, stays);
            }
            Err(lines) => refused.extend(lines),
        }
    }
    refuse(&refused, "a document cannot be run here")?;
    let problems = wanted.apply(host).await;
    let mut follower = Follower::new(host, &config.up, wanted.of_kind("Pod"), wanted.of_kind("PersistentVolumeClaim"));
    let outcome = match problems.is_empty() {
        true => follower.until_done(stop).await,
        false => {
            problems.iter().for_each(|problem| complain(&format!("{problem}\n")));
            Ok(Outcome::Failed("what the documents ask for was refused, as told above".to_owned()))
        }
    };
    let removed = follower.meanwhile(wanted.remove(host)).await;
    let outcome = outcome?;
    removed?;
    Ok(outcome)
}

/// Each on a line; the last sentence is the process's.
fn refuse(lines: &[String], sentence: &str) -> Result<(), Exit> {
    if lines.is_empty() {
        return Ok(());
    }
    lines.iter().for_each(|line| complain(&format!("{line}\n")));
    Err(Exit::failed(format!("{sentence}, as told above; nothing was started")))
}
