//! Runs the containers of a node's pods as processes of this host, each in its own mount and process namespace, with the pod's
//! volumes at their mount paths. No images, no network of their own: that is a runtime's business.
//!
//! ```text
//!  Pod, volumes.json, folders on disk ─ runner.rs ─> View ─ plan.rs ─> start, terminate, kill, post status
//!                                                                      │
//!  spec.rs: command, environment, mounts ─> Launch ─ pipe ─> process.rs: unshare ─> shim: the container's process 1
//! ```
//!
//! Containers outlive this process: what runs is found again by the folder of its attempt, and how it ended is written by its own
//! shim (`record.rs`). node-mounter brings the volumes and takes them; a pod's status says `running` before a container is
//! started and no longer when the last one has ended, which is what node-mounter goes by.
//!
//! Logs are `<dir>/<uid>/<container>/<attempt>/log`, both streams as they came. A deleted pod's folder goes with it.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "processes of this host are the edge: started, signalled and awaited here")]

mod error;
mod launch;
mod plan;
mod process;
mod record;
mod runner;
pub mod shim;
mod spec;
mod status;

pub use plan::backoff::ANNOTATION as RESTART_BACKOFF;
pub use record::{Attempt, Exit};
pub use runner::{Config, Surroundings, run};
pub use spec::EXISTING_PATHS;
