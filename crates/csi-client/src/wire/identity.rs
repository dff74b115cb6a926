//! The Identity service. Its requests say nothing.

use csi_proto::csi::v1 as csi;
use csi_types::{PluginCapability, PluginInfo};

/// A driver that does not say is ready.
pub fn probe_answer(answer: csi::ProbeResponse) -> bool {
    answer.ready.unwrap_or(true)
}

pub fn get_plugin_info_answer(answer: csi::GetPluginInfoResponse) -> PluginInfo {
    PluginInfo { name: answer.name, vendor_version: answer.vendor_version }
}

/// Capabilities that this version does not know are left out.
pub fn get_plugin_capabilities_answer(answer: csi::GetPluginCapabilitiesResponse) -> Vec<PluginCapability> {
    use csi::plugin_capability::Type;
    use csi::plugin_capability::service::Type as Service;
    use csi::plugin_capability::volume_expansion::Type as Expansion;
    let known = |kind: Type| match kind {
        Type::Service(service) => match service.r#type() {
            Service::ControllerService => Some(PluginCapability::ControllerService),
            Service::VolumeAccessibilityConstraints => Some(PluginCapability::VolumeAccessibilityConstraints),
            Service::GroupControllerService => Some(PluginCapability::GroupControllerService),
            Service::SnapshotMetadataService => Some(PluginCapability::SnapshotMetadataService),
            Service::SnapshotAccessibilityConstraints => Some(PluginCapability::SnapshotAccessibilityConstraints),
            Service::Unknown => None,
        },
        Type::VolumeExpansion(expansion) => match expansion.r#type() {
            Expansion::Online => Some(PluginCapability::VolumeExpansionOnline),
            Expansion::Offline => Some(PluginCapability::VolumeExpansionOffline),
            Expansion::Unknown => None,
        },
    };
    answer.capabilities.into_iter().filter_map(|capability| capability.r#type).filter_map(known).collect()
}
