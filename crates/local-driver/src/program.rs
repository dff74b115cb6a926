//! The program: parses flags, starts the log, serves until told to stop.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::flags::Flags;
use crate::serve::run;

/// Serves until it is told to stop. `argv` begins with the program's name.
pub fn main(argv: Vec<OsString>) -> ExitCode {
    let flags = Flags::parse_from(argv);
    let level = match flags.verbosity {
        0 => LevelFilter::WARN,
        1..=4 => LevelFilter::INFO,
        5 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let config = match flags.config(std::env::var("CSI_ENDPOINT").ok()) {
        Ok(config) => config,
        Err(sentence) => {
            let usage = <Flags as clap::CommandFactory>::command().render_usage();
            let _ = writeln!(io::stderr(), "{sentence}\n{usage}");
            return ExitCode::from(2);
        }
    };
    // Other crates' traces show what is on the wire; only ours are known to hold no secret.
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("local_driver", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false).with_target(false);
    tracing_subscriber::registry().with(lines).with(filter).init();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("no runtime could be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let served = runtime.block_on(run(config));
    // A thread that a hung disk holds is not waited for.
    runtime.shutdown_background();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
