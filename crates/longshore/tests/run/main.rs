//! `longshore run`, as a process: documents of other systems end in a mounted volume that a process reads and writes.
//!
//! The third-party plugin is local-driver, as a process of its own.
#![allow(clippy::disallowed_methods, reason = "tests run real processes on a real clock")]

mod marathon;
mod mesos;
mod nomad;
mod place;
