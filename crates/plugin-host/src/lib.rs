//! CSI plugins that come from files of other orchestrators, and their lives on this host.
//!
//! ```text
//!  a folder of CSIPluginInfo files ─ config.rs ─> Plugin ┐
//!  a Nomad job's csi_plugin tasks ── (documents) ─> Plugin ┴─ supervise.rs: start, probe, restart, stop ─> driver name, sockets
//! ```
//!
//! [`Plugin`] says what is to be run, whoever's file asked for it. [`config`] is pure: text in, a plugin with warnings or one
//! problem with its place out.
#![warn(missing_docs)]
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "processes of this host are the edge: started, signalled and awaited here")]

pub mod config;
mod folder;
mod plugin;
mod supervise;

pub use folder::{Folder, Said};
pub use plugin::{
    Arguments, Bind, Command, DEFAULT_NAME, Docker, Environment, How, Limits, Part, Plugin, PluginId, PluginIdError, Process,
    Propagation, Service, Targets,
};
pub use supervise::{AliasError, Change, Config, Host, Served, Trouble, Users};
