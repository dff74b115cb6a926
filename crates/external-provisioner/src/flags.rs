//! The command line: what was typed ([`Flags`]) and what it means ([`Config`]). Names and defaults are upstream's.
//!
//! One default differs: without `--kube-api-qps` there is no client-side limit, and the API server's own fairness decides.
//! Spec: `spec/provisioner.md` chapter 1.

use std::time::Duration;

use cluster::Backoff;
use csi_client::Address;
use sidecar::flags::{AutomaxprocsFlag, CsiFlags, GateFlags, HttpFlags, KubeFlags, LeaderElectionFlags, VersionFlag};
use sidecar::{Dialect, Exit, Gate, GoDuration, LogFlags, Program, Setup, Stage};

use crate::view::Settings;

const GATES: [Gate; 5] = [
    Gate { name: "Topology", default: true, stage: Stage::Ga },
    Gate { name: "VolumeAttributesClass", default: true, stage: Stage::Ga },
    Gate { name: "CrossNamespaceVolumeDataSource", default: false, stage: Stage::Alpha },
    Gate { name: "ReleaseLeaderElectionOnExit", default: false, stage: Stage::Alpha },
    // Ours: every CreateVolume is written down before it is sent. Without it a crash can leave volumes behind, as upstream's.
    Gate { name: "WriteAheadIntents", default: true, stage: Stage::Beta },
];

/// Creates and deletes volumes of a CSI driver for PersistentVolumeClaims.
#[derive(Debug, Clone, clap::Parser)]
pub struct Flags {
    #[command(flatten)]
    pub csi: CsiFlags,
    #[command(flatten)]
    pub kube: KubeFlags,
    #[command(flatten)]
    pub election: LeaderElectionFlags,
    #[command(flatten)]
    pub http: HttpFlags,
    #[command(flatten)]
    pub gates: GateFlags,
    #[command(flatten)]
    pub log: LogFlags,
    #[command(flatten)]
    pub version: VersionFlag,
    #[command(flatten)]
    pub automaxprocs: AutomaxprocsFlag,
    #[command(flatten)]
    pub volumes: VolumeFlags,
    #[command(flatten)]
    pub capacity: CapacityFlags,
    #[command(flatten)]
    pub node: NodeFlags,
    /// Address of the API server; overrides the one in --kubeconfig.
    #[arg(long, default_value = "")]
    pub master: String,
    /// Pause after the first failure of an object; doubles with each further one.
    #[arg(long, default_value = "1s")]
    pub retry_interval_start: GoDuration,
    /// The longest pause.
    #[arg(long, default_value = "5m")]
    pub retry_interval_max: GoDuration,
    /// Claims, and volumes to delete, that are worked on at once.
    #[arg(long, default_value = "100")]
    pub worker_threads: u32,
    /// Time limit of each call to the driver.
    #[arg(long, default_value = "10s")]
    pub timeout: GoDuration,
    /// Accepted for compatibility; Go's profiler has no counterpart here.
    #[arg(long)]
    pub enable_pprof: bool,
}

/// What volumes are made like.
#[derive(Debug, Clone, clap::Args)]
pub struct VolumeFlags {
    /// What the names of volumes begin with.
    #[arg(long, default_value = "pvc")]
    pub volume_name_prefix: String,
    /// Characters of the claim's uid in a volume's name, without dashes; -1: all of it, with dashes.
    #[arg(long, default_value = "-1")]
    pub volume_name_uuid_length: i32,
    /// Filesystem of volumes whose class names none.
    #[arg(long, default_value = "")]
    pub default_fstype: String,
    /// With a waiting consumer, name only its node's topology.
    #[arg(long)]
    pub strict_topology: bool,
    /// Without a waiting consumer, name the topology of all nodes.
    #[arg(long, default_value = "true")]
    pub immediate_topology: bool,
    /// Tell the driver the names of claim and volume.
    #[arg(long)]
    pub extra_create_metadata: bool,
    /// Publish volumes read-only whose only access mode is ReadOnlyMany.
    #[arg(long)]
    pub controller_publish_readonly: bool,
    /// Refuse to make a filesystem volume from a snapshot of a block volume, and the reverse.
    #[arg(long, default_value = "true")]
    pub prevent_volume_mode_conversion: bool,
    /// Claims from which finalizers of clones are removed at once.
    #[arg(long, default_value = "1")]
    pub cloning_protection_threads: u32,
    /// How often finalizers are removed from snapshots that nobody restores any more.
    #[arg(long, default_value = "5m")]
    pub snapshot_orphan_sweep_interval: GoDuration,
}

/// CSIStorageCapacity. Understood, so that a manifest's flags parse; turning it on is refused in this version.
#[derive(Debug, Clone, clap::Args)]
pub struct CapacityFlags {
    /// Publish how much room is where. Not in this version.
    #[arg(long)]
    pub enable_capacity: bool,
    /// For classes with immediate binding too.
    #[arg(long)]
    pub capacity_for_immediate_binding: bool,
    /// How often the driver is asked.
    #[arg(long, default_value = "1m")]
    pub capacity_poll_interval: GoDuration,
    /// Who owns the objects: 0 the pod, 1 its controller, and so on; -1 nobody.
    #[arg(long, default_value = "1")]
    pub capacity_ownerref_level: i32,
    /// Questions to the driver at once.
    #[arg(long, default_value = "1")]
    pub capacity_threads: u32,
    /// Requests per second for these objects.
    #[arg(long, default_value = "1")]
    pub kube_api_capacity_qps: f64,
    /// Requests at once for these objects.
    #[arg(long, default_value = "5")]
    pub kube_api_capacity_burst: i32,
}

