//! Parses flags, starts the log, serves until told to stop.
#![allow(
    clippy::disallowed_methods,
    reason = "the process itself: it exits without waiting for threads that a hung disk may hold"
)]

use std::io::{self, Write};

use clap::Parser;
use local_driver::{Flags, run};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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
    // Other crates' traces show what is on the wire; only ours are known to hold no secret.
    let filter = Targets::new().with_default(LevelFilter::WARN).with_target("local_driver", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false).with_target(false);
    tracing_subscriber::registry().with(lines).with(filter).init();
    match run(config).await {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            tracing::error!("{error}");
            std::process::exit(1);
        }
    }
}
