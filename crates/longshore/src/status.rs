//! `longshore status`: claims, volumes, attachments and mounts of a cluster or host, and why something waits.
//!
//! ```text
//!  kubeconfig ─ read.rs ─> Objects ─ tree.rs, why.rs ─> Report ─ text.rs, or JSON, or YAML
//! ```

mod flags;
mod objects;
mod report;
mod text;
mod tree;
mod why;

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use jiff::Timestamp;
use kube::Client;

use flags::{Config, Flags, Output};
use objects::{Follower, Objects};
use report::Report;
use sidecar::Shell;

/// The flags.
pub(crate) fn command() -> clap::Command {
    <Flags as clap::CommandFactory>::command()
}

/// The command, from `argv` on.
pub(crate) fn main(argv: Vec<OsString>) -> ExitCode {
    sidecar::run_with::<Flags, _>(argv, run)
}

async fn run(config: Config, shell: Shell) -> anyhow::Result<()> {
    let options = cluster::ClientOptions {
        kubeconfig: Some(config.kubeconfig.clone()),
        user_agent: format!("longshore-status/{}", sidecar::VERSION),
        ..cluster::ClientOptions::default()
    };
    let client = cluster::connect(&shell.ctx, &options).await?;
    if !config.watch {
        let objects = Objects::read(&client).await?;
        let report = tree::report(&objects, config.namespace.as_deref(), shell.ctx.timestamp());
        return Ok(say(&rendered(&report, config.output)?)?);
    }
    let mut follower = Follower::start(&shell.ctx, &client);
    let mut shown = String::new();
    loop {
        tokio::select! {
            biased;
            () = shell.shutdown.requested() => return Ok(()),
            () = follower.changed() => {}
        }
        let report = tree::report(&follower.objects()?, config.namespace.as_deref(), shell.ctx.timestamp());
        let text = rendered(&report, config.output)?;
        if text != shown {
            // A terminal shows the newest tree alone; a pipe gets one after the other.
            let clear = if config.output == Output::Text && std::io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
            if say(&format!("{clear}{text}")).is_err() {
                return Ok(());
            }
            shown = text;
        }
    }
}

/// The tree of a namespace, for people.
///
/// # Errors
/// A kind that cannot be listed.
pub(crate) async fn tree(client: &Client, namespace: Option<&str>, now: Timestamp) -> anyhow::Result<String> {
    Ok(text::render(&tree::report(&Objects::read(client).await?, namespace, now)))
}

fn rendered(report: &Report, output: Output) -> anyhow::Result<String> {
    Ok(match output {
        Output::Text => text::render(report),
        Output::Json => serde_json::to_string_pretty(report)? + "\n",
        Output::Yaml => format!("---\n{}", serde_yaml::to_string(report)?),
    })
}

fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}
