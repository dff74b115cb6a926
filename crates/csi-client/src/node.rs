//! The Node service; and [`Client`] as a [`Driver`].

use std::collections::BTreeMap;

use csi_proto::csi::v1 as wire;
use csi_types::{
    Capacity, ControllerCapability, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest,
    CreatedVolume, DeleteVolumeRequest, GetCapacityRequest, ListVolumesRequest, NodeCapability, NodeInfo,
    NodePublishVolumeRequest, NodeStageVolumeRequest, NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, PluginCapability,
    PluginInfo, PublishedVolumes, Rpc, Segments,
};

use crate::connect::Client;
use crate::convert::capability;
use crate::driver::{Call, Driver};
use crate::error::CallError;
use crate::{controller, identity};

fn get_info(client: Client) -> Call<NodeInfo> {
    let mut service = client.node();
    Box::pin(async move {
        let message = wire::NodeGetInfoRequest {};
        let answer = client.call(Rpc::NodeGetInfo, message, async |request| service.node_get_info(request).await).await?;
        if answer.node_id.is_empty() {
            return Err(CallError::malformed(Rpc::NodeGetInfo, "the node id is empty"));
        }
        Ok(NodeInfo {
            node_id: answer.node_id.into(),
            max_volumes_per_node: answer.max_volumes_per_node,
            accessible_topology: Segments(answer.accessible_topology.map(|topology| topology.segments).unwrap_or_default()),
        })
    })
}

fn get_capabilities(client: Client) -> Call<Vec<NodeCapability>> {
    use wire::node_service_capability::Type;
    use wire::node_service_capability::rpc::Type as Wire;
    let mut service = client.node();
    Box::pin(async move {
        let message = wire::NodeGetCapabilitiesRequest {};
        let send = async |request| service.node_get_capabilities(request).await;
        let answer = client.call(Rpc::NodeGetCapabilities, message, send).await?;
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
        Ok(answer.capabilities.into_iter().filter_map(|capability| capability.r#type).filter_map(known).collect())
    })
}

fn stage_volume(client: Client, request: NodeStageVolumeRequest) -> Call<()> {
    let mut service = client.node();
    let message = wire::NodeStageVolumeRequest {
        volume_id: request.handle.to_string(),
        publish_context: request.publish_context,
        staging_target_path: request.staging_target_path,
        volume_capability: Some(capability(request.capability)),
        secrets: request.secrets.expose().clone(),
        volume_context: request.volume_context,
    };
    Box::pin(async move {
        client.call(Rpc::NodeStageVolume, message, async |request| service.node_stage_volume(request).await).await.map(drop)
    })
}

fn unstage_volume(client: Client, request: NodeUnstageVolumeRequest) -> Call<()> {
    let mut service = client.node();
    let message = wire::NodeUnstageVolumeRequest {
        volume_id: request.handle.to_string(),
        staging_target_path: request.staging_target_path,
    };
    Box::pin(async move {
        client.call(Rpc::NodeUnstageVolume, message, async |request| service.node_unstage_volume(request).await).await.map(drop)
    })
}

fn publish_volume(client: Client, request: NodePublishVolumeRequest) -> Call<()> {
    let mut service = client.node();
    let message = wire::NodePublishVolumeRequest {
        volume_id: request.handle.to_string(),
        publish_context: request.publish_context,
        staging_target_path: request.staging_target_path,
        target_path: request.target_path,
        volume_capability: Some(capability(request.capability)),
        readonly: request.readonly,
        secrets: request.secrets.expose().clone(),
        volume_context: request.volume_context,
    };
    Box::pin(async move {
        client.call(Rpc::NodePublishVolume, message, async |request| service.node_publish_volume(request).await).await.map(drop)
    })
}

fn unpublish_volume(client: Client, request: NodeUnpublishVolumeRequest) -> Call<()> {
    let mut service = client.node();
    let message = wire::NodeUnpublishVolumeRequest { volume_id: request.handle.to_string(), target_path: request.target_path };
    Box::pin(async move {
        let send = async |request| service.node_unpublish_volume(request).await;
        client.call(Rpc::NodeUnpublishVolume, message, send).await.map(drop)
    })
}

// === impl Client ===

impl Driver for Client {
    fn probe(&self) -> Call<bool> {
        identity::probe(self.clone())
    }
    fn get_plugin_info(&self) -> Call<PluginInfo> {
        identity::get_plugin_info(self.clone())
    }
    fn get_plugin_capabilities(&self) -> Call<Vec<PluginCapability>> {
        identity::get_plugin_capabilities(self.clone())
    }
    fn controller_get_capabilities(&self) -> Call<Vec<ControllerCapability>> {
        controller::get_capabilities(self.clone())
    }
    fn create_volume(&self, request: CreateVolumeRequest) -> Call<CreatedVolume> {
        controller::create_volume(self.clone(), request)
    }
    fn delete_volume(&self, request: DeleteVolumeRequest) -> Call<()> {
        controller::delete_volume(self.clone(), request)
    }
    fn controller_publish_volume(&self, request: ControllerPublishVolumeRequest) -> Call<BTreeMap<String, String>> {
        controller::publish_volume(self.clone(), request)
    }
    fn controller_unpublish_volume(&self, request: ControllerUnpublishVolumeRequest) -> Call<()> {
        controller::unpublish_volume(self.clone(), request)
    }
    fn list_volumes(&self, request: ListVolumesRequest) -> Call<PublishedVolumes> {
        controller::list_volumes(self.clone(), request)
    }
    fn get_capacity(&self, request: GetCapacityRequest) -> Call<Capacity> {
        controller::get_capacity(self.clone(), request)
    }
    fn node_get_info(&self) -> Call<NodeInfo> {
        get_info(self.clone())
    }
    fn node_get_capabilities(&self) -> Call<Vec<NodeCapability>> {
        get_capabilities(self.clone())
    }
    fn node_stage_volume(&self, request: NodeStageVolumeRequest) -> Call<()> {
        stage_volume(self.clone(), request)
    }
    fn node_unstage_volume(&self, request: NodeUnstageVolumeRequest) -> Call<()> {
        unstage_volume(self.clone(), request)
    }
    fn node_publish_volume(&self, request: NodePublishVolumeRequest) -> Call<()> {
        publish_volume(self.clone(), request)
    }
    fn node_unpublish_volume(&self, request: NodeUnpublishVolumeRequest) -> Call<()> {
        unpublish_volume(self.clone(), request)
    }
}
