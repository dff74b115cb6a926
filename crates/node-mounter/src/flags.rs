//! The command line: kubelet's names where it has them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use cluster::Backoff;
use sidecar::flags::{HttpConfig, HttpFlags, KubeConfig, KubeFlags, VersionFlag};
use sidecar::{Exit, GoDuration, LogFlags, Program};

use crate::agent;
use crate::paths::{Root, component};

/// The command line.
#[derive(Debug, Parser)]
pub struct Flags {
    #[command(flatten)]
    pub kube: KubeFlags,
    #[command(flatten)]
    pub http: HttpFlags,
    #[command(flatten)]
    pub logs: LogFlags,
    #[command(flatten)]
    pub version: VersionFlag,
    /// Name of this node in Kubernetes. Empty: the environment's NODE_NAME, then the host's name.
    #[arg(long, default_value = "")]
    pub node_name: String,
    /// Kubelet's root directory: where drivers register and volumes are mounted.
    #[arg(long, default_value = "/var/lib/kubelet")]
    pub root_dir: String,
    /// Make and keep the Node object and its Lease, and delete pods that have ended. Without it, somebody else does.
    #[arg(long)]
    pub register_node: bool,
    /// Labels of a Node that is registered here: key=value,key=value.
    #[arg(long, default_value = "")]
    pub node_labels: String,
    /// How often the Node is looked at.
    #[arg(long, default_value = "10s")]
    pub node_status_update_frequency: GoDuration,
    /// The deadline of one call to a driver.
    #[arg(long, default_value = "2m")]
    pub csi_timeout: GoDuration,
    /// Wait after the first failure of an operation on a volume; it doubles with each further one.
    #[arg(long, default_value = "500ms")]
    pub retry_interval_start: GoDuration,
    /// The longest such wait.
    #[arg(long, default_value = "2m2s")]
    pub retry_interval_max: GoDuration,
    /// Volumes that are worked on at once.
    #[arg(long, default_value = "100")]
    pub worker_threads: u32,
    /// Folder of Pod manifests whose volumes are mounted besides those of the API's pods, as a kubelet's static pods. Empty: none.
    #[arg(long, default_value = "")]
    pub manifest_dir: String,
    /// Unix socket on which a runtime asks where a pod's volumes are. Empty: none; volumes.json in the pod's folder says it too.
    #[arg(long, default_value = "")]
    pub api_socket: String,
    /// Folder of CSIPluginInfo files, as Mesos agents have: their plugins are registered here, and started if they say how. Empty: none.
    #[arg(long, default_value = "")]
    pub csi_plugin_config_dir: String,
}

/// What the command line means.
#[derive(Debug, Clone)]
pub struct Config {
    /// How to reach the API server.
    pub kube: KubeConfig,
    /// Metrics and health.
    pub http: HttpConfig,
    /// Volumes and the Node.
    pub agent: agent::Config,
    /// The deadline of one call to a driver.
    pub csi_timeout: Duration,
    /// Volumes at once.
    pub workers: usize,
    /// Pod manifests.
    pub manifest_dir: Option<PathBuf>,
    /// The local runtime's socket.
    pub api_socket: Option<PathBuf>,
    /// Plugin files.
    pub plugin_dir: Option<PathBuf>,
}

/// Kubelet republishes with its pod resync, every 60 to 90 seconds.
const REPUBLISH: Duration = Duration::from_secs(60);

impl Program for Flags {
    type Config = Config;
    const TLS: bool = true;

    fn logs(&self) -> &LogFlags {
        &self.logs
    }

    fn version(&self) -> bool {
        self.version.version
    }

    fn config(self, notices: &mut Vec<String>) -> Result<Config, Exit> {
        let env = std::env::var("NODE_NAME").unwrap_or_default();
        let host = rustix::system::uname().nodename().to_string_lossy().to_lowercase();
        self.with_names(&env, &host, notices)
    }
}

