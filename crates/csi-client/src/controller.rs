//! The Controller service.

use std::collections::BTreeMap;

use csi_proto::csi::v1 as csi;
use csi_types::{
    Capacity, ControllerCapability, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest,
    CreatedVolume, DeleteVolumeRequest, GetCapacityRequest, ListVolumesRequest, PublishedVolumes, Rpc,
};

use crate::connect::Client;
use crate::driver::Call;
use crate::wire;

pub(crate) fn get_capabilities(client: Client) -> Call<Vec<ControllerCapability>> {
    let mut service = client.controller();
    Box::pin(async move {
        let message = csi::ControllerGetCapabilitiesRequest {};
        let send = async |request| service.controller_get_capabilities(request).await;
        client.call(Rpc::ControllerGetCapabilities, message, send).await.map(wire::controller_get_capabilities_answer)
    })
}

pub(crate) fn create_volume(client: Client, request: CreateVolumeRequest) -> Call<CreatedVolume> {
    let mut service = client.controller();
    let message = wire::create_volume_request(request);
    Box::pin(async move {
        let send = async |request| service.create_volume(request).await;
        wire::create_volume_answer(client.call(Rpc::CreateVolume, message, send).await?)
    })
}

pub(crate) fn delete_volume(client: Client, request: DeleteVolumeRequest) -> Call<()> {
    let mut service = client.controller();
    let message = wire::delete_volume_request(request);
    Box::pin(async move {
        client.call(Rpc::DeleteVolume, message, async |request| service.delete_volume(request).await).await.map(drop)
    })
}

pub(crate) fn publish_volume(client: Client, request: ControllerPublishVolumeRequest) -> Call<BTreeMap<String, String>> {
    let mut service = client.controller();
    let message = wire::controller_publish_volume_request(request);
    Box::pin(async move {
        let send = async |request| service.controller_publish_volume(request).await;
        client.call(Rpc::ControllerPublishVolume, message, send).await.map(wire::controller_publish_volume_answer)
    })
}

pub(crate) fn unpublish_volume(client: Client, request: ControllerUnpublishVolumeRequest) -> Call<()> {
    let mut service = client.controller();
    let message = wire::controller_unpublish_volume_request(request);
    Box::pin(async move {
        let send = async |request| service.controller_unpublish_volume(request).await;
        client.call(Rpc::ControllerUnpublishVolume, message, send).await.map(drop)
    })
}

pub(crate) fn list_volumes(client: Client, request: ListVolumesRequest) -> Call<PublishedVolumes> {
    let mut service = client.controller();
    let message = wire::list_volumes_request(request);
    Box::pin(async move {
        let send = async |request| service.list_volumes(request).await;
        client.call(Rpc::ListVolumes, message, send).await.map(wire::list_volumes_answer)
    })
}

impl Client {
    /// One page of the driver's volumes, with what it says of each, and the token of the next page; an empty one ends the list.
    ///
    /// Errors and cancel safety as any method of [`crate::Driver`].
    pub fn list_volume_details(&self, request: ListVolumesRequest) -> Call<(Vec<CreatedVolume>, String)> {
        let client = self.clone();
        let mut service = client.controller();
        let message = wire::list_volumes_request(request);
        Box::pin(async move {
            let send = async |request| service.list_volumes(request).await;
            client.call(Rpc::ListVolumes, message, send).await.map(wire::list_volume_details_answer)
        })
    }
}

pub(crate) fn get_capacity(client: Client, request: GetCapacityRequest) -> Call<Capacity> {
    let mut service = client.controller();
    let message = wire::get_capacity_request(request);
    Box::pin(async move {
        let send = async |request| service.get_capacity(request).await;
        client.call(Rpc::GetCapacity, message, send).await.map(wire::get_capacity_answer)
    })
}
