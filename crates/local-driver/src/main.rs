//! Parses flags, starts the log, serves until told to stop.
#![allow(
    clippy::disallowed_methods,
    reason = "the process itself: it exits without waiting for threads that a hung disk may hold"
)]

use std::io::{self, Write};

use clap::Parser;
use local_driver::{Flags, run};
use tracing_subscriber::filter::LevelFilter;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let flags = Flags::parse();
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
            std::process::exit(2);
        }
    };
    tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false).with_target(false).with_max_level(level).init();
    match run(config).await {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            tracing::error!("{error}");
            std::process::exit(1);
        }
    }
}
