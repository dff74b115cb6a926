//! The node service: where volumes are on this host. One call, one file. The order of every call is: write down, then act, then
//! cross out; and before acting, ask the kernel what is already so.

mod ephemeral;
mod expand_volume;
mod get_volume_stats;
mod point;
mod publish_volume;
mod stage_volume;
mod unpublish_volume;
mod unstage_volume;

use csi::node_service_capability::rpc::Type;
use csi_proto::csi::v1 as csi;

use crate::driver::Driver;

impl Driver {
    pub(crate) fn node_capabilities(&self) -> csi::NodeGetCapabilitiesResponse {
        let types = [
            Type::StageUnstageVolume,
            Type::GetVolumeStats,
            Type::GetVolumeHealth,
            Type::ExpandVolume,
            Type::SingleNodeMultiWriter,
        ];
        let capability = |kind: Type| csi::NodeServiceCapability {
            r#type: Some(csi::node_service_capability::Type::Rpc(csi::node_service_capability::Rpc { r#type: kind.into() })),
        };
        csi::NodeGetCapabilitiesResponse { capabilities: types.into_iter().map(capability).collect() }
    }

    pub(crate) fn node_info(&self) -> csi::NodeGetInfoResponse {
        csi::NodeGetInfoResponse {
            node_id: self.config.node_id.clone(),
            max_volumes_per_node: self.config.max_volumes_per_node,
            accessible_topology: self.topology(),
        }
    }
}
