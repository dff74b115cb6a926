//! One process of a workload: what is run, in what, with which variables, mounts and limits.

use std::collections::BTreeMap;
use std::time::Duration;

use super::SecretValue;

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
