//! The controller service: which volumes and snapshots exist. One call, one file.

mod create_volume;
mod delete_volume;
mod expand_volume;
mod get_capacity;
mod list;
mod origin;
mod publish_volume;
mod snapshot;
mod validate;

pub(crate) use create_volume::build;
use csi::controller_service_capability::rpc::Type;
use csi_proto::csi::v1 as csi;

use crate::driver::Driver;
use crate::store::record::{Source, Volume};

impl Driver {
    pub(crate) fn controller_capabilities(&self) -> csi::ControllerGetCapabilitiesResponse {
        let mut types = vec![
            Type::CreateDeleteVolume,
            Type::ListVolumes,
            Type::GetCapacity,
            Type::GetVolume,
            Type::CreateDeleteSnapshot,
            Type::ListSnapshots,
            Type::GetSnapshot,
            Type::CloneVolume,
            Type::ExpandVolume,
            Type::SingleNodeMultiWriter,
        ];
        if self.config.controller_publish {
            types.extend([Type::PublishUnpublishVolume, Type::PublishReadonly, Type::ListVolumesPublishedNodes]);
        }
        let capability = |kind: Type| csi::ControllerServiceCapability {
            r#type: Some(csi::controller_service_capability::Type::Rpc(csi::controller_service_capability::Rpc {
                r#type: kind.into(),
            })),
        };
        csi::ControllerGetCapabilitiesResponse { capabilities: types.into_iter().map(capability).collect() }
    }

    /// A volume as every call reports it.
    pub(crate) fn describe(&self, volume: &Volume) -> csi::Volume {
        use csi::volume_content_source::{SnapshotSource, Type as Origin, VolumeSource};
        let origin = volume.source.as_ref().map(|source| match source.clone() {
            Source::Snapshot(snapshot_id) => Origin::Snapshot(SnapshotSource { snapshot_id }),
            Source::Volume(volume_id) => Origin::Volume(VolumeSource { volume_id }),
        });
        csi::Volume {
            capacity_bytes: volume.capacity as i64,
            volume_id: volume.id.clone(),
            volume_context: Default::default(),
            content_source: origin.map(|origin| csi::VolumeContentSource { r#type: Some(origin) }),
            accessible_topology: self.topology().into_iter().collect(),
        }
    }
}
