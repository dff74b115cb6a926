//! CSI's calls, in the order of the specification: service, call, what is sent, what is answered, and the fields that the
//! specification marks as required. The test holds the table to csi.proto. Its lines are as long as the names are.
//!
//! SnapshotMetadata is not here: its answers are streams of block lists, which sidecars read and people do not.

use csi_proto::csi::v1 as csi;

/// What is sent in a call.
pub(crate) trait Call: prost::Message + prost::Name + 'static {
    /// What is answered.
    type Answer: prost::Message + prost::Name + Default + 'static;
    /// The path of the call.
    const METHOD: &'static str;
    /// Fields that must not be empty.
    const REQUIRED: &'static [&'static str];
}

macro_rules! calls {
    ($($service:ident { $($rpc:ident($request:ident) -> $answer:ident [$($required:ident),*];)+ })+) => {
        $($(impl Call for csi::$request {
            type Answer = csi::$answer;
            const METHOD: &'static str = concat!("/csi.v1.", stringify!($service), "/", stringify!($rpc));
            const REQUIRED: &'static [&'static str] = &[$(stringify!($required)),*];
        })+)+

        /// The paths and required fields of all of them.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &[&str])] = &[$($((<csi::$request as Call>::METHOD, <csi::$request as Call>::REQUIRED),)+)+];
    };
}

calls! {
    Identity {
        GetPluginInfo(GetPluginInfoRequest) -> GetPluginInfoResponse [];
        GetPluginCapabilities(GetPluginCapabilitiesRequest) -> GetPluginCapabilitiesResponse [];
        Probe(ProbeRequest) -> ProbeResponse [];
    }
    Controller {
        CreateVolume(CreateVolumeRequest) -> CreateVolumeResponse [name, volume_capabilities];
        DeleteVolume(DeleteVolumeRequest) -> DeleteVolumeResponse [volume_id];
        ControllerPublishVolume(ControllerPublishVolumeRequest) -> ControllerPublishVolumeResponse [volume_id, node_id, volume_capability];
        ControllerUnpublishVolume(ControllerUnpublishVolumeRequest) -> ControllerUnpublishVolumeResponse [volume_id];
        ValidateVolumeCapabilities(ValidateVolumeCapabilitiesRequest) -> ValidateVolumeCapabilitiesResponse [volume_id, volume_capabilities];
        ListVolumes(ListVolumesRequest) -> ListVolumesResponse [];
        ControllerListVolumeHealth(ControllerListVolumeHealthRequest) -> ControllerListVolumeHealthResponse [];
        ControllerGetVolumeHealth(ControllerGetVolumeHealthRequest) -> ControllerGetVolumeHealthResponse [volume_id];
        GetCapacity(GetCapacityRequest) -> GetCapacityResponse [];
        ControllerGetCapabilities(ControllerGetCapabilitiesRequest) -> ControllerGetCapabilitiesResponse [];
        CreateSnapshot(CreateSnapshotRequest) -> CreateSnapshotResponse [source_volume_id, name];
        DeleteSnapshot(DeleteSnapshotRequest) -> DeleteSnapshotResponse [snapshot_id];
        ListSnapshots(ListSnapshotsRequest) -> ListSnapshotsResponse [];
        GetSnapshot(GetSnapshotRequest) -> GetSnapshotResponse [snapshot_id];
        ControllerExpandVolume(ControllerExpandVolumeRequest) -> ControllerExpandVolumeResponse [volume_id, capacity_range];
        ControllerGetVolume(ControllerGetVolumeRequest) -> ControllerGetVolumeResponse [volume_id];
        ControllerModifyVolume(ControllerModifyVolumeRequest) -> ControllerModifyVolumeResponse [volume_id, mutable_parameters];
    }
    GroupController {
        GroupControllerGetCapabilities(GroupControllerGetCapabilitiesRequest) -> GroupControllerGetCapabilitiesResponse [];
        CreateVolumeGroupSnapshot(CreateVolumeGroupSnapshotRequest) -> CreateVolumeGroupSnapshotResponse [name, source_volume_ids];
        DeleteVolumeGroupSnapshot(DeleteVolumeGroupSnapshotRequest) -> DeleteVolumeGroupSnapshotResponse [group_snapshot_id];
        GetVolumeGroupSnapshot(GetVolumeGroupSnapshotRequest) -> GetVolumeGroupSnapshotResponse [group_snapshot_id];
    }
    Node {
        NodeStageVolume(NodeStageVolumeRequest) -> NodeStageVolumeResponse [volume_id, staging_target_path, volume_capability];
        NodeUnstageVolume(NodeUnstageVolumeRequest) -> NodeUnstageVolumeResponse [volume_id, staging_target_path];
        NodePublishVolume(NodePublishVolumeRequest) -> NodePublishVolumeResponse [volume_id, target_path, volume_capability];
        NodeUnpublishVolume(NodeUnpublishVolumeRequest) -> NodeUnpublishVolumeResponse [volume_id, target_path];
        NodeGetVolumeStats(NodeGetVolumeStatsRequest) -> NodeGetVolumeStatsResponse [volume_id, volume_path];
        NodeGetVolumeHealth(NodeGetVolumeHealthRequest) -> NodeGetVolumeHealthResponse [volume_id];
        NodeGetStorageHealth(NodeGetStorageHealthRequest) -> NodeGetStorageHealthResponse [];
        NodeExpandVolume(NodeExpandVolumeRequest) -> NodeExpandVolumeResponse [volume_id, volume_path];
        NodeGetCapabilities(NodeGetCapabilitiesRequest) -> NodeGetCapabilitiesResponse [];
        NodeGetInfo(NodeGetInfoRequest) -> NodeGetInfoResponse [];
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use csi_proto::json::POOL;

    use super::*;

    #[test]
    fn every_call_of_csi_is_here_with_fields_that_it_has() {
        let services = POOL.services().filter(|service| service.full_name().starts_with("csi.v1."));
        let methods: Vec<_> = services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
        let path =
            |method: &prost_reflect::MethodDescriptor| format!("/{}/{}", method.parent_service().full_name(), method.name());
        let wanted: BTreeSet<String> = methods.iter().filter(|method| !method.is_server_streaming()).map(path).collect();
        assert_eq!(wanted, ALL.iter().map(|(method, _)| (*method).to_owned()).collect());
        for method in &methods {
            let required = ALL.iter().find(|(known, _)| *known == path(method)).map_or(&[][..], |(_, required)| *required);
            for field in required {
                assert!(method.input().get_field_by_name(field).is_some(), "{} {field}", path(method));
            }
        }
    }
}
