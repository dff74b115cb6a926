//! An in-memory CSI driver on a unix socket, with a script of faults and a recording of every request: what tests use to see what
//! the sidecars really send.
//!
//! ```text
//! socket -> serve -> shell: record -> script (delay, refuse, hang, cut) -> world: request -> answer
//! ```
//!
//! `world` is a pure state machine and usable alone. A driver on several nodes is several [`FakeDriver`]s, each on its own socket
//! and [`beside`](Builder::beside) the first.
#![allow(clippy::disallowed_methods, reason = "a test tool at the edge: it has a real clock, real tasks and a real socket")]

mod code;
mod driver;
mod mounts;
mod observe;
mod record;
mod rpc;
mod script;
mod serve;
mod settings;
mod shell;
mod socket;
#[cfg(test)]
mod tests;
pub mod world;

pub use code::{Code, Refusal};
pub use driver::{Builder, FakeDriver, StartError};
pub use observe::{Moment, Sight};
pub use record::Recorded;
pub use rpc::{Request, Response, Rpc};
pub use script::{Fault, Judge, Rule, Script, ScriptError, Span, When};
pub use settings::{ControllerCap, DEFAULT_VOLUME_BYTES, Expansion, GroupCap, Mode, NodeCap, Place, PluginCap, Settings};
pub use world::{Volume, World};
