//! What a driver said that it can do, asked once when the sidecar starts.

use std::collections::BTreeSet;

use crate::DriverName;

/// Spec: CSI PluginCapability. Names are CSI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are CSI's own")]
pub enum PluginCapability {
    ControllerService,
    VolumeAccessibilityConstraints,
    GroupControllerService,
    SnapshotMetadataService,
    SnapshotAccessibilityConstraints,
    VolumeExpansionOnline,
    VolumeExpansionOffline,
}

/// Spec: CSI ControllerServiceCapability.RPC.Type. Names are CSI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are CSI's own")]
pub enum ControllerCapability {
    CreateDeleteVolume,
    PublishUnpublishVolume,
    ListVolumes,
    GetCapacity,
    CreateDeleteSnapshot,
    ListSnapshots,
    CloneVolume,
    PublishReadonly,
    ExpandVolume,
    ListVolumesPublishedNodes,
    GetVolume,
    SingleNodeMultiWriter,
    ModifyVolume,
    GetSnapshot,
    GetVolumeHealth,
    ListVolumeHealth,
}

/// Spec: CSI NodeServiceCapability.RPC.Type. Names are CSI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are CSI's own")]
pub enum NodeCapability {
    StageUnstageVolume,
    GetVolumeStats,
    ExpandVolume,
    SingleNodeMultiWriter,
    VolumeMountGroup,
    GetVolumeHealth,
    GetStorageHealth,
}

/// Everything that a controller needs to know of its driver. Capabilities this version does not know are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverInfo {
    /// Never empty.
    pub name: DriverName,
    /// The plugin's own services.
    pub plugin: BTreeSet<PluginCapability>,
    /// RPCs of the controller service; empty when there is none.
    pub controller: BTreeSet<ControllerCapability>,
}

impl DriverInfo {
    /// Whether the plugin has this service or constraint.
    pub fn has(&self, capability: PluginCapability) -> bool {
        self.plugin.contains(&capability)
    }

    /// Whether the controller service has this RPC or feature.
    pub fn can(&self, capability: ControllerCapability) -> bool {
        self.controller.contains(&capability)
    }
}
