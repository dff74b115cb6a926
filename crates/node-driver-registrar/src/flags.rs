//! Upstream's flags, and what they mean.

use std::path::PathBuf;
use std::time::Duration;

use sidecar::flags::{AutomaxprocsFlag, CsiFlags, VersionFlag};
use sidecar::{Exit, GoDuration, LogFlags, Program};

/// The command line.
#[derive(Debug, clap::Parser)]
pub struct Flags {
    #[command(flatten)]
    pub csi: CsiFlags,
    /// Path of the driver's socket on the host, where kubelet will dial it. Required.
    #[arg(long, default_value = "")]
    pub kubelet_registration_path: String,
    /// Directory for the registration socket: the mount of kubelet's plugins_registry.
    #[arg(long, default_value = "/registration")]
    pub plugin_registration_path: String,
    /// How long GetPluginInfo may take, and the health check's GetInfo.
    #[arg(long, default_value = "1s")]
    pub timeout: GoDuration,
    /// Deprecated: has no effect.
    #[arg(long, default_value = "0")]
    pub connection_timeout: GoDuration,
    /// Deprecated: --http-endpoint=:port does the same.
    #[arg(long, default_value = "0")]
    pub health_port: i32,
    /// Where to serve /healthz: host:port, or :port for all addresses. Empty: nowhere.
    #[arg(long, default_value = "")]
    pub http_endpoint: String,
    /// Deprecated: kubelet-registration-probe exits at once, successfully.
    #[arg(long, default_value = "")]
    pub mode: String,
    /// Accepted for compatibility; there is no Go profile to serve.
    #[arg(long)]
    pub enable_pprof: bool,
    #[command(flatten)]
    pub version: VersionFlag,
    #[command(flatten)]
    pub automaxprocs: AutomaxprocsFlag,
    #[command(flatten)]
    pub logs: LogFlags,
}

/// What the command line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The driver's socket, as this process sees it.
    pub csi_address: String,
    /// The driver's socket, as kubelet sees it. Never opened here.
    pub endpoint: String,
    /// Where the registration socket goes.
    pub directory: PathBuf,
    /// For one GetPluginInfo, and for one health check.
    pub timeout: Duration,
    /// The flag that named the address of the health server, and the address.
    pub http: Option<(&'static str, String)>,
}

impl Program for Flags {
    type Config = Config;

    fn logs(&self) -> &LogFlags {
        &self.logs
    }

    fn version(&self) -> bool {
        self.version.version
    }

    /// The order is upstream's: the probe mode needs the path, although it does nothing with it, and no conflict stops it.
    fn config(self, notices: &mut Vec<String>) -> Result<Config, Exit> {
        if self.kubelet_registration_path.is_empty() {
            return Err(Exit::failed(
                "--kubelet-registration-path is required: the path of the driver's socket on the host, such as \
                 /var/lib/kubelet/plugins/<driver>/csi.sock",
            ));
        }
        match self.mode.as_str() {
            "" => {}
            "kubelet-registration-probe" => return Err(Exit::done()),
            other => notices.push(format!("--mode={other:?} is deprecated and has no effect")),
        }
        if self.health_port > 0 && !self.http_endpoint.is_empty() {
            return Err(Exit::failed("only one of --http-endpoint and --health-port can be set, and the latter is deprecated"));
        }
        if self.connection_timeout != GoDuration(0) {
            notices.push("--connection-timeout is deprecated and has no effect".to_owned());
        }
        if self.enable_pprof {
            notices.push("--enable-pprof has no effect: there is no Go profile to serve".to_owned());
        }
        let http = if self.health_port > 0 {
            notices.push(format!("--health-port is deprecated, use --http-endpoint=:{}", self.health_port));
            Some(("--health-port", format!(":{}", self.health_port)))
        } else {
            (!self.http_endpoint.is_empty()).then_some(("--http-endpoint", self.http_endpoint))
        };
        Ok(Config {
            csi_address: self.csi.csi_address,
            endpoint: self.kubelet_registration_path,
            directory: PathBuf::from(self.plugin_registration_path),
            timeout: self.timeout.to_std(),
            http,
        })
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

    const PATH: &str = "--kubelet-registration-path=/var/lib/kubelet/plugins/d/csi.sock";

    #[test]
    fn defaults_are_upstreams() {
        let (config, notices) = config(PATH).unwrap();
        let expected = Config {
            csi_address: "/run/csi/socket".into(),
            endpoint: "/var/lib/kubelet/plugins/d/csi.sock".into(),
            directory: "/registration".into(),
            timeout: Duration::from_secs(1),
            http: None,
        };
        assert_eq!((config, notices), (expected, 0));
    }

    #[test]
    fn the_registration_path_is_required_even_for_the_probe_mode() {
        for line in ["", "--mode=kubelet-registration-probe"] {
            let exit = config(line).unwrap_err();
            assert_eq!(exit.code(), 1);
            assert!(exit.to_string().contains("--kubelet-registration-path"), "{exit}");
        }
    }

    #[test]
    fn the_probe_mode_ends_with_0_before_anything_else_is_looked_at() {
        let line = format!("{PATH} --mode=kubelet-registration-probe --health-port=1 --http-endpoint=:2");
        assert_eq!(config(&line).unwrap_err(), Exit::done());
        assert_eq!(config(&format!("{PATH} --mode=other")).unwrap().1, 1, "any other mode registers");
    }

    #[test]
    fn the_health_port_is_an_old_spelling_and_never_a_second_address() {
        let (old, notices) = config(&format!("{PATH} --health-port=9809")).unwrap();
        assert_eq!((old.http, notices), (Some(("--health-port", ":9809".into())), 1));
        let (new, notices) = config(&format!("{PATH} --http-endpoint=127.0.0.1:9809 --health-port=0")).unwrap();
        assert_eq!((new.http, notices), (Some(("--http-endpoint", "127.0.0.1:9809".into())), 0));
        assert_eq!(config(&format!("{PATH} --health-port=-1")).unwrap().0.http, None);
        assert_eq!(config(&format!("{PATH} --health-port=1 --http-endpoint=:2")).unwrap_err().code(), 1);
    }

    #[test]
    fn deprecated_flags_are_accepted_with_a_word() {
        assert_eq!(config(&format!("{PATH} --connection-timeout=10s --enable-pprof")).unwrap().1, 2);
    }

    #[test]
    fn flags_of_other_sidecars_are_refused() {
        for line in ["--kubeconfig=/x", "--leader-election", "--metrics-address=:1", "--feature-gates=A=true", "--logtostderr"] {
            assert_eq!(read(&format!("{PATH} {line}")).unwrap_err().code(), 2, "{line}");
        }
    }
}
