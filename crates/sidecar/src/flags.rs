//! The flags that several programs share, in upstream's names, and what they mean.
//!
//! A crate's `Flags` flattens the groups it has upstream (`#[command(flatten)]`). A group is what was typed; its `config()` is
//! what it means, is pure, and has nothing left to parse. What is wrong between two flags ends the program with 1, as upstream.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
pub use cluster::limits::Rate;

use crate::values::{Gates, Labels};
use crate::{Exit, FeatureGates, Gate, GoDuration};

/// `--csi-address`.
#[derive(Debug, Clone, Args)]
pub struct CsiFlags {
    /// Address of the CSI driver: a path, unix://path, or for registrar and livenessprobe host:port.
    #[arg(long, default_value = "/run/csi/socket")]
    pub csi_address: String,
}

/// How to reach the Kubernetes API.
#[derive(Debug, Clone, Args)]
pub struct KubeFlags {
    /// Path of a kubeconfig file. Empty: the pod's own service account.
    #[arg(long, default_value = "")]
    pub kubeconfig: String,
    /// Most requests per second to the API server. Without it there is no limit here: the server's priority and fairness decides.
    #[arg(long)]
    pub kube_api_qps: Option<f64>,
    /// Requests that may be sent at once before --kube-api-qps counts.
    #[arg(long, default_value = "10")]
    pub kube_api_burst: i32,
}

/// What [`KubeFlags`] mean.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KubeConfig {
    /// `None`: in-cluster.
    pub kubeconfig: Option<PathBuf>,
    /// `None`: no limit of our own.
    pub rate: Option<Rate>,
}

impl KubeFlags {
    /// Pure.
    pub fn config(&self) -> KubeConfig {
        KubeConfig {
            kubeconfig: (!self.kubeconfig.is_empty()).then(|| PathBuf::from(&self.kubeconfig)),
            rate: Rate::new(self.kube_api_qps, self.kube_api_burst),
        }
    }
}

/// Leader election by a Lease.
#[derive(Debug, Clone, Args)]
pub struct LeaderElectionFlags {
    /// Let only one of several replicas act.
    #[arg(long)]
    pub leader_election: bool,
    /// Namespace of the Lease. Empty: POD_NAMESPACE, then the service account's, then "default".
    #[arg(long, default_value = "")]
    pub leader_election_namespace: String,
    /// How long the others wait after the leader's last renewal.
    #[arg(long, default_value = "15s")]
    pub leader_election_lease_duration: GoDuration,
    /// How long the leader tries to renew before it steps down.
    #[arg(long, default_value = "10s")]
    pub leader_election_renew_deadline: GoDuration,
    /// Pause between two tries, of leader and others.
    #[arg(long, default_value = "5s")]
    pub leader_election_retry_period: GoDuration,
    /// Labels for the Lease: key:value,key:value.
    #[arg(long)]
    pub leader_election_labels: Vec<Labels>,
}

/// What [`LeaderElectionFlags`] mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderElectionConfig {
    /// `None`: ask [`crate::pod_namespace`].
    pub namespace: Option<String>,
    /// Longer than `renew_deadline`.
    pub lease_duration: Duration,
    /// Longer than 1.2 times `retry_period`.
    pub renew_deadline: Duration,
    /// Above zero.
    pub retry_period: Duration,
    /// Put on the Lease whenever this replica writes it.
    pub labels: BTreeMap<String, String>,
}

