//! From the socket to the driver: every call runs to its end on a thread of its own, whatever becomes of the caller, and leaves
//! one log line. Requests are never logged: they may hold secrets.

use std::sync::Arc;
use std::time::Instant;

use csi_proto::csi::v1 as csi;
use tonic::{Request, Response, Status};

use crate::driver::Driver;
use crate::error::Result;

/// The three services of one driver.
#[derive(Clone)]
pub(crate) struct Service {
    driver: Arc<Driver>,
}

impl Service {
    /// Serves `driver`.
    pub(crate) fn new(driver: Driver) -> Service {
        Service { driver: Arc::new(driver) }
    }

    async fn call<Q: Send + 'static, R: Send + 'static>(
        &self,
        rpc: &'static str,
        subject: String,
        request: Request<Q>,
        work: fn(&Driver, Q) -> Result<R>,
    ) -> Result<Response<R>, Status> {
        let driver = Arc::clone(&self.driver);
        let request = request.into_inner();
        let started = Instant::now();
        let done = tokio::task::spawn_blocking(move || work(&driver, request)).await;
        let elapsed_ms = started.elapsed().as_millis() as u64;
        match done {
            Ok(Ok(response)) => {
                tracing::debug!(rpc, subject, elapsed_ms, "ok");
                Ok(Response::new(response))
            }
            Ok(Err(error)) => {
                tracing::warn!(rpc, subject, elapsed_ms, code = ?error.code(), why = %error, "failed");
                Err(error.into())
            }
            Err(error) => {
                tracing::error!(rpc, subject, elapsed_ms, why = %error, "the call ended without an answer; this is a bug");
                Err(Status::internal(format!("{rpc} ended without an answer; see the driver's log")))
            }
        }
    }
}

/// One impl of a generated trait: `rpc(Request) -> Response: the driver's function, the field to log`.
macro_rules! serve {
    ($service:path; $($rpc:ident($request:ident) -> $response:ident: $work:expr $(, $subject:ident)?;)* $(! $none:ident($none_request:ident) -> $none_response:ident;)*) => {
        #[tonic::async_trait]
        impl $service for Service {
            $(async fn $rpc(&self, request: Request<csi::$request>) -> Result<Response<csi::$response>, Status> {
                let subject = [""$(, request.get_ref().$subject.as_str())?].concat();
                self.call(stringify!($rpc), subject, request, $work).await
            })*
            $(async fn $none(&self, _: Request<csi::$none_request>) -> Result<Response<csi::$none_response>, Status> {
                Err(Status::unimplemented(concat!(stringify!($none), " is not among this driver's capabilities")))
            })*
        }
    };
}

serve! { csi::controller_server::Controller;
    create_volume(CreateVolumeRequest) -> CreateVolumeResponse: Driver::create_volume, name;
    delete_volume(DeleteVolumeRequest) -> DeleteVolumeResponse: Driver::delete_volume, volume_id;
    controller_publish_volume(ControllerPublishVolumeRequest) -> ControllerPublishVolumeResponse: Driver::controller_publish_volume, volume_id;
    controller_unpublish_volume(ControllerUnpublishVolumeRequest) -> ControllerUnpublishVolumeResponse: Driver::controller_unpublish_volume, volume_id;
    validate_volume_capabilities(ValidateVolumeCapabilitiesRequest) -> ValidateVolumeCapabilitiesResponse: Driver::validate, volume_id;
    list_volumes(ListVolumesRequest) -> ListVolumesResponse: Driver::list_volumes, starting_token;
    get_capacity(GetCapacityRequest) -> GetCapacityResponse: Driver::get_capacity;
    controller_get_capabilities(ControllerGetCapabilitiesRequest) -> ControllerGetCapabilitiesResponse: |driver, _| Ok(driver.controller_capabilities());
    create_snapshot(CreateSnapshotRequest) -> CreateSnapshotResponse: Driver::create_snapshot, name;
    delete_snapshot(DeleteSnapshotRequest) -> DeleteSnapshotResponse: Driver::delete_snapshot, snapshot_id;
    list_snapshots(ListSnapshotsRequest) -> ListSnapshotsResponse: Driver::list_snapshots, source_volume_id;
    get_snapshot(GetSnapshotRequest) -> GetSnapshotResponse: Driver::get_snapshot, snapshot_id;
    controller_expand_volume(ControllerExpandVolumeRequest) -> ControllerExpandVolumeResponse: Driver::controller_expand_volume, volume_id;
    controller_get_volume(ControllerGetVolumeRequest) -> ControllerGetVolumeResponse: Driver::controller_get_volume, volume_id;
    !controller_modify_volume(ControllerModifyVolumeRequest) -> ControllerModifyVolumeResponse;
    !controller_list_volume_health(ControllerListVolumeHealthRequest) -> ControllerListVolumeHealthResponse;
    !controller_get_volume_health(ControllerGetVolumeHealthRequest) -> ControllerGetVolumeHealthResponse;
}

serve! { csi::node_server::Node;
    node_stage_volume(NodeStageVolumeRequest) -> NodeStageVolumeResponse: Driver::stage_volume, volume_id;
    node_unstage_volume(NodeUnstageVolumeRequest) -> NodeUnstageVolumeResponse: Driver::unstage_volume, volume_id;
    node_publish_volume(NodePublishVolumeRequest) -> NodePublishVolumeResponse: Driver::publish_volume, volume_id;
    node_unpublish_volume(NodeUnpublishVolumeRequest) -> NodeUnpublishVolumeResponse: Driver::unpublish_volume, volume_id;
    node_get_volume_stats(NodeGetVolumeStatsRequest) -> NodeGetVolumeStatsResponse: Driver::volume_stats, volume_id;
    node_get_volume_health(NodeGetVolumeHealthRequest) -> NodeGetVolumeHealthResponse: Driver::volume_health, volume_id;
    node_expand_volume(NodeExpandVolumeRequest) -> NodeExpandVolumeResponse: Driver::node_expand_volume, volume_id;
    node_get_capabilities(NodeGetCapabilitiesRequest) -> NodeGetCapabilitiesResponse: |driver, _| Ok(driver.node_capabilities());
    node_get_info(NodeGetInfoRequest) -> NodeGetInfoResponse: |driver, _| Ok(driver.node_info());
    !node_get_storage_health(NodeGetStorageHealthRequest) -> NodeGetStorageHealthResponse;
}

serve! { csi::identity_server::Identity;
    get_plugin_info(GetPluginInfoRequest) -> GetPluginInfoResponse: |driver, _| Ok(driver.plugin_info());
    get_plugin_capabilities(GetPluginCapabilitiesRequest) -> GetPluginCapabilitiesResponse: |driver, _| Ok(driver.plugin_capabilities());
    probe(ProbeRequest) -> ProbeResponse: |_, _| Ok(csi::ProbeResponse { ready: Some(true) });
}
