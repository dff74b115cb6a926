//! The process around a program: Go-compatible flags, the log, metrics, health, signals, and the end.
//!
//! ```text
//! argv ─ args ─> Flags ─ config() ─> Config ┐
//!                                           ├─ shell::run ─> main(Config, Shell { ctx, shutdown, metrics }) ─> exit
//!            logs, signals, runtime, metrics┘       ├─ http: metrics, health, readyz, why
//!                                                   └─ controller: driver, cluster, lease, drain (programs that have them)
//! ```
//!
//! Decides nothing about storage. What the HTTP server says about driver and cluster is handed in as closures.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod args;
mod controller;
mod duration;
mod exit;
pub mod flags;
mod gates;
mod http;
mod listen;
pub mod logs;
mod metrics;
mod namespace;
mod shell;
mod values;

pub use args::{Dialect, parse};
pub use controller::{Setup, Sidecar, Surroundings};
pub use duration::{DurationError, GoDuration};
pub use exit::{Exit, TERMINATION_LOG};
pub use gates::{FeatureGates, Gate, Stage};
pub use http::{Answer, Http};
pub use logs::{LogConfig, LogFlags};
pub use metrics::{CONTENT_TYPE, Metrics};
pub use namespace::pod_namespace;
pub use shell::{Program, Shell, run, run_with};
pub use values::{Gates, Labels, go_bool, go_int};

/// The version of all of Longshore's programs.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
