//! What is asked of a driver and what it answers, without gRPC. `csi-client` turns these into the wire's messages.
//!
//! `Debug` is safe to print: [`Secret`] shows `***`.

use std::collections::BTreeMap;

use crate::{Bytes, NodeId, Secret, Segments, TopologyRequirement, VolumeCapability, VolumeHandle, VolumeName};

/// Spec: CSI GetPluginInfoResponse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginInfo {
    /// The driver's name. May be empty if the driver breaks the specification; callers refuse that.
    pub name: String,
    /// For people only.
    pub vendor_version: String,
}

/// Where a new volume's content comes from. Spec: CSI VolumeContentSource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentSource {
    /// A snapshot's id.
    Snapshot(String),
    /// A volume to clone.
    Volume(VolumeHandle),
}

/// Spec: CSI CreateVolumeRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateVolumeRequest {
    /// Same name, same volume: this is what makes the call idempotent.
    pub name: VolumeName,
    /// The least that is wanted. Zero: the driver chooses.
    pub required: Bytes,
    /// One per access mode of the claim.
    pub capabilities: Vec<VolumeCapability>,
    /// The class's parameters without the reserved keys.
    pub parameters: BTreeMap<String, String>,
    /// The VolumeAttributesClass's parameters.
    pub mutable_parameters: BTreeMap<String, String>,
    /// The provisioner secret, or empty.
    pub secrets: Secret,
    /// Only for drivers with VOLUME_ACCESSIBILITY_CONSTRAINTS.
    pub accessibility: Option<TopologyRequirement>,
    /// Empty volume when `None`.
    pub source: Option<ContentSource>,
}

/// Spec: CSI Volume, as CreateVolume and ListVolumes return it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedVolume {
    /// Never empty: a response without an id is an error of the call.
    pub handle: VolumeHandle,
    /// Zero: the driver does not say.
    pub capacity: Bytes,
    /// Goes to the PersistentVolume's volumeAttributes, and from there to the node.
    pub context: BTreeMap<String, String>,
    /// Empty: reachable from everywhere.
    pub accessible_topology: Vec<Segments>,
    /// What the driver says it made the volume from.
    pub source: Option<ContentSource>,
}

/// Spec: CSI DeleteVolumeRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct DeleteVolumeRequest {
    pub handle: VolumeHandle,
    pub secrets: Secret,
}

/// Spec: CSI ControllerPublishVolumeRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct ControllerPublishVolumeRequest {
    pub handle: VolumeHandle,
    pub node_id: NodeId,
    pub capability: VolumeCapability,
    /// Only with PUBLISH_READONLY.
    pub readonly: bool,
    pub context: BTreeMap<String, String>,
    pub secrets: Secret,
}

/// Spec: CSI ControllerUnpublishVolumeRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct ControllerUnpublishVolumeRequest {
    pub handle: VolumeHandle,
    pub node_id: NodeId,
    pub secrets: Secret,
}

/// Spec: CSI ListVolumesRequest, one page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListVolumesRequest {
    /// Zero: as many as the driver likes.
    pub max_entries: u32,
    /// Empty: from the start.
    pub starting_token: String,
}

/// One volume and the nodes it is published on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct PublishedVolume {
    pub handle: VolumeHandle,
    pub published_node_ids: Vec<NodeId>,
}

/// Spec: CSI ListVolumesResponse, one page. Entries without a volume or a status are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishedVolumes {
    /// This page.
    pub volumes: Vec<PublishedVolume>,
    /// Empty: the last page.
    pub next_token: String,
}

/// Spec: CSI GetCapacityRequest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct GetCapacityRequest {
    pub capabilities: Vec<VolumeCapability>,
    pub parameters: BTreeMap<String, String>,
    pub accessible_topology: Option<Segments>,
}

/// Spec: CSI GetCapacityResponse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Zero is a real answer: nothing is left.
    pub available: Bytes,
    /// The largest single volume, where the driver says it.
    pub maximum_volume_size: Option<Bytes>,
}

/// Spec: CSI NodeGetInfoResponse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInfo {
    /// Never empty: a response without it is an error of the call.
    pub node_id: NodeId,
    /// Zero: unlimited.
    pub max_volumes_per_node: i64,
    /// Where this node is.
    pub accessible_topology: Segments,
}

/// Spec: CSI NodeStageVolumeRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct NodeStageVolumeRequest {
    pub handle: VolumeHandle,
    pub publish_context: BTreeMap<String, String>,
    pub staging_target_path: String,
    pub capability: VolumeCapability,
    pub secrets: Secret,
    pub volume_context: BTreeMap<String, String>,
}

/// Spec: CSI NodeUnstageVolumeRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct NodeUnstageVolumeRequest {
    pub handle: VolumeHandle,
    pub staging_target_path: String,
}

/// Spec: CSI NodePublishVolumeRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct NodePublishVolumeRequest {
    pub handle: VolumeHandle,
    pub publish_context: BTreeMap<String, String>,
    /// Empty when the driver does not stage.
    pub staging_target_path: String,
    pub target_path: String,
    pub capability: VolumeCapability,
    pub readonly: bool,
    pub secrets: Secret,
    pub volume_context: BTreeMap<String, String>,
}

/// Spec: CSI NodeUnpublishVolumeRequest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "field names are CSI's own")]
pub struct NodeUnpublishVolumeRequest {
    pub handle: VolumeHandle,
    pub target_path: String,
}
