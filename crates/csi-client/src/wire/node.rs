//! The Node service.

use csi_proto::csi::v1 as csi;
use csi_types::{
    NodeCapability, NodeInfo, NodePublishVolumeRequest, NodeStageVolumeRequest, NodeUnpublishVolumeRequest,
    NodeUnstageVolumeRequest, Rpc, Segments,
};

use super::capability;
use crate::error::CallError;

/// # Errors
/// The node id is empty.
pub fn node_get_info_answer(answer: csi::NodeGetInfoResponse) -> Result<NodeInfo, CallError> {
    if answer.node_id.is_empty() {
        return Err(CallError::malformed(Rpc::NodeGetInfo, "the node id is empty"));
    }
    Ok(NodeInfo {
        node_id: answer.node_id.into(),
        max_volumes_per_node: answer.max_volumes_per_node,
        accessible_topology: Segments(answer.accessible_topology.map(|topology| topology.segments).unwrap_or_default()),
    })
}

/// Capabilities that this version does not know are left out.
pub fn node_get_capabilities_answer(answer: csi::NodeGetCapabilitiesResponse) -> Vec<NodeCapability> {
    use csi::node_service_capability::Type;
    use csi::node_service_capability::rpc::Type as Wire;
    let known = |kind: Type| {
        let Type::Rpc(rpc) = kind;
        Some(match rpc.r#type() {
            Wire::StageUnstageVolume => NodeCapability::StageUnstageVolume,
            Wire::GetVolumeStats => NodeCapability::GetVolumeStats,
            Wire::ExpandVolume => NodeCapability::ExpandVolume,
            Wire::SingleNodeMultiWriter => NodeCapability::SingleNodeMultiWriter,
            Wire::VolumeMountGroup => NodeCapability::VolumeMountGroup,
            Wire::GetVolumeHealth => NodeCapability::GetVolumeHealth,
            Wire::GetStorageHealth => NodeCapability::GetStorageHealth,
            Wire::Unknown => return None,
        })
    };
    answer.capabilities.into_iter().filter_map(|capability| capability.r#type).filter_map(known).collect()
}

pub fn node_stage_volume_request(request: NodeStageVolumeRequest) -> csi::NodeStageVolumeRequest {
    csi::NodeStageVolumeRequest {
        volume_id: request.handle.to_string(),
        publish_context: request.publish_context,
        staging_target_path: request.staging_target_path,
        volume_capability: Some(capability(request.capability)),
        secrets: request.secrets.expose().clone(),
        volume_context: request.volume_context,
    }
}

pub fn node_unstage_volume_request(request: NodeUnstageVolumeRequest) -> csi::NodeUnstageVolumeRequest {
    csi::NodeUnstageVolumeRequest { volume_id: request.handle.to_string(), staging_target_path: request.staging_target_path }
}

pub fn node_publish_volume_request(request: NodePublishVolumeRequest) -> csi::NodePublishVolumeRequest {
    csi::NodePublishVolumeRequest {
        volume_id: request.handle.to_string(),
        publish_context: request.publish_context,
        staging_target_path: request.staging_target_path,
        target_path: request.target_path,
        volume_capability: Some(capability(request.capability)),
        readonly: request.readonly,
        secrets: request.secrets.expose().clone(),
        volume_context: request.volume_context,
    }
}

pub fn node_unpublish_volume_request(request: NodeUnpublishVolumeRequest) -> csi::NodeUnpublishVolumeRequest {
    csi::NodeUnpublishVolumeRequest { volume_id: request.handle.to_string(), target_path: request.target_path }
}
