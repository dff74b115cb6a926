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
mod volume;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use plugin_host::Plugin;

pub use hidden::{Hidden, SecretValue};
pub use placement::{Placement, Requirement, Rule, Spread};
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

/// One process.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// A DNS label, unique in the workload.
    pub name: String,
    /// Where in the document it is, for messages.
    pub field: String,
    /// When it is started.
    pub role: Role,
    /// What is run.
    pub command: Command,
    /// What it is run in. `None`: the filesystem of the host.
    pub image: Option<Image>,
    /// Name to value, in order; a later one may use those before it by `$(NAME)` only if `expand` is set.
    pub env: BTreeMap<String, EnvValue>,
    /// What it sees of the workload's volumes.
    pub mounts: Vec<Mount>,
    /// The command and the values of variables are in Kubernetes' own syntax: `$(NAME)` is another variable's value, and `$$(` is `$(`.
    /// Otherwise a `$(` is text.
    pub expand: bool,
    /// Where it listens.
    pub ports: Vec<Port>,
    /// What it may use.
    pub resources: Resources,
    /// Who it is: a name or a number, with `:GROUP` or without. `None`: root.
    pub user: Option<String>,
    /// May do everything on its host.
    pub privileged: bool,
    /// Fails: it is ended and started again.
    pub health: Option<Probe>,
    /// Fails: nobody is sent to it.
    pub ready: Option<Probe>,
    /// A folder of its own, in which it begins. `None`: it begins where the image says, or in `/`.
    pub sandbox: Option<Sandbox>,
}

/// When a task of a workload is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Runs to its end before the others start.
    First,
    /// With the others.
    #[default]
    Main,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// By `/bin/sh -c`.
    Shell(String),
    /// Program and arguments.
    Argv(Vec<String>),
    /// What the image runs, with these arguments instead of its own if there are any.
    Image(Vec<String>),
}

/// A container image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// As a registry knows it.
    pub name: String,
    /// Asked for at each start.
    pub pull_always: bool,
    /// The secret with which it is pulled: a Docker configuration, by its name in the secret store.
    pub pull_secret: Option<SecretValue>,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvValue {
    /// As written.
    Text(String),
    /// From a secret.
    Secret(SecretValue),
    /// A field of the pod, as `status.hostIP` or `metadata.name`.
    PodField(&'static str),
}

/// A volume at a place of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Which of the workload's volumes.
    pub volume: String,
    /// Where in the document it is, for messages.
    pub field: String,
    /// Where in the task.
    pub target: Target,
    /// One file or folder of the volume. `None`: all of it.
    pub sub_path: Option<String>,
    /// Writes fail.
    pub read_only: bool,
    /// What of later mounts passes.
    pub propagation: Propagation,
}

/// Where in a task a volume is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Below the task's sandbox. Without `..`, and not empty.
    Sandbox(String),
    /// Absolute, and made if it is not there.
    Made(String),
    /// Absolute, and on the host already: if not, the task fails with that reason. Source: Mesos, tasks without a root filesystem.
    Existing(String),
}

/// What of the mounts below a volume passes between a task and its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// Nothing.
    #[default]
    Private,
    /// What the host mounts later.
    HostToTask,
    /// Both ways.
    Bidirectional,
}

/// The alias by which a [`Mount`] names its own task's sandbox.
pub const SANDBOX: &str = "sandbox";

/// A port on which a task listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// A DNS label of at most 15 characters, if it has a name that is one.
    pub name: Option<String>,
    /// In the task.
    pub number: u16,
    /// The same, or another, on the host; `None`: not there.
    pub host: Option<u16>,
    /// UDP rather than TCP.
    pub udp: bool,
}

/// A folder of a task's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Where the task sees it. Absolute.
    pub path: String,
    /// The variable that names it, if there is one.
    pub variable: Option<String>,
    /// Whether the task begins in it.
    pub working_dir: bool,
}

/// What a task may use. Absent is whatever there is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resources {
    /// Cores that are kept for it.
    pub cpus: Option<f64>,
    /// Bytes of memory that are kept for it.
    pub memory: Option<u64>,
    /// Bytes of the host's disk that are kept for it.
    pub disk: Option<u64>,
    /// Whole devices.
    pub gpus: Option<u64>,
    /// It never gets more cores than this.
    pub cpus_limit: Option<f64>,
    /// It is killed when it takes more bytes of memory than this.
    pub memory_limit: Option<u64>,
}

/// A question that is asked of a task again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What is asked.
    pub ask: Ask,
    /// Before the first.
    pub delay: Duration,
    /// Between two.
    pub interval: Duration,
    /// For the answer.
    pub timeout: Duration,
    /// This many in a row, and it counts. 0: never.
    pub failures: u32,
    /// Failures in the first time do not count.
    pub grace: Duration,
}

/// What a probe asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Whether this command succeeds.
    Command(Vec<String>),
    /// Whether the answer is good.
    Http {
        /// Of the task.
        port: u16,
        /// Begins with `/`.
        path: String,
        /// By TLS.
        tls: bool,
    },
    /// Whether somebody listens.
    Tcp {
        /// Of the task.
        port: u16,
    },
}
