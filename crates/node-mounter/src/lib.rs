//! The volume half of a kubelet, for a node that has none.
//!
//! ```text
//!  Pod ── pods.rs: claim, PersistentVolume ──> wants ┐
//!  journal, folders ── recover.rs ──────────> record ┤
//!  Node: volumesInUse, volumesAttached ── node.rs ───┼─ observe.rs ─> View ─ plan.rs ─> act/node_stage_volume.rs
//!  plugins_registry ── plugins.rs ─> driver ─────────┘                                  act/node_publish_volume.rs
//!                                                                                       act/node_unpublish_volume.rs
//!                                                                                       act/node_unstage_volume.rs
//! ```
//!
//! Read `plan.rs` first. The edges, which only this host has, are `mounter/linux.rs`, `fs_group.rs`, `plugins/watch.rs`,
//! `plugins/registration.rs`, `node/host.rs` and `api.rs`; everything else runs in simulation too.
#![forbid(unsafe_code)]

mod act;
pub mod agent;
mod api;
mod attachment;
mod error;
mod flags;
pub mod fs_group;
pub mod journal;
mod lock;
mod manifests;
mod metrics;
pub mod mounter;
pub mod node;
mod observe;
pub mod paths;
pub mod plan;
pub mod plugins;
mod pod;
mod pods;
pub mod recover;
mod run;
pub mod spec;
pub mod state;
#[cfg(test)]
mod testing;
mod vol_data;
mod volumes;

pub use ::mountinfo;
pub use flags::{Config, Flags};
pub use metrics::Metrics;
pub use run::{Edges, GrpcConnect, Surroundings, Work, mount, prepare_root, run};

/// The program: runs until it is told to stop. `argv` begins with the name that usage and log lines call it by.
pub fn main(argv: Vec<std::ffi::OsString>) -> std::process::ExitCode {
    sidecar::run_with::<Flags, _>(argv, run)
}
