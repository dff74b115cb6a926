//! `longshore up`: one host, no cluster. Puts the parts together and keeps them until it is asked to stop.
//!
//! ```text
//!  kubectl ─> apistore ─ one client, one set of caches ─┬─ binder                      claims to volumes, pods to the node
//!                                                       ├─ provisioner, attacher       per driver
//!                                                       ├─ node-mounter                volumes to paths
//!                                                       └─ pod-runner (--run-pods)     containers to processes
//!  local-driver on its socket; others by --driver
//! ```
//!
//! No part knows that it shares a process: each is given what its own binary would give it.

mod applied;
mod bootstrap;
mod demo;
mod drivers;
mod flags;
mod host;
mod medium;
mod plugins;
pub(crate) mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use sidecar::{Program, Shell, parse};

use crate::rootless;
use applied::Applied;
use flags::Flags;
pub(crate) use flags::{Config, Data, log_file};
pub(crate) use host::{Host, node_name};

/// The flags.
pub(crate) fn command() -> clap::Command {
    <Flags as clap::CommandFactory>::command()
}

/// The command, from `argv` on.
pub(crate) fn main(mut argv: Vec<OsString>) -> ExitCode {
    // What is wrong with the flags is said below, by the shell that every program has.
    let peeked = parse::<Flags>(Flags::DIALECT, argv.clone()).ok();
    let Some(flags) = peeked else { return sidecar::run_with::<Flags, _>(argv, run) };
    let mut own_dir = None;
    if flags.is_demo() && !flags.names_data_dir() {
        let dir = demo_dir();
        argv.extend(["--listen=127.0.0.1:0".into(), OsString::from(format!("--data-dir={}", dir.display()))]);
        own_dir = Some(dir);
    }
    if !rootless::is_root() || (flags.wants_namespace() && !rootless::inside()) {
        if !flags.wants_namespace() && !flags.is_demo() {
            return refuse(words::NEEDS_ROOT);
        }
        let mut inner = argv.split_off(1);
        inner.insert(0, "up".into());
        return refuse(&rootless::enter(&inner));
    }
    let end = sidecar::run_with::<Flags, _>(argv, run);
    match own_dir.map(remove_own) {
        Some(Err(error)) => refuse(&format!("the demo's own data directory could not be removed: {error}")),
        Some(Ok(())) | None => end,
    }
}

/// Named after the process, which keeps its id in the namespace.
fn demo_dir() -> PathBuf {
    std::env::temp_dir().join(format!("longshore-demo-{}", std::process::id()))
}

/// The mounter's root may be bound onto itself, which outlives the process.
fn remove_own(dir: PathBuf) -> std::io::Result<()> {
    let _ = rustix::mount::unmount(dir.join("kubelet"), rustix::mount::UnmountFlags::empty());
    std::fs::remove_dir_all(dir)
}

fn refuse(sentence: &str) -> ExitCode {
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{sentence}\n").as_bytes());
    ExitCode::FAILURE
}

async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    let began = shell.ctx.now();
    let host = Host::start(&config, &shell).await?;
    let after = shell.ctx.now().since(began);
    if config.demo {
        words::demo_begins(&config, after);
        let shown = demo::run(&host, &config).await;
        shell.shutdown.request();
        let stopped = host.until_stopped().await;
        return shown.and(stopped);
    }
    let applied = Applied::start(&host, config.manifests.clone()).await;
    words::ready(&config, &host, after);
    host.until_stopped().await?;
    Ok(applied.verdict()?)
}
