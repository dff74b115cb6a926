//! CSI gRPC and Docker's volume plugin API on one socket: what REX-Ray's bridge was.
//!
//! ```text
//!            ┌ HTTP/2, application/grpc ─> csi.rs     checks, order, memory ─> driver's socket, byte for byte
//!  socket ─ serve.rs                                                           (built in: local-driver in this process)
//!            └ anything else ────────────> docker.rs  JSON ─> bridge.rs ─> drive.rs ─ plan.rs ─> act.rs ─> driver
//!                                                                 │
//!                                                       journal: one record per volume, before each call
//! ```
//!
//! Read `plan.rs` first, then `record.rs`. The edges are `socket.rs`, `spec_file.rs` and `host.rs`.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod access;
mod act;
pub mod bridge;
pub mod csi;
mod docker;
mod drive;
pub mod environment;
mod error;
mod flags;
pub mod host;
mod lock;
mod name;
mod operator;
pub mod options;
pub mod plan;
pub mod plugin;
pub mod record;
mod run;
mod secrets;
mod serve;
pub mod socket;
pub mod spec_file;
mod state;
#[cfg(test)]
mod testing;

pub use bridge::{Bridge, Scope, Settings};
pub use error::Error;
pub use flags::{Config, Driver, Endpoint, Flags, Job};
pub use name::{Name, NameError};
pub use run::{main, run};
