//! The Controller service.

use std::collections::BTreeMap;

use csi_proto::csi::v1 as csi;
use csi_types::{
    Capacity, ControllerCapability, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest,
    CreatedVolume, DeleteVolumeRequest, GetCapacityRequest, ListVolumesRequest, PublishedVolume, PublishedVolumes, Rpc, Segments,
    VolumeHandle,
};

use super::{capability, content_source, requirement, signed, source, topology, unsigned};
use crate::error::CallError;

/// Capabilities that this version does not know are left out.
pub fn controller_get_capabilities_answer(answer: csi::ControllerGetCapabilitiesResponse) -> Vec<ControllerCapability> {
    use csi::controller_service_capability::Type;
    use csi::controller_service_capability::rpc::Type as Wire;
    let known = |kind: Type| {
        let Type::Rpc(rpc) = kind;
        Some(match rpc.r#type() {
            Wire::CreateDeleteVolume => ControllerCapability::CreateDeleteVolume,
            Wire::PublishUnpublishVolume => ControllerCapability::PublishUnpublishVolume,
            Wire::ListVolumes => ControllerCapability::ListVolumes,
            Wire::GetCapacity => ControllerCapability::GetCapacity,
            Wire::CreateDeleteSnapshot => ControllerCapability::CreateDeleteSnapshot,
            Wire::ListSnapshots => ControllerCapability::ListSnapshots,
            Wire::CloneVolume => ControllerCapability::CloneVolume,
            Wire::PublishReadonly => ControllerCapability::PublishReadonly,
            Wire::ExpandVolume => ControllerCapability::ExpandVolume,
            Wire::ListVolumesPublishedNodes => ControllerCapability::ListVolumesPublishedNodes,
            Wire::GetVolume => ControllerCapability::GetVolume,
            Wire::SingleNodeMultiWriter => ControllerCapability::SingleNodeMultiWriter,
            Wire::ModifyVolume => ControllerCapability::ModifyVolume,
            Wire::GetSnapshot => ControllerCapability::GetSnapshot,
            Wire::GetVolumeHealth => ControllerCapability::GetVolumeHealth,
            Wire::ListVolumeHealth => ControllerCapability::ListVolumeHealth,
            Wire::Unknown => return None,
        })
    };
    answer.capabilities.into_iter().filter_map(|capability| capability.r#type).filter_map(known).collect()
}

pub fn create_volume_request(request: CreateVolumeRequest) -> csi::CreateVolumeRequest {
    csi::CreateVolumeRequest {
        name: request.name.to_string(),
        capacity_range: Some(csi::CapacityRange { required_bytes: signed(request.required), limit_bytes: 0 }),
        volume_capabilities: request.capabilities.into_iter().map(capability).collect(),
        parameters: request.parameters,
        secrets: request.secrets.expose().clone(),
        volume_content_source: request.source.map(source),
        accessibility_requirements: request.accessibility.map(requirement),
        mutable_parameters: request.mutable_parameters,
    }
}

/// # Errors
/// There is no volume in the answer, or it has no id.
pub fn create_volume_answer(answer: csi::CreateVolumeResponse) -> Result<CreatedVolume, CallError> {
    let volume = answer.volume.ok_or_else(|| CallError::malformed(Rpc::CreateVolume, "it holds no volume"))?;
    created_volume(volume).ok_or_else(|| CallError::malformed(Rpc::CreateVolume, "the volume has no id"))
}

/// `None`: it has no id.
pub fn created_volume(volume: csi::Volume) -> Option<CreatedVolume> {
    (!volume.volume_id.is_empty()).then(|| CreatedVolume {
        handle: VolumeHandle::from(volume.volume_id),
        capacity: unsigned(volume.capacity_bytes),
        context: volume.volume_context,
        accessible_topology: volume.accessible_topology.into_iter().map(|topology| Segments(topology.segments)).collect(),
        source: volume.content_source.and_then(content_source),
    })
}

pub fn delete_volume_request(request: DeleteVolumeRequest) -> csi::DeleteVolumeRequest {
    csi::DeleteVolumeRequest { volume_id: request.handle.to_string(), secrets: request.secrets.expose().clone() }
}

pub fn controller_publish_volume_request(request: ControllerPublishVolumeRequest) -> csi::ControllerPublishVolumeRequest {
    csi::ControllerPublishVolumeRequest {
        volume_id: request.handle.to_string(),
        node_id: request.node_id.to_string(),
        volume_capability: Some(capability(request.capability)),
        readonly: request.readonly,
        secrets: request.secrets.expose().clone(),
        volume_context: request.context,
    }
}

/// The publish context.
pub fn controller_publish_volume_answer(answer: csi::ControllerPublishVolumeResponse) -> BTreeMap<String, String> {
    answer.publish_context
}

pub fn controller_unpublish_volume_request(request: ControllerUnpublishVolumeRequest) -> csi::ControllerUnpublishVolumeRequest {
    csi::ControllerUnpublishVolumeRequest {
        volume_id: request.handle.to_string(),
        node_id: request.node_id.to_string(),
        secrets: request.secrets.expose().clone(),
    }
}

pub fn list_volumes_request(request: ListVolumesRequest) -> csi::ListVolumesRequest {
    csi::ListVolumesRequest {
        max_entries: i32::try_from(request.max_entries).unwrap_or(i32::MAX),
        starting_token: request.starting_token,
    }
}

/// Entries without a volume or a status are left out.
pub fn list_volumes_answer(answer: csi::ListVolumesResponse) -> PublishedVolumes {
    let volume = |entry: csi::list_volumes_response::Entry| {
        let (volume, status) = entry.volume.zip(entry.status)?;
        let published_node_ids = status.published_node_ids.into_iter().map(Into::into).collect();
        Some(PublishedVolume { handle: volume.volume_id.into(), published_node_ids })
    };
    PublishedVolumes { volumes: answer.entries.into_iter().filter_map(volume).collect(), next_token: answer.next_token }
}

/// The volumes themselves, whatever is said of their nodes, and the next token. Entries without an id are left out.
pub fn list_volume_details_answer(answer: csi::ListVolumesResponse) -> (Vec<CreatedVolume>, String) {
    let volumes = answer.entries.into_iter().filter_map(|entry| created_volume(entry.volume?)).collect();
    (volumes, answer.next_token)
}

pub fn get_capacity_request(request: GetCapacityRequest) -> csi::GetCapacityRequest {
    csi::GetCapacityRequest {
        volume_capabilities: request.capabilities.into_iter().map(capability).collect(),
        parameters: request.parameters,
        accessible_topology: request.accessible_topology.map(topology),
    }
}

pub fn get_capacity_answer(answer: csi::GetCapacityResponse) -> Capacity {
    Capacity { available: unsigned(answer.available_capacity), maximum_volume_size: answer.maximum_volume_size.map(unsigned) }
}
