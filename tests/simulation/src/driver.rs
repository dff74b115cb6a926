//! A CSI driver without sockets: the same backend and the same messages as the fake driver's, on the run's own clock.
//!
//! ```text
//! controller -> SimDriver: wire message, deadline -> Plugin: fault, latency, one call per volume -> Backend: fake_driver::World
//!   (a process that may be killed)                    (tasks of the world: they go on)          \-> Host: the node's mounts
//! ```
//!
//! Guarantees: a request is with the plugin from the moment it is sent, so that none sent later overtakes it; a caller that gives
//! up or dies changes nothing of what follows; what happens to a call depends on the seed, who calls, the RPC and the volume.
//!
//! What may go wrong is not drawn here: [`DriverHooks::fault`] is asked for every call.

mod backend;
mod hooks;
mod host;
mod plugin;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use csi_client::{Call, CallError, Driver, wire};
use csi_proto::csi::v1 as csi;
use csi_types::{
    Capacity, ControllerCapability, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest,
    CreatedVolume, DeleteVolumeRequest, GetCapacityRequest, ListVolumesRequest, NodeCapability, NodeInfo,
    NodePublishVolumeRequest, NodeStageVolumeRequest, NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, PluginCapability,
    PluginInfo, PublishedVolumes, Rpc,
};
use fake_driver::{Request, Response};
use rt::Ctx;

pub use backend::Backend;
pub use hooks::{CallFault, DriverCall, DriverEvent, DriverHooks, Stage};
pub use host::Host;
pub use plugin::Plugin;

/// A plugin as one process sees it: what that process's controllers get as their [`Driver`]. Clones are the same caller.
#[derive(Clone)]
pub struct SimDriver {
    plugin: Plugin,
    who: Arc<str>,
    ctx: Ctx,
    timeout: Duration,
}

impl SimDriver {
    /// Sends a request and waits for its answer, but no longer than the deadline. Nothing is sent before the first poll.
    fn call<T>(&self, rpc: Rpc, request: Request, read: fn(Response) -> Option<Result<T, CallError>>) -> Call<T>
    where
        T: Send + 'static,
    {
        let caller = self.clone();
        Box::pin(async move {
            let (call, answer) = caller.plugin.receive(&caller.who, request);
            let failed = |failure: plugin::Failure| failure.into_call_error(rpc);
            match caller.ctx.timeout(caller.timeout, answer).await {
                Ok(Ok(Ok(response))) => match read(response) {
                    Some(answer) => answer,
                    None => Err(CallError::malformed(rpc, "it is the answer to another call")),
                },
                Ok(Ok(Err(failure))) => Err(failed(failure)),
                // The world has ended.
                Ok(Err(_)) => Err(failed(plugin::Failure::lost())),
                Err(elapsed) => {
                    caller.plugin.tell(&call, Stage::Expired);
                    Err(CallError::expired(rpc, elapsed))
                }
            }
        })
    }
}

/// `call!(self, Rpc, message, how its answer is read)`.
macro_rules! call {
    ($driver:ident, $rpc:ident, $message:expr, $read:expr) => {
        $driver.call(Rpc::$rpc, Request::$rpc($message), |response| match response {
            Response::$rpc(answer) => Some($read(answer)),
            _ => None,
        })
    };
}

fn done<A>(_: A) -> Result<(), CallError> {
    Ok(())
}

impl Driver for SimDriver {
    fn probe(&self) -> Call<bool> {
        call!(self, Probe, csi::ProbeRequest {}, |a| Ok(wire::probe_answer(a)))
    }
    fn get_plugin_info(&self) -> Call<PluginInfo> {
        call!(self, GetPluginInfo, csi::GetPluginInfoRequest {}, |a| Ok(wire::get_plugin_info_answer(a)))
    }
    fn get_plugin_capabilities(&self) -> Call<Vec<PluginCapability>> {
        let message = csi::GetPluginCapabilitiesRequest {};
        call!(self, GetPluginCapabilities, message, |a| Ok(wire::get_plugin_capabilities_answer(a)))
    }
    fn controller_get_capabilities(&self) -> Call<Vec<ControllerCapability>> {
        let message = csi::ControllerGetCapabilitiesRequest {};
        call!(self, ControllerGetCapabilities, message, |a| Ok(wire::controller_get_capabilities_answer(a)))
    }
    fn create_volume(&self, request: CreateVolumeRequest) -> Call<CreatedVolume> {
        call!(self, CreateVolume, wire::create_volume_request(request), wire::create_volume_answer)
    }
    fn delete_volume(&self, request: DeleteVolumeRequest) -> Call<()> {
        call!(self, DeleteVolume, wire::delete_volume_request(request), done)
    }
    fn controller_publish_volume(&self, request: ControllerPublishVolumeRequest) -> Call<BTreeMap<String, String>> {
        let message = wire::controller_publish_volume_request(request);
        call!(self, ControllerPublishVolume, message, |a| Ok(wire::controller_publish_volume_answer(a)))
    }
    fn controller_unpublish_volume(&self, request: ControllerUnpublishVolumeRequest) -> Call<()> {
        call!(self, ControllerUnpublishVolume, wire::controller_unpublish_volume_request(request), done)
    }
    fn list_volumes(&self, request: ListVolumesRequest) -> Call<PublishedVolumes> {
        call!(self, ListVolumes, wire::list_volumes_request(request), |a| Ok(wire::list_volumes_answer(a)))
    }
    fn get_capacity(&self, request: GetCapacityRequest) -> Call<Capacity> {
        call!(self, GetCapacity, wire::get_capacity_request(request), |a| Ok(wire::get_capacity_answer(a)))
    }
    fn node_get_info(&self) -> Call<NodeInfo> {
        call!(self, NodeGetInfo, csi::NodeGetInfoRequest {}, wire::node_get_info_answer)
    }
    fn node_get_capabilities(&self) -> Call<Vec<NodeCapability>> {
        let message = csi::NodeGetCapabilitiesRequest {};
        call!(self, NodeGetCapabilities, message, |a| Ok(wire::node_get_capabilities_answer(a)))
    }
    fn node_stage_volume(&self, request: NodeStageVolumeRequest) -> Call<()> {
        call!(self, NodeStageVolume, wire::node_stage_volume_request(request), done)
    }
    fn node_unstage_volume(&self, request: NodeUnstageVolumeRequest) -> Call<()> {
        call!(self, NodeUnstageVolume, wire::node_unstage_volume_request(request), done)
    }
    fn node_publish_volume(&self, request: NodePublishVolumeRequest) -> Call<()> {
        call!(self, NodePublishVolume, wire::node_publish_volume_request(request), done)
    }
    fn node_unpublish_volume(&self, request: NodeUnpublishVolumeRequest) -> Call<()> {
        call!(self, NodeUnpublishVolume, wire::node_unpublish_volume_request(request), done)
    }
}
