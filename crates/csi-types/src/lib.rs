//! The words everyone shares: plain data and total functions.
//!
//! Nothing here waits, reads a clock, or knows tonic or kube. What two controllers both need to *decide* lives here;
//! what they both need to *do* lives in `cluster` or `csi-client`.

#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod bytes;
mod capability;
mod next;
mod request;
mod secrets;
mod topology;
mod verdict;
mod volume;

pub use bytes::{Bytes, Quantity, QuantityError};
pub use capability::{ControllerCapability, DriverInfo, NodeCapability, PluginCapability};
pub use next::{Next, Reason};
pub use request::{
    Capacity, ContentSource, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest,
    CreatedVolume, DeleteVolumeRequest, GetCapacityRequest, ListVolumesRequest, NodeInfo, NodePublishVolumeRequest,
    NodeStageVolumeRequest, NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, PluginInfo, PublishedVolume, PublishedVolumes,
};
pub use secrets::{Secret, SecretRef, SecretTemplate, TemplateError, TemplateScope};
pub use topology::{Segments, TopologyRequirement};
pub use verdict::{Code, Rpc, Verdict};
pub use volume::{
    ACCESS_MODE_ANNOTATION, AccessMode, AccessModeError, AccessType, CsiAccessMode, DriverName, NodeId, NodeName,
    VolumeCapability, VolumeHandle, VolumeMode, VolumeName, controller_access_mode, sanitize_driver_name,
};
