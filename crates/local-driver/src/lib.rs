//! A CSI driver for the disks a host has.
//!
//! ```text
//! socket -> serve -> service -> controller/*  which volumes and snapshots exist -> store (records and data on disk)
//!                            \  node/*        where volumes are on this host    -> presence, host (mounts, loop devices, mkfs)
//! ```
//!
//! What exists is what the store holds; where it is, is what the kernel says (`presence.rs`). Nothing is kept in memory between
//! calls, so a call repeated after a crash at any point finds what the first one did and goes on from there.
//! See `docs/local-driver.md` for parameters and guarantees.
#![allow(
    clippy::disallowed_methods,
    reason = "a driver is the edge: it runs mkfs, reads the clock for creation times, and blocks on disks in threads of tokio's"
)]

mod capability;
mod controller;
mod driver;
mod error;
mod flags;
mod host;
mod identity;
mod node;
mod parameters;
mod presence;
mod program;
mod serve;
mod service;
mod size;
mod store;

pub use error::Error;
pub use flags::{Config, DRIVER_NAME, Flags};
pub use program::main;
pub use serve::{ServeError, run, serve};
