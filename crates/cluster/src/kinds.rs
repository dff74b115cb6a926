//! One file per kind: what is decoded from the API server's JSON, and the compact value that is kept.

mod attach_failure;
mod attachment;
mod attributes_class;
mod claim;
mod class;
mod csi_driver;
mod csi_node;
mod namespace;
mod node;
mod pod;
mod scheduling;
pub mod selector;
mod storage_capacity;
mod volume;
pub mod wire;

pub use attach_failure::AttachFailure;
pub use attachment::{Attachment, AttachmentSource};
pub use attributes_class::AttributesClass;
pub use claim::{Claim, ClaimSource};
pub use class::{Class, TopologyExpression, TopologyTerm};
pub use csi_driver::{CsiDriver, FsGroupPolicy, TokenRequest};
pub use csi_node::{CsiNode, CsiNodeDriver};
pub use namespace::Namespace;
pub use node::{Node, Taint};
pub use pod::{Condition, Container, Device, Mount, Pod, PodVolume, PodVolumeSource};
pub use scheduling::{Scheduling, Toleration};
pub use storage_capacity::StorageCapacity;
pub use volume::{ClaimRef, CsiSource, Phase, ReclaimPolicy, Volume};

#[cfg(test)]
mod tests;
