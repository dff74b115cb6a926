//! The only crate that spawns, reads a clock, draws randomness or touches a disk.
//!
//! Everything above takes a [`Ctx`]. In production it stands for tokio, the kernel's clock and the filesystem; for tests and
//! simulation it is seeded: one thread, tokio's paused clock, keyed draws, a disk in memory, tasks that die together. The
//! same seed gives the same run, which is why `clippy.toml` bans the ways around it.
#![warn(missing_docs)]
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this crate is what the bans point to")]

mod clock;
mod ctx;
pub mod disk;
mod draw;
mod process;
pub mod rules;
mod shutdown;

pub use clock::{Elapsed, Instant};
pub use ctx::Ctx;
pub use disk::Disk;
pub use process::Task;
pub use shutdown::Shutdown;
