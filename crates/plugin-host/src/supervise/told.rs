//! What a host tells of its plugins.

use std::path::PathBuf;

use csi_types::DriverName;

use crate::plugin::{PluginId, Targets};

/// A plugin that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The alias.
    pub id: PluginId,
    /// What it calls itself, which is what Kubernetes' objects name.
    pub driver: DriverName,
    /// Where its node service listens, if it has one that has been ready.
    pub node: Option<PathBuf>,
    /// The same of its controller service.
    pub controller: Option<PathBuf>,
    /// Where its volumes are published.
    pub targets: Targets,
}

/// A plugin that is asked for and does not serve all that it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Which.
    pub id: PluginId,
    /// What it waits for, or what is wrong and who acts next.
    pub reason: String,
}

/// Why an alias means no driver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AliasError {
    /// No plugin of this name.
    #[error("no plugin is called {alias:?}; {}", there_is(.known))]
    Unknown {
        /// As the document has it.
        alias: String,
        /// What there is.
        known: Vec<PluginId>,
    },
    /// A type alone, of several that all have a name.
    #[error("several plugins are of type {alias:?}: {}; say which one as TYPE/NAME", list(.known))]
    Several {
        /// As the document has it.
        alias: String,
        /// Those.
        known: Vec<PluginId>,
    },
    /// It has never been ready.
    #[error("plugin {id} is not ready, so the name of its driver is not known: {reason}")]
    NotReady {
        /// Which.
        id: PluginId,
        /// What it waits for, or what is wrong.
        reason: String,
    },
}

fn list(ids: &[PluginId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn there_is(ids: &[PluginId]) -> String {
    match ids {
        [] => "this host has none: describe it in a file of --csi-plugin-config-dir".to_owned(),
        ids => format!("this host has {}", list(ids)),
    }
}
