//! The command line: what was typed ([`Flags`]) and what it means ([`Config`]). Names and defaults are upstream's, but for
//! `--kube-api-qps`: without it there is no limit of our own.

use std::time::Duration;

use cluster::Backoff;
use csi_client::Address;
use csi_types::sanitize_driver_name;
use sidecar::flags::{AutomaxprocsFlag, CsiFlags, GateFlags, HttpFlags, KubeFlags, LeaderElectionFlags, VersionFlag};
use sidecar::{Exit, Gate, GoDuration, LogFlags, Program, Setup, Stage};

const GATES: [Gate; 2] = [
    Gate { name: "MutableCSINodeAllocatableCount", default: true, stage: Stage::Ga },
    Gate { name: "ReleaseLeaderElectionOnExit", default: false, stage: Stage::Alpha },
];

/// Attaches volumes of a CSI driver to nodes, and detaches them.
#[derive(Debug, Clone, clap::Parser)]
pub struct Flags {
    #[command(flatten)]
    csi: CsiFlags,
    #[command(flatten)]
    kube: KubeFlags,
    #[command(flatten)]
    election: LeaderElectionFlags,
    #[command(flatten)]
    http: HttpFlags,
    #[command(flatten)]
    gates: GateFlags,
    #[command(flatten)]
    log: LogFlags,
    #[command(flatten)]
    version: VersionFlag,
    #[command(flatten)]
    automaxprocs: AutomaxprocsFlag,
    /// How often every VolumeAttachment is looked at again, unless it waits for a retry.
    #[arg(long, default_value = "10m")]
    resync: GoDuration,
    /// Time limit of each call to the driver.
    #[arg(long, default_value = "15s")]
    timeout: GoDuration,
    /// Pause after the first failure of an attachment; doubles with each further one.
    #[arg(long, default_value = "1s")]
    retry_interval_start: GoDuration,
    /// The longest pause.
    #[arg(long, default_value = "5m")]
    retry_interval_max: GoDuration,
    /// Attachments that are worked on at once.
    #[arg(long, default_value = "10")]
    worker_threads: u32,
    /// Entries per page of ListVolumes; 0: as many as the driver likes.
    #[arg(long, default_value = "0")]
    max_entries: u32,
    /// Filesystem for volumes whose PersistentVolume names none.
    #[arg(long, default_value = "")]
    default_fstype: String,
    /// Pause between two comparisons with what the driver lists as published; 0: none are made.
    #[arg(long, default_value = "1m")]
    reconcile_sync: GoDuration,
    /// Accepted for compatibility; log lines of calls are not cut.
    #[arg(long, default_value = "-1", allow_negative_numbers = true)]
    max_grpc_log_length: i64,
}

/// What the controller itself needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Passes at once.
    pub workers: usize,
    /// Between failures of one attachment.
    pub backoff: Backoff,
    /// Between two looks at everything.
    pub resync: Duration,
    /// Between two comparisons with the driver's list.
    pub verify_every: Duration,
    /// Entries per page; 0: the driver decides.
    pub page: u32,
    /// Empty: the driver decides.
    pub default_fs_type: String,
    /// Whether attachError carries the code, which kubelet reads to refresh a node's limits.
    pub error_codes: bool,
}

/// What the flags mean.
#[derive(Debug, Clone)]
pub struct Config {
    /// The process around the controller.
    pub setup: Setup,
    /// The controller.
    pub settings: Settings,
}

impl Program for Flags {
    type Config = Config;
    const TLS: bool = true;

    fn logs(&self) -> &LogFlags {
        &self.log
    }

    fn version(&self) -> bool {
        self.version.version
    }

    fn config(self, notices: &mut Vec<String>) -> Result<Config, Exit> {
        let gates = self.gates.config(&GATES, notices)?;
        if self.worker_threads == 0 {
            return Err(Exit::failed("--worker-threads is 0, it must be at least 1"));
        }
        if self.max_grpc_log_length != -1 {
            notices.push("--max-grpc-log-length has no effect: log lines of calls are not cut".to_owned());
        }
        let address = Address::parse(&self.csi.csi_address).map_err(|error| Exit::failed(format!("--csi-address: {error}")))?;
        Ok(Config {
            setup: Setup {
                name: "external-attacher",
                csi_address: address,
                timeout: self.timeout.to_std(),
                kube: self.kube.config(),
                server: None,
                election: self.election.config()?,
                http: self.http.config(notices)?,
                lease_name: |driver| format!("external-attacher-leader-{}", sanitize_driver_name(driver)),
                event_source: |driver| format!("external-attacher-leader-{}", sanitize_driver_name(driver)),
            },
            settings: Settings {
                workers: self.worker_threads as usize,
                backoff: Backoff { start: self.retry_interval_start.to_std(), max: self.retry_interval_max.to_std() },
                resync: self.resync.to_std(),
                verify_every: self.reconcile_sync.to_std(),
                page: self.max_entries,
                default_fs_type: self.default_fstype,
                error_codes: gates.enabled("MutableCSINodeAllocatableCount"),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use sidecar::parse;

    use super::*;

    fn config(args: &str) -> Result<Config, Exit> {
        let argv: Vec<_> =
            std::iter::once("external-attacher").chain(args.split_whitespace()).map(std::ffi::OsString::from).collect();
        parse::<Flags>(Flags::DIALECT, argv)?.config(&mut Vec::new())
    }

    #[test]
    fn upstreams_command_lines_mean_what_they_mean_upstream() {
        let config =
            config("-v=5 -csi-address /csi/csi.sock --leader-election --timeout=2m -worker-threads=3 --default-fstype=xfs");
        let config = config.expect("upstream's flags");
        assert_eq!((config.settings.workers, config.setup.timeout.as_secs()), (3, 120));
        assert_eq!(config.settings.default_fs_type, "xfs");
        assert_eq!((config.setup.lease_name)("ebs.csi.aws.com"), "external-attacher-leader-ebs-csi-aws-com");
        assert!(config.setup.election.is_some() && config.settings.error_codes && config.setup.kube.rate.is_none());
    }

    #[test]
    fn what_cannot_work_is_refused_in_one_sentence() {
        for args in ["--worker-threads=0", "--feature-gates=Nonsense=true", "--csi-address=nonsense", "--connection-timeout=1s"] {
            assert!(config(args).is_err(), "{args}");
        }
    }
}
