//! The process around a program: flags, log, signals, runtime, end. A `main.rs` is its flags, [`run`], and what to run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Saying;
use crate::{Dialect, Exit, LogFlags, Metrics, logs, parse};

/// A program's command line: what was typed, and how it becomes what it means.
pub trait Program: clap::Parser {
    /// What the flags mean. Has nothing left to parse.
    type Config;

    /// Which of Go's flag parsers upstream uses.
    const DIALECT: Dialect = Dialect::Std;

    /// Threads of the runtime. 0: everything on the main thread, for programs that mostly wait.
    const WORKERS: usize = 0;

    /// Whether the program speaks TLS (to the Kubernetes API).
    const TLS: bool = false;

    /// The logging flags.
    fn logs(&self) -> &LogFlags;

    /// Where the log goes instead of stderr, for programs that have something else to say there. Its folder is made.
    fn log_file(&self) -> Option<PathBuf> {
        None
    }

    /// Whether `--version` was given. Programs without that flag leave it.
    fn version(&self) -> bool {
        false
    }

    /// What the flags mean. Pure: what deserves a warning (a deprecated flag) is added to `notices`, and logged once.
    ///
    /// # Errors
    /// Flags that contradict each other: [`Exit::Failed`]. Nothing to do at all: [`Exit::Done`].
    fn config(self, notices: &mut Vec<String>) -> Result<Self::Config, Exit>;
}

/// What the process gives to the program. Cheap to clone.
#[derive(Clone)]
pub struct Shell {
    /// Time, chance, tasks, disk.
    pub ctx: rt::Ctx,
    /// Requested by the first SIGTERM or SIGINT: take no new work, finish, release, return `Ok`. The second ends the process
    /// with 1 at once.
    pub shutdown: rt::Shutdown,
    /// The metrics of this process.
    pub metrics: Metrics,
}

/// Runs a program with the process's command line. `main` returning `Ok` ends the process with 0; an error with the code of
/// the [`Exit`] in it, or 1, after one sentence.
pub fn run<P: Program, F>(main: impl FnOnce(P::Config, Shell) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    run_with::<P, F>(std::env::args_os().collect(), main)
}

/// [`run`] with another command line, `argv[0]` included.
pub fn run_with<P: Program, F>(argv: Vec<OsString>, main: impl FnOnce(P::Config, Shell) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    let program = argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let prepared = parse::<P>(P::DIALECT, argv).and_then(|flags| {
        let logs = flags.logs().config()?;
        if flags.version() {
            return Err(Exit::Done(format!("{program} {}", crate::VERSION)));
        }
        Ok((flags, logs))
    });
    let (flags, logs) = match prepared {
        Ok(prepared) => prepared,
        Err(exit) => return exit.report(Saying::Stderr),
    };
    let log_file = flags.log_file();
    if let Err(exit) = logs::install(&logs, log_file.as_deref()) {
        return exit.report(Saying::Stderr);
    }
    let saying = if log_file.is_some() { Saying::Both } else { Saying::Log };
    let mut notices = Vec::new();
    let config = flags.config(&mut notices);
    for notice in notices {
        tracing::warn!("{notice}");
    }
    let end = config.and_then(|config| live::<P, F>(config, main));
    match end {
        Ok(()) => ExitCode::SUCCESS,
        Err(exit) => exit.report(saying),
    }
}

fn live<P: Program, F>(config: P::Config, main: impl FnOnce(P::Config, Shell) -> F) -> Result<(), Exit>
where
    F: Future<Output = anyhow::Result<()>>,
{
    if P::TLS {
        // Refused only if a provider is there already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let mut builder = match P::WORKERS {
        0 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(P::WORKERS.max(1)).enable_all().build();
    let runtime = runtime.map_err(|error| Exit::failed(format!("cannot start the runtime: {error}")))?;
    let end = runtime.block_on(async {
        let shell = Shell { ctx: rt::Ctx::real(), shutdown: rt::Shutdown::new(), metrics: Metrics::new() };
        obey_signals(&shell)?;
        main(config, shell).await.map_err(|error| Exit::from_error(&error))
    });
    // Whoever is still inside a blocking call must not hold up the end.
    runtime.shutdown_background();
    end
}

fn obey_signals(shell: &Shell) -> Result<(), Exit> {
    let listen = |kind| signal(kind).map_err(|error| Exit::failed(format!("cannot listen for signals: {error}")));
    let (mut term, mut int) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let shutdown = shell.shutdown.clone();
    shell.ctx.spawn("signals", async move {
        let name = either(&mut term, &mut int).await;
        tracing::info!(signal = name, "asked to stop: no new work, finishing what is under way");
        shutdown.request();
        let name = either(&mut term, &mut int).await;
        tracing::error!(signal = name, "asked to stop again, stopping at once");
        std::process::exit(1);
    });
    Ok(())
}

async fn either(term: &mut Signal, int: &mut Signal) -> &'static str {
    tokio::select! {
        biased;
        _ = term.recv() => "SIGTERM",
        _ = int.recv() => "SIGINT",
    }
}
