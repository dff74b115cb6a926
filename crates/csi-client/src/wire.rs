//! Our types as CSI's messages, and its answers as ours. For each RPC `<rpc>_request` makes what is sent, and `<rpc>_answer` reads
//! what came back; an RPC whose request says nothing has no first, one whose answer says nothing no second.
//!
//! The gRPC client sends nothing else, so a driver without a socket that is called with these sees what a real one would.
//! A message with secrets in it is not overwritten when it is dropped, as [`csi_types::Secret`] is: it should live no longer than
//! the call.

#[allow(missing_docs, reason = "functions are spelled as the RPC")]
mod controller;
#[allow(missing_docs, reason = "functions are spelled as the RPC")]
mod identity;
#[allow(missing_docs, reason = "functions are spelled as the RPC")]
mod node;

use csi_proto::csi::v1 as csi;
use csi_types::{AccessType, Bytes, ContentSource, CsiAccessMode, Segments, TopologyRequirement, VolumeCapability};

pub use controller::{
    controller_get_capabilities_answer, controller_publish_volume_answer, controller_publish_volume_request,
    controller_unpublish_volume_request, create_volume_answer, create_volume_request, created_volume, delete_volume_request,
    get_capacity_answer, get_capacity_request, list_volume_details_answer, list_volumes_answer, list_volumes_request,
};
pub use identity::{get_plugin_capabilities_answer, get_plugin_info_answer, probe_answer};
pub use node::{
    node_get_capabilities_answer, node_get_info_answer, node_publish_volume_request, node_stage_volume_request,
    node_unpublish_volume_request, node_unstage_volume_request,
};

fn capability(from: VolumeCapability) -> csi::VolumeCapability {
    use csi::volume_capability::access_mode::Mode;
    use csi::volume_capability::{AccessMode, AccessType as Wire, BlockVolume, MountVolume};
    let mode = match from.access_mode {
        CsiAccessMode::SingleNodeWriter => Mode::SingleNodeWriter,
        CsiAccessMode::SingleNodeReaderOnly => Mode::SingleNodeReaderOnly,
        CsiAccessMode::MultiNodeReaderOnly => Mode::MultiNodeReaderOnly,
        CsiAccessMode::MultiNodeSingleWriter => Mode::MultiNodeSingleWriter,
        CsiAccessMode::MultiNodeMultiWriter => Mode::MultiNodeMultiWriter,
        CsiAccessMode::SingleNodeSingleWriter => Mode::SingleNodeSingleWriter,
        CsiAccessMode::SingleNodeMultiWriter => Mode::SingleNodeMultiWriter,
    };
    let access_type = match from.access_type {
        AccessType::Block => Wire::Block(BlockVolume {}),
        AccessType::Mount { fs_type, mount_flags, volume_mount_group } => {
            Wire::Mount(MountVolume { fs_type, mount_flags, volume_mount_group })
        }
    };
    csi::VolumeCapability { access_mode: Some(AccessMode { mode: mode.into() }), access_type: Some(access_type) }
}

/// Bytes as CSI's signed 64 bits.
fn signed(bytes: Bytes) -> i64 {
    i64::try_from(bytes.0).unwrap_or(i64::MAX)
}

/// CSI's signed 64 bits as bytes; a negative size is "unknown".
fn unsigned(bytes: i64) -> Bytes {
    Bytes(u64::try_from(bytes).unwrap_or(0))
}

fn topology(from: Segments) -> csi::Topology {
    csi::Topology { segments: from.0 }
}

fn requirement(from: TopologyRequirement) -> csi::TopologyRequirement {
    csi::TopologyRequirement {
        requisite: from.requisite.into_iter().map(topology).collect(),
        preferred: from.preferred.into_iter().map(topology).collect(),
    }
}

fn source(from: ContentSource) -> csi::VolumeContentSource {
    use csi::volume_content_source::{SnapshotSource, Type, VolumeSource};
    let kind = match from {
        ContentSource::Snapshot(snapshot_id) => Type::Snapshot(SnapshotSource { snapshot_id }),
        ContentSource::Volume(handle) => Type::Volume(VolumeSource { volume_id: handle.to_string() }),
    };
    csi::VolumeContentSource { r#type: Some(kind) }
}

fn content_source(from: csi::VolumeContentSource) -> Option<ContentSource> {
    use csi::volume_content_source::Type;
    Some(match from.r#type? {
        Type::Snapshot(snapshot) => ContentSource::Snapshot(snapshot.snapshot_id),
        Type::Volume(volume) => ContentSource::Volume(volume.volume_id.into()),
    })
}
