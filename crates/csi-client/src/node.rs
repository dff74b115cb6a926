//! The Node service; and [`Client`] as a [`Driver`].

use std::collections::BTreeMap;

use csi_proto::csi::v1 as csi;
use csi_types::{
    Capacity, ControllerCapability, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest,
    CreatedVolume, DeleteVolumeRequest, GetCapacityRequest, ListVolumesRequest, NodeCapability, NodeInfo,
    NodePublishVolumeRequest, NodeStageVolumeRequest, NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, PluginCapability,
    PluginInfo, PublishedVolumes, Rpc,
};

use crate::connect::Client;
use crate::driver::{Call, Driver};
use crate::{controller, identity, wire};

fn get_info(client: Client) -> Call<NodeInfo> {
    let mut service = client.node();
    Box::pin(async move {
        let send = async |request| service.node_get_info(request).await;
        wire::node_get_info_answer(client.call(Rpc::NodeGetInfo, csi::NodeGetInfoRequest {}, send).await?)
    })
}

fn get_capabilities(client: Client) -> Call<Vec<NodeCapability>> {
    let mut service = client.node();
    Box::pin(async move {
        let message = csi::NodeGetCapabilitiesRequest {};
        let send = async |request| service.node_get_capabilities(request).await;
        client.call(Rpc::NodeGetCapabilities, message, send).await.map(wire::node_get_capabilities_answer)
    })
}

fn stage_volume(client: Client, request: NodeStageVolumeRequest) -> Call<()> {
    let mut service = client.node();
    let message = wire::node_stage_volume_request(request);
    Box::pin(async move {
        client.call(Rpc::NodeStageVolume, message, async |request| service.node_stage_volume(request).await).await.map(drop)
    })
}

fn unstage_volume(client: Client, request: NodeUnstageVolumeRequest) -> Call<()> {
    let mut service = client.node();
    let message = wire::node_unstage_volume_request(request);
    Box::pin(async move {
        client.call(Rpc::NodeUnstageVolume, message, async |request| service.node_unstage_volume(request).await).await.map(drop)
    })
}

fn publish_volume(client: Client, request: NodePublishVolumeRequest) -> Call<()> {
    let mut service = client.node();
    let message = wire::node_publish_volume_request(request);
    Box::pin(async move {
        client.call(Rpc::NodePublishVolume, message, async |request| service.node_publish_volume(request).await).await.map(drop)
    })
}

fn unpublish_volume(client: Client, request: NodeUnpublishVolumeRequest) -> Call<()> {
    let mut service = client.node();
    let message = wire::node_unpublish_volume_request(request);
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
