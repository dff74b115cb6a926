//! What is to be run, whichever document asked for it. Plain data.

mod how;
mod id;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

pub use how::{Arguments, Bind, Command, Docker, Environment, How, Limits, Process, Propagation};
pub use id::{DEFAULT_NAME, PluginId, PluginIdError};

/// One plugin: what documents mean by its alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// The alias, which need not be the name that the driver gives itself.
    pub id: PluginId,
    /// What serves it; not empty. Of several that offer a service, the first one serves it.
    pub parts: Vec<Part>,
    /// How long a part may take to become ready, and how long it may stay unready later. Mesos has 1 min, Nomad 30 s.
    pub health_timeout: Duration,
    /// Where volumes are published.
    pub targets: Targets,
}

/// One endpoint of a plugin, or one process or container that makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it serves besides Identity; not empty.
    pub services: BTreeSet<Service>,
    /// Whether it is there already or has to be started, and how.
    pub how: How,
}

/// A service of CSI that a plugin may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Service {
    /// `CONTROLLER_SERVICE`: makes, attaches, deletes.
    #[serde(rename = "CONTROLLER_SERVICE")]
    Controller,
    /// `NODE_SERVICE`: stages and publishes on this host.
    #[serde(rename = "NODE_SERVICE")]
    Node,
}

/// Where a plugin's volumes are published. The default is the node's own way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// Absolute: target paths are below it. `None`: where the node has them.
    pub root: Option<PathBuf>,
    /// Whether the target itself is made before NodePublishVolume, which CSI leaves to the plugin.
    pub exists: bool,
}

// === impl Plugin ===

impl Plugin {
    /// Everything it serves.
    pub fn services(&self) -> BTreeSet<Service> {
        self.parts.iter().flat_map(|part| part.services.iter().copied()).collect()
    }

    /// The part that serves this, by its place among the parts.
    pub fn part(&self, service: Service) -> Option<usize> {
        self.parts.iter().position(|part| part.services.contains(&service))
    }
}

impl Service {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Controller, Self::Node];

    /// As Mesos spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Controller => "CONTROLLER_SERVICE",
            Self::Node => "NODE_SERVICE",
        }
    }

    /// Reads Mesos' spelling; case matters.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == text)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
