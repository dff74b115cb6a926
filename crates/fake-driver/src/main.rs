//! The fake driver as a process: flags in, driver up, signals obeyed.
#![allow(clippy::disallowed_methods, reason = "a test tool at the edge of the system")]

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Parser as _;
use fake_driver::Script;
use tokio::signal::unix::{SignalKind, signal};

mod flags;

use flags::Flags;

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One sentence; whether backtraces are on is no business of the reader's.
            let _ = writeln!(std::io::stderr(), "fake-driver: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    let flags = Flags::parse();
    if flags.print_script_schema {
        writeln!(std::io::stdout(), "{:#}", Script::schema())?;
        return Ok(());
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(flags))
}

async fn run(flags: Flags) -> anyhow::Result<()> {
    // Handlers first: a SIGHUP that comes early must not kill.
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let mut hup = signal(SignalKind::hangup())?;
    let script_file = flags.script.clone();
    let script = read(script_file.as_ref())?;
    let (builder, socket) = flags.builder();
    let driver = builder.script(script).start(socket).await?;
    tracing::info!(socket = %driver.socket().display(), "serving");
    loop {
        tokio::select! {
            biased;
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hup.recv() => match read(script_file.as_ref()) {
                Ok(script) => {
                    tracing::info!(rules = script.rules.len(), "new fault script");
                    driver.set_script(script);
                }
                Err(error) => tracing::error!("the old fault script stays: {error:#}"),
            },
        }
    }
    driver.stop().await;
    Ok(())
}

fn read(file: Option<&PathBuf>) -> anyhow::Result<Script> {
    let Some(file) = file else { return Ok(Script::default()) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Script::parse(&text).with_context(|| file.display().to_string())
}
