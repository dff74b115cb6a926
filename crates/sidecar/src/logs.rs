//! The log: klog's text header or Kubernetes' JSON on stderr, at klog's verbosities.
//!
//! | `-v` | ours | libraries |
//! |---|---|---|
//! | 0, 1 | error, warn, info | error, warn |
//! | 2 to 4 | + debug: the plan and its why | |
//! | 5 | + gRPC calls: trace of target `grpc` or of `csi_client` | |
//! | 6, 7 | + trace | + info |
//! | 8, 9 | | + debug |
//! | 10 | | + trace |
//!
//! Whether a place in the source logs is decided once per place, when it is first reached: what is off costs one load.

mod format;
mod vmodule;

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::{Exit, GoDuration};
use format::{Json, Klog};
pub use vmodule::Vmodule;

/// Target of events that describe a gRPC call or its answer: seen from `-v=5` on.
pub const GRPC: &str = "grpc";

/// The logging flags that every program has.
#[derive(Debug, Clone, Args)]
pub struct LogFlags {
    /// Verbosity of the log, 0 to 10.
    #[arg(long, default_value = "0")]
    pub v: i32,
    /// Verbosity by source file: pattern=N,pattern=N (text format only).
    #[arg(long, default_value = "")]
    pub vmodule: Vmodule,
    /// text or json.
    #[arg(long, default_value = "text")]
    pub logging_format: String,
    /// Accepted for compatibility; nothing is held back.
    #[arg(long, default_value = "5s")]
    pub log_flush_frequency: GoDuration,
    /// Alpha upstream and locked there: only the default is accepted.
    #[arg(long)]
    pub log_text_split_stream: bool,
    /// Alpha upstream and locked there: only the default is accepted.
    #[arg(long, default_value = "0")]
    pub log_text_info_buffer_size: String,
    /// Alpha upstream and locked there: only the default is accepted.
    #[arg(long)]
    pub log_json_split_stream: bool,
    /// Alpha upstream and locked there: only the default is accepted.
    #[arg(long, default_value = "0")]
    pub log_json_info_buffer_size: String,
}

/// What [`LogFlags`] mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// klog's text, or JSON.
    pub json: bool,
    /// Verbosity where `vmodule` says nothing.
    pub v: i32,
    /// Verbosity by source file.
    pub vmodule: Vmodule,
}

impl LogFlags {
    /// Pure.
    ///
    /// # Errors
    /// An unknown format, `--vmodule` with JSON, or one of the four flags that upstream declares but locks.
    pub fn config(&self) -> Result<LogConfig, Exit> {
        let json = match self.logging_format.as_str() {
            "text" => false,
            "json" => true,
            other => return Err(Exit::failed(format!("--logging-format is {other:?}, expected text or json"))),
        };
        if json && !self.vmodule.is_empty() {
            return Err(Exit::failed("--vmodule works with --logging-format=text only"));
        }
        for (name, changed) in [
            ("log-text-split-stream", self.log_text_split_stream),
            ("log-text-info-buffer-size", self.log_text_info_buffer_size != "0"),
            ("log-json-split-stream", self.log_json_split_stream),
            ("log-json-info-buffer-size", self.log_json_info_buffer_size != "0"),
        ] {
            if changed {
                return Err(Exit::failed(format!(
                    "--{name} needs a logging feature that cannot be enabled, leave it at its default"
                )));
            }
        }
        Ok(LogConfig { json, v: self.v, vmodule: self.vmodule.clone() })
    }
}

/// Makes the log the process's log, on stderr or at the end of a file. The second call in a process changes nothing: tests may
/// share one.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn install(config: &LogConfig, file: Option<&Path>) -> Result<(), Exit> {
    let Some(path) = file else {
        let _ = tracing::subscriber::set_global_default(subscriber(config, std::io::stderr));
        return Ok(());
    };
    let open = || {
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)
    };
    let file = open().map_err(|error| Exit::failed(format!("cannot write the log {}: {error}", path.display())))?;
    let _ = tracing::subscriber::set_global_default(subscriber(config, Arc::new(file)));
    Ok(())
}

/// A log that writes each event with one call of `write`.
pub(crate) fn subscriber<W>(config: &LogConfig, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let verbosity = Verbosity { v: config.v, vmodule: config.vmodule.clone() };
    let registry = tracing_subscriber::registry().with(verbosity);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    if config.json {
        Box::new(registry.with(layer.event_format(Json).fmt_fields(Json)))
    } else {
        Box::new(registry.with(layer.event_format(Klog).fmt_fields(Klog)))
    }
}

/// Decides which places log.
struct Verbosity {
    v: i32,
    vmodule: Vmodule,
}

impl Verbosity {
    fn shows(&self, meta: &Metadata<'_>) -> bool {
        let v = match (meta.file(), meta.module_path()) {
            _ if self.vmodule.is_empty() => self.v,
            (file, module) => self.vmodule.verbosity(file.unwrap_or_default(), module.unwrap_or_default()).unwrap_or(self.v),
        };
        verbosity_of(meta.target(), *meta.level()) <= v
    }
}

impl<S: Subscriber> Layer<S> for Verbosity {
    fn register_callsite(&self, meta: &'static Metadata<'static>) -> Interest {
        if self.shows(meta) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, meta: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.shows(meta)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match self.v.max(self.vmodule.highest()) {
            ..2 => LevelFilter::INFO,
            2..5 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        })
    }
}

/// The lowest `-v` that shows such an event. Negative: shown always.
fn verbosity_of(target: &str, level: Level) -> i32 {
    let root = target.split("::").next().unwrap_or(target);
    let library = LIBRARIES.contains(&root);
    match level {
        // What goes wrong in a library comes back to us as an error, and is logged once: where it is handled.
        Level::ERROR | Level::WARN if library => 4,
        Level::ERROR | Level::WARN => i32::MIN,
        Level::INFO if library => 6,
        Level::DEBUG if library => 8,
        Level::TRACE if library => 10,
        Level::INFO => 0,
        Level::DEBUG => 2,
        _ if root == GRPC || root == "csi_client" => 5,
        _ => 6,
    }
}

/// Targets that are not ours and talk at levels of their own.
const LIBRARIES: &[&str] = &[
    "axum",
    "h2",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "kube",
    "kube_client",
    "kube_runtime",
    "mio",
    "rustls",
    "tokio",
    "tokio_util",
    "tonic",
    "tower",
    "tower_http",
];

#[cfg(test)]
mod tests;
