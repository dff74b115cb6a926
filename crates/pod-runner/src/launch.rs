//! What a container's process is told before it becomes the container: command, environment, mounts, user.
//!
//! It goes through a pipe, never to the disk, because the environment and the files of a Secret are in it. For the same reason it
//! has no `Debug`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One start of a container.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Launch {
    /// Where `started` and `exit.json` are written.
    pub(crate) dir: PathBuf,
    /// Program and arguments.
    pub(crate) command: Vec<String>,
    /// All of the environment, in order.
    pub(crate) env: Vec<(String, String)>,
    /// `None`: the root directory.
    pub(crate) working_dir: Option<PathBuf>,
    /// In the order of the pod.
    pub(crate) mounts: Vec<Mount>,
    /// Who the process is. `None`: who Longshore is.
    pub(crate) user: Option<u32>,
    /// Its group. `None`: the user's number is no group, so it stays.
    pub(crate) group: Option<u32>,
    /// More groups: `fsGroup` and `supplementalGroups`.
    pub(crate) groups: Vec<u32>,
}

/// Something at a path of the container.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Mount {
    /// Absolute, in the container.
    pub(crate) target: PathBuf,
    /// What is there.
    pub(crate) source: Source,
    /// Whether writes fail.
    pub(crate) read_only: bool,
    /// Whether the place has to be on the host already.
    pub(crate) existing: bool,
}

/// What is at the path.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Source {
    /// A directory or file of this host.
    Path(PathBuf),
    /// A path below a directory of this host, which no link in it may leave. Made as a directory if it is not there.
    SubPath(PathBuf, PathBuf),
    /// A device of this host, by a link or by itself.
    Device(PathBuf),
    /// Files that are only in memory: a ConfigMap's or a Secret's. Name to bytes and mode.
    Files(BTreeMap<String, (Vec<u8>, u32)>),
    /// One such file, at the path itself: bytes and mode.
    File(Vec<u8>, u32),
}
