//! `longshore up`, as a process: what it promises to whoever types it. Tests that mount need root.
#![allow(clippy::disallowed_methods, reason = "tests run real processes on a real clock")]

mod corrupt;
mod demo;
mod documents;
mod full_disk;
mod kill;
mod kubectl;
mod manifests;
mod nomad;
mod plugins;
mod pods;
mod process;
mod restart;
mod secrets;
mod status;
mod volumes;
