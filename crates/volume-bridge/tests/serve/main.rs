//! `longshore serve` over its real socket: with the built-in driver and real mounts (as root), and with fake-driver for faults.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: real sockets, real time")]

mod both;
mod built_in;
mod faults;
mod lifetime;
mod rig;
mod secrets;
