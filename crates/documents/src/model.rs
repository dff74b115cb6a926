//! What a document asks for, in words that all formats share. Plain data, near to Kubernetes' own terms, but not yet objects: where
//! things are run (a cluster, or this host) is not decided here.
//!
//! ```text
//!  Document ─ Workload ─┬ Task ─ Mount ──────┐
//!                       └ Volume ─ Source <──┘ by alias
//!           ─ VolumeSpec: a volume that is to be made, or made known
//! ```

mod hidden;
mod placement;
mod task;
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use plugin_host::Plugin;

pub use hidden::{Hidden, SecretValue};
pub use placement::{Placement, Requirement, Rule, Spread};
pub use task::{Ask, Command, EnvValue, Image, Mount, Port, Probe, Propagation, Resources, Role, SANDBOX, Sandbox, Target, Task};
pub use volume::{AccessKind, Amount, CsiVolume, FileData, RegisteredVolume, Source, SpecKind, Volume, VolumeSpec};

/// Everything in one document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Whose format it is.
    pub format: Format,
    /// What is to run, in the order of the document.
    pub workloads: Vec<Workload>,
    /// Volumes that are to be made or registered (Nomad's volume specification files).
    pub volumes: Vec<VolumeSpec>,
    /// CSI plugins that are to run (Nomad's `csi_plugin` tasks, Mesos' and DC/OS's plugin files).
    pub plugins: Vec<Plugin>,
    /// Where its objects belong, if it says so.
    pub namespace: Option<String>,
}

impl Document {
    /// The secrets of the store that it names: name, and entry if one is meant. For whoever looks them up.
    pub fn secret_references(&self) -> BTreeSet<(String, Option<String>)> {
        let mut found = BTreeSet::new();
        let mut add = |value: &SecretValue| {
            if let SecretValue::Reference { name, key } = value {
                found.insert((name.clone(), key.clone()));
            }
        };
        for task in self.workloads.iter().flat_map(|workload| &workload.tasks) {
            task.env.values().for_each(|value| {
                if let EnvValue::Secret(value) = value {
                    add(value);
                }
            });
            task.image.iter().filter_map(|image| image.pull_secret.as_ref()).for_each(&mut add);
        }
        for volume in self.workloads.iter().flat_map(|workload| &workload.volumes) {
            match &volume.source {
                Source::Csi(csi) => csi.stage_secrets.values().chain(csi.publish_secrets.values()).for_each(&mut add),
                Source::Files(files) => files.values().for_each(|data| {
                    if let FileData::Secret(value) = data {
                        add(value);
                    }
                }),
                Source::Registered(_) | Source::HostPath(_) | Source::Empty { .. } => {}
            }
        }
        self.volumes.iter().flat_map(|spec| spec.secrets.values()).for_each(&mut add);
        found
    }

    /// The plugins that it names, as it names them.
    pub fn plugins(&self) -> BTreeSet<String> {
        let used = self.workloads.iter().flat_map(|workload| &workload.volumes).filter_map(|volume| match &volume.source {
            Source::Csi(csi) => Some(csi.plugin.clone()),
            _ => None,
        });
        used.chain(self.volumes.iter().map(|spec| spec.plugin.clone())).collect()
    }
}

/// Whose format a document has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the systems' own")]
pub enum Format {
    Marathon,
    Mesos,
    Nomad,
    /// The file of a CSI plugin, of Mesos or DC/OS.
    Plugin,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Marathon => "Marathon",
            Self::Mesos => "Mesos",
            Self::Nomad => "Nomad",
            Self::Plugin => "Mesos",
        })
    }
}

/// Processes that start and move together: a Marathon app, a Mesos task or task group, a Nomad task group.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// As the document writes it (`/team/web`).
    pub id: String,
    /// The name of its objects: a DNS label, unique in the document.
    pub name: String,
    /// Where in the document it is, for messages; empty if it is all of it.
    pub field: String,
    /// How many of it, where.
    pub kind: Kind,
    /// What follows the end of a task.
    pub restart: Restart,
    /// How long a restart waits. `None`: as Kubernetes does.
    pub backoff: Option<Backoff>,
    /// In the order in which they are started; those with [`Role::First`] first.
    pub tasks: Vec<Task>,
    /// What its tasks mount; aliases are unique.
    pub volumes: Vec<Volume>,
    /// Between the request to end and the kill. `None`: the default of where it runs.
    pub grace: Option<Duration>,
    /// Ended after this long, whatever it does.
    pub deadline: Option<Duration>,
    /// How instances are replaced when the document changes.
    pub update: Update,
    /// Where it may run.
    pub placement: Placement,
    /// When it is replaced after its node was lost. `None`: as where it runs.
    pub unreachable: Option<Unreachable>,
    /// Shares the network of its host.
    pub host_network: bool,
    /// Sees and shares the host's System V IPC and /dev/shm.
    pub host_ipc: bool,
    /// As written; values are any text, so they become annotations.
    pub labels: BTreeMap<String, String>,
}

/// How many instances, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// This many, kept up: a Deployment.
    Service {
        /// 0 is none.
        instances: u32,
    },
    /// One on each node: a DaemonSet.
    System,
    /// This many, run to their end: a Job.
    Batch {
        /// 0 is none.
        instances: u32,
    },
    /// One, run once: a Pod.
    Once,
}

impl Kind {
    /// How many run at once; `None` if the nodes decide.
    pub fn instances(self) -> Option<u32> {
        match self {
            Self::Service { instances } | Self::Batch { instances } => Some(instances),
            Self::System => None,
            Self::Once => Some(1),
        }
    }
}

/// What follows the end of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// It is started again, whether it succeeded or not.
    Always,
    /// It is started again if it failed.
    OnFailure,
    /// Nothing.
    Never,
}

/// `first` × `factor` ^ (consecutive restarts), up to `longest`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Before the first restart.
    pub first: Duration,
    /// 1 or more.
    pub factor: f64,
    /// The pause does not grow past it.
    pub longest: Duration,
    /// A task that ran this long has not failed: the pause begins anew. `None`: each restart counts.
    pub reset: Option<Duration>,
}

/// When an instance on a lost node is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// After this long.
    After(Duration),
    /// Not at all.
    Never,
}

/// How a new version replaces an old one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Update {
    /// The old one ends first.
    Recreate,
    /// Bit by bit.
    Rolling {
        /// The share of instances that may be missing meanwhile, 0 to 1.
        unavailable: f64,
        /// The share of instances that may be there in addition, 0 to 1.
        surplus: f64,
    },
}
