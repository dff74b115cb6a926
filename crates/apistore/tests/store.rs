//! The store behind its own interface, without HTTP: what a write does, what readers and watchers see of it.
#![allow(clippy::disallowed_methods, reason = "drives the runtime itself")]

#[path = "store/support.rs"]
mod support;

#[path = "store/lists.rs"]
mod lists;
#[path = "store/watches.rs"]
mod watches;
#[path = "store/writes.rs"]
mod writes;
