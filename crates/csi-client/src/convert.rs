//! Our types as the wire's, and back.

use csi_proto::csi::v1 as wire;
use csi_types::{
    AccessType, Bytes, ContentSource, CreatedVolume, CsiAccessMode, Rpc, Segments, TopologyRequirement, VolumeCapability,
    VolumeHandle,
};

use crate::error::CallError;

pub(crate) fn capability(from: VolumeCapability) -> wire::VolumeCapability {
    use wire::volume_capability::access_mode::Mode;
    use wire::volume_capability::{AccessMode, AccessType as Wire, BlockVolume, MountVolume};
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
    wire::VolumeCapability { access_mode: Some(AccessMode { mode: mode.into() }), access_type: Some(access_type) }
}

/// Bytes as CSI's signed 64 bits.
pub(crate) fn signed(bytes: Bytes) -> i64 {
    i64::try_from(bytes.0).unwrap_or(i64::MAX)
}

/// CSI's signed 64 bits as bytes; a negative size is "unknown".
pub(crate) fn unsigned(bytes: i64) -> Bytes {
    Bytes(u64::try_from(bytes).unwrap_or(0))
}

pub(crate) fn topology(from: Segments) -> wire::Topology {
    wire::Topology { segments: from.0 }
}

pub(crate) fn requirement(from: TopologyRequirement) -> wire::TopologyRequirement {
    wire::TopologyRequirement {
        requisite: from.requisite.into_iter().map(topology).collect(),
        preferred: from.preferred.into_iter().map(topology).collect(),
    }
}

pub(crate) fn source(from: ContentSource) -> wire::VolumeContentSource {
    use wire::volume_content_source::{SnapshotSource, Type, VolumeSource};
    let kind = match from {
        ContentSource::Snapshot(snapshot_id) => Type::Snapshot(SnapshotSource { snapshot_id }),
        ContentSource::Volume(handle) => Type::Volume(VolumeSource { volume_id: handle.to_string() }),
    };
    wire::VolumeContentSource { r#type: Some(kind) }
}

pub(crate) fn created_volume(from: Option<wire::Volume>) -> Result<CreatedVolume, CallError> {
    use wire::volume_content_source::Type;
    let volume = from.ok_or_else(|| CallError::malformed(Rpc::CreateVolume, "it holds no volume"))?;
    if volume.volume_id.is_empty() {
        return Err(CallError::malformed(Rpc::CreateVolume, "the volume has no id"));
    }
    let source = volume.content_source.and_then(|source| source.r#type).map(|kind| match kind {
        Type::Snapshot(snapshot) => ContentSource::Snapshot(snapshot.snapshot_id),
        Type::Volume(volume) => ContentSource::Volume(volume.volume_id.into()),
    });
    Ok(CreatedVolume {
        handle: VolumeHandle::from(volume.volume_id),
        capacity: unsigned(volume.capacity_bytes),
        context: volume.volume_context,
        accessible_topology: volume.accessible_topology.into_iter().map(|topology| Segments(topology.segments)).collect(),
        source,
    })
}