impl LeaderElectionFlags {
    /// `None` if there is no election. Pure.
    ///
    /// # Errors
    /// Upstream: client-go `NewLeaderElector`: lease > renew > 1.2 × retry > 0.
    pub fn config(&self) -> Result<Option<LeaderElectionConfig>, Exit> {
        if !self.leader_election {
            return Ok(None);
        }
        let (lease, renew, retry) =
            (self.leader_election_lease_duration, self.leader_election_renew_deadline, self.leader_election_retry_period);
        if !retry.is_positive() {
            return Err(Exit::failed(format!("--leader-election-retry-period is {retry}, it must be above zero")));
        }
        if i128::from(renew.0) * 5 <= i128::from(retry.0) * 6 {
            return Err(Exit::failed(format!(
                "--leader-election-renew-deadline is {renew}, it must be more than 1.2 times --leader-election-retry-period, {retry}"
            )));
        }
        if lease <= renew {
            return Err(Exit::failed(format!(
                "--leader-election-lease-duration is {lease}, it must be more than --leader-election-renew-deadline, {renew}"
            )));
        }
        Ok(Some(LeaderElectionConfig {
            namespace: (!self.leader_election_namespace.is_empty()).then(|| self.leader_election_namespace.clone()),
            lease_duration: lease.to_std(),
            renew_deadline: renew.to_std(),
            retry_period: retry.to_std(),
            labels: self.leader_election_labels.iter().flat_map(|labels| labels.0.iter().cloned()).collect(),
        }))
    }
}

/// The server for metrics and health.
#[derive(Debug, Clone, Args)]
pub struct HttpFlags {
    /// Where to serve metrics and health: host:port, or :port for all addresses. Empty: nowhere.
    #[arg(long, default_value = "")]
    pub http_endpoint: String,
    /// Deprecated: --http-endpoint does the same.
    #[arg(long, default_value = "")]
    pub metrics_address: String,
    /// Path of the metrics.
    #[arg(long, default_value = "/metrics")]
    pub metrics_path: String,
}

/// What [`HttpFlags`] mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConfig {
    /// `None`: no server.
    pub listen: Option<String>,
    /// Whether the leader's health may be served: upstream does so only on --http-endpoint.
    pub leader_health: bool,
    /// Starts with a slash.
    pub metrics_path: String,
}

impl HttpFlags {
    /// Pure.
    ///
    /// # Errors
    /// Both addresses, or a path without its slash.
    pub fn config(&self, notices: &mut Vec<String>) -> Result<HttpConfig, Exit> {
        let (endpoint, metrics) = (self.http_endpoint.as_str(), self.metrics_address.as_str());
        if !endpoint.is_empty() && !metrics.is_empty() {
            return Err(Exit::failed(
                "only one of --http-endpoint and --metrics-address can be set, and the latter is deprecated",
            ));
        }
        if !metrics.is_empty() {
            notices.push("--metrics-address is deprecated, use --http-endpoint".to_owned());
        }
        let listen = [endpoint, metrics].into_iter().find(|address| !address.is_empty()).map(str::to_owned);
        let metrics_path = metrics_path(&self.metrics_path)?;
        Ok(HttpConfig { listen, leader_health: !endpoint.is_empty(), metrics_path })
    }
}

/// Checks `--metrics-path`.
///
/// # Errors
/// A path without its slash.
pub fn metrics_path(path: &str) -> Result<String, Exit> {
    if !path.starts_with('/') {
        return Err(Exit::failed(format!("--metrics-path is {path:?}, it must start with a slash")));
    }
    Ok(path.to_owned())
}

/// `--version`.
#[derive(Debug, Clone, Args)]
pub struct VersionFlag {
    /// Print the version and exit.
    #[arg(long)]
    pub version: bool,
}

/// `--automaxprocs`.
#[derive(Debug, Clone, Args)]
pub struct AutomaxprocsFlag {
    /// Accepted for compatibility; the few threads of this program need no tuning.
    #[arg(long)]
    pub automaxprocs: bool,
}

/// `--feature-gates`.
#[derive(Debug, Clone, Args)]
pub struct GateFlags {
    /// Feature gates to turn: Name=true,Name=false.
    #[arg(long)]
    pub feature_gates: Vec<Gates>,
}

impl GateFlags {
    /// Pure.
    ///
    /// # Errors
    /// See [`FeatureGates::decide`].
    pub fn config(&self, known: &[Gate], notices: &mut Vec<String>) -> Result<FeatureGates, Exit> {
        FeatureGates::decide(known, &self.feature_gates, notices)
    }
}

#[cfg(test)]
mod tests;
