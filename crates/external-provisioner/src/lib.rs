//! PersistentVolumeClaim to CreateVolume, released PersistentVolume to DeleteVolume.
#![forbid(unsafe_code)]

pub mod ask;
#[cfg(test)]
mod fixtures;
pub mod flags;
pub mod memory;
pub mod observe;
pub mod parameters;
pub mod placement;
pub mod plan;
pub mod pv;
pub mod view;
