//! `longshore run`: what was typed, and what it means.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use sidecar::{Dialect, Exit, LogFlags, Program};

use crate::foreign::{Given, What};
use crate::up;

/// Runs documents of other orchestrators on this host: their plugins, volumes and tasks, with the engine of `longshore up`.
///
/// Commands are run as processes of this host, each in a mount namespace of its own. What tasks say goes to the standard output. The command ends
/// when every task has ended that is not started again, with 0 if all of them succeeded and with 1 if not; and at Ctrl-C, which ends what
/// runs. Volumes are unpublished then, and keep their data.
#[derive(Debug, Clone, Parser)]
#[command(name = "longshore run")]
pub(crate) struct Flags {
    /// Documents; - is the standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    given: Given,
    /// Plugins of this host: files in the format of Mesos and DC/OS. Changes are picked up.
    #[arg(long, value_name = "DIR")]
    csi_plugin_config_dir: Option<PathBuf>,
    /// Where everything is kept; one process at a time.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/longshore")]
    data_dir: PathBuf,
    /// Where kubectl is served meanwhile; port 0 takes any that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where the log goes; "-" is stderr. Default: longshore.log in the data directory.
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    #[command(flatten)]
    logs: LogFlags,
}

/// What the flags mean.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// In the order in which they were typed.
    pub(crate) files: Vec<PathBuf>,
    /// Of the documents.
    pub(crate) what: What,
    /// Of the engine.
    pub(crate) up: up::Config,
}

impl Program for Flags {
    type Config = Config;
    const DIALECT: Dialect = Dialect::Pflag;
    const TLS: bool = true;
    const WORKERS: usize = 2;

    fn logs(&self) -> &LogFlags {
        &self.logs
    }

    fn log_file(&self) -> Option<PathBuf> {
        up::log_file(self.log_file.as_deref(), &up::Data::at(&self.data_dir))
    }

    fn config(self, _: &mut Vec<String>) -> Result<Config, Exit> {
        let what = self.given.what().map_err(Exit::failed)?;
        let up = up::Config::to_run(up::Data::at(&self.data_dir), self.listen, self.csi_plugin_config_dir)?;
        Ok(Config { files: self.files, what, up })
    }
}
