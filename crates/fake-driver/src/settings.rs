//! What the driver claims to be, and how big it is.

use std::collections::{BTreeMap, BTreeSet};

use csi_proto::csi::v1 as csi;

/// Capabilities of the plugin as a whole.
pub type PluginCap = csi::plugin_capability::service::Type;
/// Whether volumes grow online or offline.
pub type Expansion = csi::plugin_capability::volume_expansion::Type;
/// Capabilities of the controller service.
pub type ControllerCap = csi::controller_service_capability::rpc::Type;
/// Capabilities of the group controller service.
pub type GroupCap = csi::group_controller_service_capability::rpc::Type;
/// Capabilities of the node service.
pub type NodeCap = csi::node_service_capability::rpc::Type;
/// Access modes.
pub type Mode = csi::volume_capability::access_mode::Mode;

/// Size of a volume nobody asked a size for.
pub const DEFAULT_VOLUME_BYTES: i64 = 1 << 30;

/// The driver, wherever it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Answered by GetPluginInfo.
    pub name: String,
    /// Answered by GetPluginInfo.
    pub version: String,
    /// Answered by GetPluginCapabilities.
    pub plugin: Vec<PluginCap>,
    /// Answered by GetPluginCapabilities.
    pub expansion: Option<Expansion>,
    /// What the controller service does; the rest is Unimplemented.
    pub controller: Vec<ControllerCap>,
    /// What the group controller service does.
    pub group: Vec<GroupCap>,
    /// What the node service does.
    pub node: Vec<NodeCap>,
    /// Access modes it has; empty: all.
    pub access_modes: Vec<Mode>,
    /// Bytes in the backend; `None`: without end.
    pub capacity: Option<i64>,
    /// Nodes that ControllerPublishVolume knows; empty: any.
    pub known_nodes: BTreeSet<String>,
    /// Keys of mutable parameters it has; `None`: any.
    pub mutable_keys: Option<BTreeSet<String>>,
    /// Believe in volumes that this process did not create: for the node half of a driver whose controller runs elsewhere,
    /// and for pre-provisioned volumes.
    pub any_volume: bool,
}

/// One node this process serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub topology: BTreeMap<String, String>,
    /// How many volumes it takes; 0: no limit.
    pub max_volumes: i64,
}

impl Settings {
    /// A driver that creates, attaches, stages and mounts.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plugin: vec![PluginCap::ControllerService],
            expansion: None,
            controller: vec![ControllerCap::CreateDeleteVolume, ControllerCap::PublishUnpublishVolume],
            group: Vec::new(),
            node: vec![NodeCap::StageUnstageVolume],
            access_modes: Vec::new(),
            capacity: None,
            known_nodes: BTreeSet::new(),
            mutable_keys: None,
            any_volume: false,
        }
    }
}
