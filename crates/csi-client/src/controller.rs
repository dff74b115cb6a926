//! The Controller service.

use std::collections::BTreeMap;

use csi_proto::csi::v1 as wire;
use csi_types::{
    Capacity, ControllerCapability, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest,
    CreatedVolume, DeleteVolumeRequest, GetCapacityRequest, ListVolumesRequest, PublishedVolume, PublishedVolumes, Rpc,
};

use crate::connect::Client;
use crate::convert::{capability, created_volume, requirement, signed, source, topology, unsigned};
use crate::driver::Call;

pub(crate) fn get_capabilities(client: Client) -> Call<Vec<ControllerCapability>> {
    use wire::controller_service_capability::Type;
    use wire::controller_service_capability::rpc::Type as Wire;
    let mut service = client.controller();
    Box::pin(async move {
        let message = wire::ControllerGetCapabilitiesRequest {};
        let send = async |request| service.controller_get_capabilities(request).await;
        let answer = client.call(Rpc::ControllerGetCapabilities, message, send).await?;
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
        Ok(answer.capabilities.into_iter().filter_map(|capability| capability.r#type).filter_map(known).collect())
    })
}

pub(crate) fn create_volume(client: Client, request: CreateVolumeRequest) -> Call<CreatedVolume> {
    let mut service = client.controller();
    let message = wire::CreateVolumeRequest {
        name: request.name.to_string(),
        capacity_range: Some(wire::CapacityRange { required_bytes: signed(request.required), limit_bytes: 0 }),
        volume_capabilities: request.capabilities.into_iter().map(capability).collect(),
        parameters: request.parameters,
        secrets: request.secrets.expose().clone(),
        volume_content_source: request.source.map(source),
        accessibility_requirements: request.accessibility.map(requirement),
        mutable_parameters: request.mutable_parameters,
    };
    Box::pin(async move {
        let answer = client.call(Rpc::CreateVolume, message, async |request| service.create_volume(request).await).await?;
        created_volume(answer.volume)
    })
}

pub(crate) fn delete_volume(client: Client, request: DeleteVolumeRequest) -> Call<()> {
    let mut service = client.controller();
    let message = wire::DeleteVolumeRequest { volume_id: request.handle.to_string(), secrets: request.secrets.expose().clone() };
    Box::pin(async move {
        client.call(Rpc::DeleteVolume, message, async |request| service.delete_volume(request).await).await.map(drop)
    })
}

pub(crate) fn publish_volume(client: Client, request: ControllerPublishVolumeRequest) -> Call<BTreeMap<String, String>> {
    let mut service = client.controller();
    let message = wire::ControllerPublishVolumeRequest {
        volume_id: request.handle.to_string(),
        node_id: request.node_id.to_string(),
        volume_capability: Some(capability(request.capability)),
        readonly: request.readonly,
        secrets: request.secrets.expose().clone(),
        volume_context: request.context,
    };
    Box::pin(async move {
        let send = async |request| service.controller_publish_volume(request).await;
        Ok(client.call(Rpc::ControllerPublishVolume, message, send).await?.publish_context)
    })
}

pub(crate) fn unpublish_volume(client: Client, request: ControllerUnpublishVolumeRequest) -> Call<()> {
    let mut service = client.controller();
    let message = wire::ControllerUnpublishVolumeRequest {
        volume_id: request.handle.to_string(),
        node_id: request.node_id.to_string(),
        secrets: request.secrets.expose().clone(),
    };
    Box::pin(async move {
        let send = async |request| service.controller_unpublish_volume(request).await;
        client.call(Rpc::ControllerUnpublishVolume, message, send).await.map(drop)
    })
}

pub(crate) fn list_volumes(client: Client, request: ListVolumesRequest) -> Call<PublishedVolumes> {
    let mut service = client.controller();
    let message = wire::ListVolumesRequest {
        max_entries: i32::try_from(request.max_entries).unwrap_or(i32::MAX),
        starting_token: request.starting_token,
    };
    Box::pin(async move {
        let answer = client.call(Rpc::ListVolumes, message, async |request| service.list_volumes(request).await).await?;
        let volume = |entry: wire::list_volumes_response::Entry| {
            let (volume, status) = entry.volume.zip(entry.status)?;
            let published_node_ids = status.published_node_ids.into_iter().map(Into::into).collect();
            Some(PublishedVolume { handle: volume.volume_id.into(), published_node_ids })
        };
        Ok(PublishedVolumes { volumes: answer.entries.into_iter().filter_map(volume).collect(), next_token: answer.next_token })
    })
}

pub(crate) fn get_capacity(client: Client, request: GetCapacityRequest) -> Call<Capacity> {
    let mut service = client.controller();
    let message = wire::GetCapacityRequest {
        volume_capabilities: request.capabilities.into_iter().map(capability).collect(),
        parameters: request.parameters,
        accessible_topology: request.accessible_topology.map(topology),
    };
    Box::pin(async move {
        let answer = client.call(Rpc::GetCapacity, message, async |request| service.get_capacity(request).await).await?;
        Ok(Capacity {
            available: unsigned(answer.available_capacity),
            maximum_volume_size: answer.maximum_volume_size.map(unsigned),
        })
    })
}