impl Flags {
    /// [`Program::config`] with what it takes from outside. Pure.
    ///
    /// # Errors
    /// One sentence that names the flag.
    pub fn with_names(self, env: &str, host: &str, notices: &mut Vec<String>) -> Result<Config, Exit> {
        let name = [self.node_name.as_str(), env, host].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        if component(name).is_none() {
            return Err(Exit::failed(format!("{name:?} cannot be the name of a node; give one with --node-name")));
        }
        if !self.root_dir.starts_with('/') {
            return Err(Exit::failed(format!("--root-dir is {:?}, it must be an absolute path", self.root_dir)));
        }
        for (flag, value) in [
            ("node-status-update-frequency", self.node_status_update_frequency),
            ("csi-timeout", self.csi_timeout),
            ("retry-interval-start", self.retry_interval_start),
            ("retry-interval-max", self.retry_interval_max),
        ] {
            if !value.is_positive() {
                return Err(Exit::failed(format!("--{flag} is {value}, it must be above zero")));
            }
        }
        let backoff = Backoff { start: self.retry_interval_start.to_std(), max: self.retry_interval_max.to_std() };
        if backoff.start > backoff.max {
            return Err(Exit::failed("--retry-interval-start must not be longer than --retry-interval-max"));
        }
        let node_labels = labels(&self.node_labels)?;
        if !node_labels.is_empty() && !self.register_node {
            notices.push("--node-labels does nothing without --register-node".to_owned());
        }
        Ok(Config {
            kube: self.kube.config(),
            http: self.http.config(notices)?,
            agent: agent::Config {
                node: name.into(),
                // Through its components, so that a trailing slash is gone.
                root: Root::new(PathBuf::from(&self.root_dir).components().collect::<PathBuf>()),
                register_node: self.register_node,
                node_labels,
                node_status_update_frequency: self.node_status_update_frequency.to_std(),
                backoff,
                republish_every: REPUBLISH,
            },
            csi_timeout: self.csi_timeout.to_std(),
            workers: usize::try_from(self.worker_threads).unwrap_or(usize::MAX).clamp(1, 10_000),
            manifest_dir: (!self.manifest_dir.is_empty()).then(|| PathBuf::from(&self.manifest_dir)),
            api_socket: (!self.api_socket.is_empty()).then(|| PathBuf::from(&self.api_socket)),
            plugin_dir: (!self.csi_plugin_config_dir.is_empty()).then(|| PathBuf::from(&self.csi_plugin_config_dir)),
        })
    }
}

fn labels(text: &str) -> Result<Vec<(String, String)>, Exit> {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Exit::failed(format!("--node-labels has {pair:?}, expected key=value"))),
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(args: &[&str]) -> Result<Config, Exit> {
        let argv = std::iter::once("node-mounter").chain(args.iter().copied()).map(Into::into);
        sidecar::parse::<Flags>(Flags::DIALECT, argv).and_then(|flags| flags.with_names("from-env", "from-host", &mut Vec::new()))
    }

    #[test]
    fn the_defaults_are_kubelets() {
        let config = config(&[]).expect("a configuration");
        assert_eq!(config.agent.root, Root::new("/var/lib/kubelet"));
        assert_eq!(config.agent.node.as_str(), "from-env");
        assert_eq!(
            (config.csi_timeout, config.agent.node_status_update_frequency),
            (Duration::from_secs(120), Duration::from_secs(10))
        );
        assert_eq!(config.agent.backoff, Backoff { start: Duration::from_millis(500), max: Duration::from_secs(122) });
        assert!(!config.agent.register_node && config.api_socket.is_none());
    }

    #[test]
    fn a_flag_that_means_nothing_is_named() {
        for (args, word) in [
            (&["--node-labels=x"][..], "--node-labels"),
            (&["--root-dir=relative"], "--root-dir"),
            (&["--csi-timeout=0s"], "--csi-timeout"),
            (&["--node-name=a/b"], "--node-name"),
            (&["--retry-interval-start=5m"], "--retry-interval-start"),
        ] {
            let refused = config(args).expect_err("refused");
            assert!(refused.to_string().contains(word), "{refused}");
        }
        assert_eq!(config(&["--no-such-flag"]).expect_err("refused").code(), 2);
    }

    #[test]
    fn labels_and_a_trailing_slash_are_understood() {
        let config = config(&["--register-node", "--node-labels=a=b, c=", "--root-dir=/data/kubelet/"]).expect("a configuration");
        assert_eq!(config.agent.node_labels, [("a".into(), "b".into()), ("c".into(), String::new())]);
        assert_eq!(config.agent.root.path(), std::path::Path::new("/data/kubelet"));
        assert!(config.agent.register_node);
    }
}
