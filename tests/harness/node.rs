//! The two kinds of node that every promise is kept on.

use std::path::PathBuf;

use crate::cluster::run_folder;

/// Where a pod's volume is to appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// node1: kubelet and containerd.
    Kubelet,
    /// node2: no kubelet, only node-mounter; the harness plays the container.
    Mounter,
    /// node3: as node2, but its node-mounter belongs to one promise, which may kill it.
    OwnMounter,
}

impl Node {
    /// The Node object's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubelet => "node1",
            Self::Mounter => "node2",
            Self::OwnMounter => "node3",
        }
    }

    /// kubelet's root directory, or node-mounter's, which has the same layout.
    pub fn root(self) -> PathBuf {
        match self {
            Self::Kubelet => PathBuf::from("/var/lib/kubelet"),
            Self::Mounter => PathBuf::from("/var/lib/longshore-node2"),
            Self::OwnMounter => run_folder().join("node3"),
        }
    }

    /// Whether containers run there; where not, the harness plays them.
    pub fn runs_containers(self) -> bool {
        self == Self::Kubelet
    }

    /// Where a driver's socket is on this node.
    pub fn socket(self, driver: &str) -> PathBuf {
        self.root().join("plugins").join(driver).join("csi.sock")
    }

    /// For names of promises: short, and the same on every run.
    pub fn short(self) -> &'static str {
        match self {
            Self::Kubelet => "k",
            Self::Mounter => "m",
            Self::OwnMounter => "o",
        }
    }
}
