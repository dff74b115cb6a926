//! `longshore status`: what was typed, and what it means.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use sidecar::{Dialect, Exit, LogFlags, Program};

/// Shows claims, volumes, attachments and mounts as a tree, with ages, and why something waits.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Flags {
    /// Which cluster or host. Default: KUBECONFIG, then the one of `longshore up`, then ~/.kube/config.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Only this namespace.
    #[arg(short = 'n', long)]
    namespace: Option<String>,
    /// How to show it.
    #[arg(short = 'o', long, value_enum, default_value = "text")]
    output: Output,
    /// Show it again whenever something changes.
    #[arg(short = 'w', long)]
    watch: bool,
    #[command(flatten)]
    logs: LogFlags,
}

/// How to show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A tree for people.
    Text,
    Json,
    Yaml,
}

/// What the flags mean.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) kubeconfig: PathBuf,
    pub(crate) namespace: Option<String>,
    pub(crate) output: Output,
    pub(crate) watch: bool,
}

/// Where `longshore up` leaves its kubeconfig as root.
const UP: &str = "/var/lib/longshore/kubeconfig";

impl Program for Flags {
    type Config = Config;
    // kubectl's dialect: -n and -o are short flags.
    const DIALECT: Dialect = Dialect::Pflag;
    const TLS: bool = true;

    fn logs(&self) -> &LogFlags {
        &self.logs
    }

    fn config(self, _: &mut Vec<String>) -> Result<Config, Exit> {
        let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = env("HOME").map(|home| [home.join(".local/share/longshore/kubeconfig"), home.join(".kube/config")]);
        let usual = [PathBuf::from(UP)].into_iter().chain(home.into_iter().flatten());
        let kubeconfig = self.kubeconfig.or_else(|| env("KUBECONFIG")).or_else(|| usual.into_iter().find(|path| path.exists()));
        let kubeconfig = kubeconfig.ok_or_else(|| {
            Exit::failed(format!(
                "no kubeconfig: neither --kubeconfig nor KUBECONFIG is set, and there is neither {UP} (longshore up) nor ~/.kube/config"
            ))
        })?;
        Ok(Config { kubeconfig, namespace: self.namespace, output: self.output, watch: self.watch })
    }
}
