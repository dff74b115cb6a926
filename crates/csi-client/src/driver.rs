//! A CSI driver as controllers see it.

use csi_types::{
    Capacity, ControllerCapability, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest,
    CreatedVolume, DeleteVolumeRequest, GetCapacityRequest, ListVolumesRequest, NodeCapability, NodeInfo,
    NodePublishVolumeRequest, NodeStageVolumeRequest, NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, PluginCapability,
    PluginInfo, PublishedVolumes,
};
use futures::future::BoxFuture;

use crate::error::CallError;

/// A call under way. Dropping it cancels our waiting, not what the driver is doing.
pub type Call<T> = BoxFuture<'static, Result<T, CallError>>;

/// One method per RPC. Each has the deadline that the connection was made with.
///
/// Errors are [`CallError`]s; an answer that breaks the specification (no volume, no id) is one with code `Internal`.
#[allow(missing_docs, reason = "methods are spelled as the RPC")]
pub trait Driver: Send + Sync + 'static {
    /// `true` when ready; a driver that does not say is ready.
    fn probe(&self) -> Call<bool>;
    fn get_plugin_info(&self) -> Call<PluginInfo>;
    /// Capabilities that this version does not know are left out.
    fn get_plugin_capabilities(&self) -> Call<Vec<PluginCapability>>;

    /// Capabilities that this version does not know are left out.
    fn controller_get_capabilities(&self) -> Call<Vec<ControllerCapability>>;
    fn create_volume(&self, request: CreateVolumeRequest) -> Call<CreatedVolume>;
    fn delete_volume(&self, request: DeleteVolumeRequest) -> Call<()>;
    /// Answers the publish context.
    fn controller_publish_volume(
        &self,
        request: ControllerPublishVolumeRequest,
    ) -> Call<std::collections::BTreeMap<String, String>>;
    fn controller_unpublish_volume(&self, request: ControllerUnpublishVolumeRequest) -> Call<()>;
    fn list_volumes(&self, request: ListVolumesRequest) -> Call<PublishedVolumes>;
    fn get_capacity(&self, request: GetCapacityRequest) -> Call<Capacity>;

    fn node_get_info(&self) -> Call<NodeInfo>;
    /// Capabilities that this version does not know are left out.
    fn node_get_capabilities(&self) -> Call<Vec<NodeCapability>>;
    fn node_stage_volume(&self, request: NodeStageVolumeRequest) -> Call<()>;
    fn node_unstage_volume(&self, request: NodeUnstageVolumeRequest) -> Call<()>;
    fn node_publish_volume(&self, request: NodePublishVolumeRequest) -> Call<()>;
    fn node_unpublish_volume(&self, request: NodeUnpublishVolumeRequest) -> Call<()>;
}