/// One instance per node. Understood; turning it on is refused in this version.
#[derive(Debug, Clone, clap::Args)]
pub struct NodeFlags {
    /// Provision only for this node. Not in this version.
    #[arg(long)]
    pub node_deployment: bool,
    /// Compete for claims with immediate binding.
    #[arg(long, default_value = "true")]
    pub node_deployment_immediate_binding: bool,
    /// First pause before competing.
    #[arg(long, default_value = "20s")]
    pub node_deployment_base_delay: GoDuration,
    /// Longest pause before competing.
    #[arg(long, default_value = "60s")]
    pub node_deployment_max_delay: GoDuration,
}

/// What the flags mean.
#[derive(Debug, Clone)]
pub struct Config {
    pub setup: Setup,
    pub controller: ControllerConfig,
}

/// What the controller needs to know, whichever process it runs in.
#[derive(Debug, Clone, PartialEq)]
pub struct ControllerConfig {
    pub settings: Settings,
    pub backoff: Backoff,
    /// At least one.
    pub workers: usize,
    /// Every CreateVolume is written down before it is sent: `--feature-gates=WriteAheadIntents`.
    pub intents: bool,
}

impl Program for Flags {
    type Config = Config;
    const DIALECT: Dialect = Dialect::Pflag;
    const WORKERS: usize = 2;
    const TLS: bool = true;

    fn logs(&self) -> &LogFlags {
        &self.log
    }

    fn version(&self) -> bool {
        self.version.version
    }

    fn config(self, notices: &mut Vec<String>) -> Result<Config, Exit> {
        for (on, flag) in [(self.capacity.enable_capacity, "--enable-capacity"), (self.node.node_deployment, "--node-deployment")]
        {
            if on {
                return Err(Exit::failed(format!("{flag} is on, and this version does not have it: leave the flag out")));
            }
        }
        if self.enable_pprof {
            notices.push("--enable-pprof has no effect: Go's profiler has no counterpart here".to_owned());
        }
        let gates = self.gates.config(&GATES, notices)?;
        Ok(Config {
            setup: Setup {
                name: "external-provisioner",
                csi_address: Address::parse(&self.csi.csi_address)
                    .map_err(|error| Exit::failed(format!("--csi-address: {error}")))?,
                timeout: positive("--timeout", self.timeout)?,
                kube: self.kube.config(),
                server: Some(self.master.clone()).filter(|server| !server.is_empty()),
                election: self.election.config()?,
                // Without a prefix, as upstream's.
                lease_name: csi_types::sanitize_driver_name,
                event_source: str::to_owned,
                http: self.http.config(notices)?,
            },
            controller: ControllerConfig {
                backoff: self.backoff()?,
                workers: usize::try_from(self.worker_threads).unwrap_or(1).max(1),
                intents: gates.enabled("WriteAheadIntents"),
                settings: Settings {
                    topology: gates.enabled("Topology"),
                    attributes_classes: gates.enabled("VolumeAttributesClass"),
                    ..self.volumes.settings()?
                },
            },
        })
    }
}

impl Flags {
    fn backoff(&self) -> Result<Backoff, Exit> {
        let start = positive("--retry-interval-start", self.retry_interval_start)?;
        let max = positive("--retry-interval-max", self.retry_interval_max)?;
        Ok(Backoff { start: start.min(max), max })
    }
}

impl VolumeFlags {
    /// Without what feature gates decide.
    fn settings(self) -> Result<Settings, Exit> {
        if self.volume_name_prefix.is_empty() {
            return Err(Exit::failed("--volume-name-prefix is empty, names of volumes have to begin with something"));
        }
        let length = self.volume_name_uuid_length;
        let uuid_length = match usize::try_from(length) {
            Ok(length @ 1..=32) => Some(length),
            _ if length == -1 => None,
            // Zero would give every volume the same name.
            _ => return Err(Exit::failed(format!("--volume-name-uuid-length is {length}, it must be -1 or from 1 to 32"))),
        };
        Ok(Settings {
            name_prefix: self.volume_name_prefix,
            uuid_length,
            default_fs_type: self.default_fstype,
            topology: true,
            strict_topology: self.strict_topology,
            immediate_topology: self.immediate_topology,
            extra_create_metadata: self.extra_create_metadata,
            publish_readonly: self.controller_publish_readonly,
            attributes_classes: true,
        })
    }
}

fn positive(flag: &str, value: GoDuration) -> Result<Duration, Exit> {
    match value.is_positive() {
        true => Ok(value.to_std()),
        false => Err(Exit::failed(format!("{flag} is {value}, it must be above zero"))),
    }
}

#[cfg(test)]
mod tests;
