//! The calls this driver serves, as values: what was called, with what, answered by what. One list generates them all, and the
//! services with them, so that a call cannot be served without being recorded. Its lines are as long as the names are: it is a table.

use csi_proto::{csi::v1 as csi, json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Hands the list of calls to another macro: `service { method Rpc(Request) -> Response, … }`.
macro_rules! for_each_rpc {
    ($then:ident) => {
        $then! {
            identity_server::Identity {
                get_plugin_info GetPluginInfo(GetPluginInfoRequest) -> GetPluginInfoResponse,
                get_plugin_capabilities GetPluginCapabilities(GetPluginCapabilitiesRequest) -> GetPluginCapabilitiesResponse,
                probe Probe(ProbeRequest) -> ProbeResponse,
            }
            controller_server::Controller {
                create_volume CreateVolume(CreateVolumeRequest) -> CreateVolumeResponse,
                delete_volume DeleteVolume(DeleteVolumeRequest) -> DeleteVolumeResponse,
                controller_publish_volume ControllerPublishVolume(ControllerPublishVolumeRequest) -> ControllerPublishVolumeResponse,
                controller_unpublish_volume ControllerUnpublishVolume(ControllerUnpublishVolumeRequest) -> ControllerUnpublishVolumeResponse,
                validate_volume_capabilities ValidateVolumeCapabilities(ValidateVolumeCapabilitiesRequest) -> ValidateVolumeCapabilitiesResponse,
                list_volumes ListVolumes(ListVolumesRequest) -> ListVolumesResponse,
                controller_list_volume_health ControllerListVolumeHealth(ControllerListVolumeHealthRequest) -> ControllerListVolumeHealthResponse,
                controller_get_volume_health ControllerGetVolumeHealth(ControllerGetVolumeHealthRequest) -> ControllerGetVolumeHealthResponse,
                get_capacity GetCapacity(GetCapacityRequest) -> GetCapacityResponse,
                controller_get_capabilities ControllerGetCapabilities(ControllerGetCapabilitiesRequest) -> ControllerGetCapabilitiesResponse,
                create_snapshot CreateSnapshot(CreateSnapshotRequest) -> CreateSnapshotResponse,
                delete_snapshot DeleteSnapshot(DeleteSnapshotRequest) -> DeleteSnapshotResponse,
                list_snapshots ListSnapshots(ListSnapshotsRequest) -> ListSnapshotsResponse,
                get_snapshot GetSnapshot(GetSnapshotRequest) -> GetSnapshotResponse,
                controller_expand_volume ControllerExpandVolume(ControllerExpandVolumeRequest) -> ControllerExpandVolumeResponse,
                controller_get_volume ControllerGetVolume(ControllerGetVolumeRequest) -> ControllerGetVolumeResponse,
                controller_modify_volume ControllerModifyVolume(ControllerModifyVolumeRequest) -> ControllerModifyVolumeResponse,
            }
            group_controller_server::GroupController {
                group_controller_get_capabilities GroupControllerGetCapabilities(GroupControllerGetCapabilitiesRequest) -> GroupControllerGetCapabilitiesResponse,
                create_volume_group_snapshot CreateVolumeGroupSnapshot(CreateVolumeGroupSnapshotRequest) -> CreateVolumeGroupSnapshotResponse,
                delete_volume_group_snapshot DeleteVolumeGroupSnapshot(DeleteVolumeGroupSnapshotRequest) -> DeleteVolumeGroupSnapshotResponse,
                get_volume_group_snapshot GetVolumeGroupSnapshot(GetVolumeGroupSnapshotRequest) -> GetVolumeGroupSnapshotResponse,
            }
            node_server::Node {
                node_stage_volume NodeStageVolume(NodeStageVolumeRequest) -> NodeStageVolumeResponse,
                node_unstage_volume NodeUnstageVolume(NodeUnstageVolumeRequest) -> NodeUnstageVolumeResponse,
                node_publish_volume NodePublishVolume(NodePublishVolumeRequest) -> NodePublishVolumeResponse,
                node_unpublish_volume NodeUnpublishVolume(NodeUnpublishVolumeRequest) -> NodeUnpublishVolumeResponse,
                node_get_volume_stats NodeGetVolumeStats(NodeGetVolumeStatsRequest) -> NodeGetVolumeStatsResponse,
                node_get_volume_health NodeGetVolumeHealth(NodeGetVolumeHealthRequest) -> NodeGetVolumeHealthResponse,
                node_get_storage_health NodeGetStorageHealth(NodeGetStorageHealthRequest) -> NodeGetStorageHealthResponse,
                node_expand_volume NodeExpandVolume(NodeExpandVolumeRequest) -> NodeExpandVolumeResponse,
                node_get_capabilities NodeGetCapabilities(NodeGetCapabilitiesRequest) -> NodeGetCapabilitiesResponse,
                node_get_info NodeGetInfo(NodeGetInfoRequest) -> NodeGetInfoResponse,
            }
        }
    };
}
pub(crate) use for_each_rpc;

macro_rules! define {
    ($($module:ident :: $service:ident { $($method:ident $rpc:ident($request:ident) -> $response:ident,)+ })+) => {
        /// A call, by its name in the specification.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[allow(missing_docs, reason = "the names are the specification's")]
        pub enum Rpc { $($($rpc,)+)+ }

        /// A call with its arguments. `Debug` shows no secret.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, clippy::large_enum_variant, reason = "the specification's names; a test tool has the memory")]
        pub enum Request { $($($rpc(csi::$request),)+)+ }

        /// The answer to a call.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, clippy::large_enum_variant, reason = "the specification's names; a test tool has the memory")]
        pub enum Response { $($($rpc(csi::$response),)+)+ }

        impl Rpc {
            /// The name in the specification.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Self::$rpc => stringify!($rpc),)+)+ }
            }

            /// The service the call belongs to: `Controller`, …
            #[must_use]
            pub fn service(self) -> &'static str {
                match self { $($(Self::$rpc => stringify!($service),)+)+ }
            }
        }

        impl Request {
            /// Which call it is.
            #[must_use]
            pub fn rpc(&self) -> Rpc {
                match self { $($(Self::$rpc(_) => Rpc::$rpc,)+)+ }
            }

            /// The arguments as JSON, secrets included: this is a test tool.
            #[must_use]
            pub fn json(&self) -> Value {
                match self { $($(Self::$rpc(r) => json::render(r, json::Secrets::Verbatim),)+)+ }
            }
        }
    };
}
for_each_rpc!(define);

impl Request {
    /// What the call is about, for matching: the names and ids it carries.
    #[must_use]
    pub fn subjects(&self) -> Vec<String> {
        const FIELDS: [&str; 6] = ["name", "volume_id", "snapshot_id", "source_volume_id", "group_snapshot_id", "node_id"];
        let json = self.json();
        FIELDS.iter().filter_map(|f| json.get(f)?.as_str().map(str::to_owned)).collect()
    }
}
