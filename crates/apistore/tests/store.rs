//! The store behind its own interface, without HTTP: what a write does, what readers and watchers see of it.
#![allow(clippy::disallowed_methods, reason = "drives the runtime itself")]

#[path = "store/support.rs"]
mod support;

#[path = "store/applies.rs"]
mod applies;
#[path = "store/creates.rs"]
mod creates;
#[path = "store/deletes.rs"]
mod deletes;
#[path = "store/files.rs"]
mod files;
#[path = "store/lists.rs"]
mod lists;
#[path = "store/patches.rs"]
mod patches;
#[path = "store/updates.rs"]
mod updates;
#[path = "store/watches.rs"]
mod watches;
