//! How a part of a plugin comes to be. What may hold secrets has a `Debug` that shows none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use csi_types::{Bytes, Secret};

/// Who starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// Somebody else: it listens on this socket, an absolute path.
    Endpoint(PathBuf),
    /// We do, as a process of this host.
    Process(Process),
    /// We do, as a container of this host's Docker daemon.
    Docker(Docker),
}

/// A process of this host. It gets `CSI_ENDPOINT`, sees the host's files, and leads a process group of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// What is run.
    pub command: Command,
    /// Besides PATH, HOME and `CSI_ENDPOINT`.
    pub environment: Environment,
    /// By name or number. `None`: who Longshore is.
    pub user: Option<String>,
    /// What it may use.
    pub limits: Limits,
    /// `None`: the folder of its socket.
    pub working_dir: Option<PathBuf>,
    /// Where the document believes the socket's folder to be mounted (Nomad's `mount_dir`). The process has no mounts of its own,
    /// so the socket's folder is put in its place wherever an argument or a variable names it.
    pub mount_dir: Option<PathBuf>,
}

/// A container. The folder of its socket is mounted at `mount_dir`, and it makes `csi.sock` there; the folder in which volumes are
/// mounted has the same path inside, with mounts shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Docker {
    /// By name, as `docker run` takes it.
    pub image: String,
    /// Instead of the image's own. Empty: the image's.
    pub entrypoint: Vec<String>,
    /// Behind the image's name. May hold secrets.
    pub args: Arguments,
    /// Besides `CSI_ENDPOINT`, which is not set if it is here.
    pub environment: Environment,
    /// `--user`. `None`: the image's.
    pub user: Option<String>,
    /// `--workdir`. `None`: the image's.
    pub working_dir: Option<PathBuf>,
    /// `--privileged`: plugins that mount need it.
    pub privileged: bool,
    /// `--network`. `None`: Docker's default.
    pub network: Option<String>,
    /// `--hostname`.
    pub hostname: Option<String>,
    /// Further mounts.
    pub binds: Vec<Bind>,
    /// Where the socket's folder is mounted.
    pub mount_dir: PathBuf,
    /// Where a folder for staging is mounted, for plugins that are told of it (Nomad's `stage_publish_base_dir`).
    pub stage_dir: Option<PathBuf>,
    /// What it may use.
    pub limits: Limits,
    /// Whether the image is fetched although it is there.
    pub pull: bool,
}

/// What is run. Shown without its arguments: people put secrets there.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// `/bin/sh -c TEXT`, which expands `$CSI_ENDPOINT`.
    Shell(String),
    /// A program with its arguments, itself not among them. Nothing is expanded but `${CSI_ENDPOINT}` and `$CSI_ENDPOINT`.
    Program {
        /// A path, or a name that PATH finds.
        program: String,
        /// What follows it.
        args: Arguments,
    },
}

/// Arguments; `Debug` shows how many.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Arguments(pub Vec<String>);

/// Variables. `Debug` shows their names only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Environment {
    /// As the document has them.
    pub plain: BTreeMap<String, String>,
    /// Those that are secret; they win over plain ones of the same name.
    pub secret: Secret,
    /// Those whose value is this node's name.
    pub node_name: BTreeSet<String>,
}

/// What a part may use; `None`: anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Its part of a busy processor; 1024 is one core's worth, as for Mesos and Docker. Never less than 2.
    pub cpu_shares: Option<u64>,
    /// The kernel ends what needs more.
    pub memory: Option<Bytes>,
}

/// A file or folder of the host in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// On the host; absolute.
    pub source: PathBuf,
    /// In the container; absolute.
    pub target: PathBuf,
    /// Whether writes fail.
    pub read_only: bool,
    /// Whether mounts made later are seen on the other side.
    pub propagation: Propagation,
}

/// As Docker's `bind-propagation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Propagation {
    /// Mounts are seen on neither side.
    #[default]
    Private,
    /// The host's are seen in the container.
    HostToContainer,
    /// Each side sees the other's.
    Bidirectional,
}

// === impl Environment ===

impl Environment {
    /// All variables, each once. For the one place that starts the plugin.
    pub fn expose(&self, node: &str) -> BTreeMap<String, String> {
        let mut all = self.plain.clone();
        all.extend(self.node_name.iter().map(|name| (name.clone(), node.to_owned())));
        all.extend(self.secret.expose().clone());
        all
    }

    /// Whether a variable of this name is there.
    pub fn has(&self, name: &str) -> bool {
        self.plain.contains_key(name) || self.node_name.contains(name) || self.secret.expose().contains_key(name)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.plain.keys().chain(self.secret.expose().keys()).chain(&self.node_name);
        f.debug_set().entries(names).finish()
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(_) => f.write_str("/bin/sh -c …"),
            Self::Program { program, args } => write!(f, "{program} {args:?}"),
        }
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} arguments)", self.0.len())
    }
}

impl From<Vec<String>> for Arguments {
    fn from(args: Vec<String>) -> Self {
        Self(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_may_be_secret_is_shown() {
        let environment = Environment {
            plain: BTreeMap::from([("PLAIN".to_owned(), "hunter2".to_owned())]),
            secret: Secret::from_iter([("KEY", "hunter2")]),
            node_name: BTreeSet::from(["MESOS_AGENT_ID".to_owned()]),
        };
        let args = Arguments(vec!["--password=hunter2".to_owned()]);
        let process = Process {
            command: Command::Program { program: "/bin/plugin".to_owned(), args: args.clone() },
            environment: environment.clone(),
            user: None,
            limits: Limits::default(),
            working_dir: None,
            mount_dir: None,
        };
        let shell = Process { command: Command::Shell("plugin --password=hunter2".to_owned()), ..process.clone() };
        for how in [How::Process(process), How::Process(shell)] {
            let shown = format!("{how:?}");
            assert!(!shown.contains("hunter2") && shown.contains("PLAIN") && shown.contains("KEY"), "{shown}");
        }
        assert_eq!(environment.expose("node-1")["MESOS_AGENT_ID"], "node-1");
    }
}
