//! The real binary on the real kernel: mounts, loop devices, filesystems. Needs root; without it every test says so and passes.
#![allow(clippy::disallowed_methods, reason = "these tests start, kill and look at processes, disks and mounts")]

mod block;
mod copies;
mod filesystem;
mod inline;
mod kill;
mod order;
mod process;
mod rig;
