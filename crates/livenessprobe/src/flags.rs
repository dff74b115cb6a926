//! Upstream's flags, and what they mean.

use std::time::Duration;

use sidecar::flags::{AutomaxprocsFlag, CsiFlags, metrics_path};
use sidecar::{Exit, GoDuration, LogFlags, Program};

const DEFAULT_PORT: &str = "9808";

/// The command line.
#[derive(Debug, clap::Parser)]
pub struct Flags {
    #[command(flatten)]
    pub csi: CsiFlags,
    /// How long one health check may take, connecting included.
    #[arg(long, default_value = "3s")]
    pub probe_timeout: GoDuration,
    /// Deprecated: --http-endpoint=0.0.0.0:port does the same. Serves /healthz when --http-endpoint is empty.
    #[arg(long, default_value = DEFAULT_PORT)]
    pub health_port: String,
    /// Where to serve /healthz and metrics: host:port, or :port for all addresses.
    #[arg(long, default_value = "")]
    pub http_endpoint: String,
    /// Deprecated: --http-endpoint serves metrics too. Where to serve metrics alone.
    #[arg(long, default_value = "")]
    pub metrics_address: String,
    /// Path of the metrics.
    #[arg(long, default_value = "/metrics")]
    pub metrics_path: String,
    #[command(flatten)]
    pub automaxprocs: AutomaxprocsFlag,
    #[command(flatten)]
    pub logs: LogFlags,
}

/// What the command line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The driver's socket.
    pub csi_address: String,
    /// For connecting and Probe together.
    pub probe_timeout: Duration,
    /// Where `/healthz` is served, and the flag that says so.
    pub health: (&'static str, String),
    /// Where metrics are served.
    pub metrics: MetricsAt,
}

/// Where metrics are served. With a plain --health-port: nowhere, as upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricsAt {
    /// Nowhere.
    Nowhere,
    /// On this path beside `/healthz`.
    Health(String),
    /// On this address and path.
    Own(String, String),
}

impl Program for Flags {
    type Config = Config;

    fn logs(&self) -> &LogFlags {
        &self.logs
    }

    /// `--health-port=9808` cannot be told from its absence, and is tolerated beside --http-endpoint.
    fn config(self, notices: &mut Vec<String>) -> Result<Config, Exit> {
        let own_port = self.health_port != DEFAULT_PORT;
        if own_port && !self.http_endpoint.is_empty() {
            return Err(Exit::failed("only one of --http-endpoint and --health-port can be set, and the latter is deprecated"));
        }
        if !self.metrics_address.is_empty() && !self.http_endpoint.is_empty() {
            return Err(Exit::failed(
                "only one of --http-endpoint and --metrics-address can be set, and the latter is deprecated",
            ));
        }
        if !self.probe_timeout.is_positive() {
            return Err(Exit::failed(format!("--probe-timeout is {}, it must be above zero", self.probe_timeout)));
        }
        if own_port {
            notices.push(format!("--health-port is deprecated, use --http-endpoint=0.0.0.0:{}", self.health_port));
        }
        if !self.metrics_address.is_empty() {
            notices.push("--metrics-address is deprecated, use --http-endpoint".to_owned());
        }
        let path = metrics_path(&self.metrics_path)?;
        let metrics = match (self.http_endpoint.is_empty(), self.metrics_address.is_empty()) {
            (false, _) => MetricsAt::Health(path),
            (true, false) => MetricsAt::Own(self.metrics_address, path),
            (true, true) => MetricsAt::Nowhere,
        };
        let health = if self.http_endpoint.is_empty() {
            ("--health-port", format!("0.0.0.0:{}", self.health_port))
        } else {
            ("--http-endpoint", self.http_endpoint)
        };
        Ok(Config { csi_address: self.csi.csi_address, probe_timeout: self.probe_timeout.to_std(), health, metrics })
    }
}

#[cfg(test)]
mod tests {
    use sidecar::{Dialect, parse};

    use super::*;

    fn read(line: &str) -> Result<Flags, Exit> {
        parse(Dialect::Std, std::iter::once("prog").chain(line.split_whitespace()).map(Into::into))
    }

    fn config(line: &str) -> Result<(Config, usize), Exit> {
        let mut notices = Vec::new();
        let config = read(line)?.config(&mut notices)?;
        Ok((config, notices.len()))
    }

    #[test]
    fn without_flags_it_serves_health_on_port_9808_of_ipv4_and_no_metrics() {
        let expected = Config {
            csi_address: "/run/csi/socket".into(),
            probe_timeout: Duration::from_secs(3),
            health: ("--health-port", "0.0.0.0:9808".into()),
            metrics: MetricsAt::Nowhere,
        };
        assert_eq!(config("").unwrap(), (expected, 0));
    }

    #[test]
    fn metrics_go_with_the_endpoint_or_have_a_server_of_their_own() {
        let (both, notices) = config("--http-endpoint=:9808 --metrics-path=/m").unwrap();
        assert_eq!((both.health.1.as_str(), both.metrics, notices), (":9808", MetricsAt::Health("/m".into()), 0));
        let (own, notices) = config("--health-port=http --metrics-address=:9090").unwrap();
        assert_eq!(own.health.1, "0.0.0.0:http");
        assert_eq!((own.metrics, notices), (MetricsAt::Own(":9090".into(), "/metrics".into()), 2));
    }

    #[test]
    fn an_old_address_beside_the_endpoint_is_a_conflict_except_for_the_default_port() {
        for line in ["--http-endpoint=:1 --health-port=2", "--http-endpoint=:1 --metrics-address=:2"] {
            assert_eq!(config(line).unwrap_err().code(), 1, "{line}");
        }
        assert!(config("--http-endpoint=:1 --health-port=9808").is_ok());
        assert_eq!(config("--probe-timeout=0").unwrap_err().code(), 1);
    }

    #[test]
    fn flags_of_other_sidecars_are_refused() {
        for line in ["--version", "--timeout=1s", "--kubeconfig=/x", "--leader-election", "--connection-timeout=1s"] {
            assert_eq!(read(line).unwrap_err().code(), 2, "{line}");
        }
    }
}
