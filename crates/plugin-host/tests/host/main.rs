//! Plugins as processes of this host: started, killed, found again, ended.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: real processes, real sockets, real time")]

mod containers;
mod folder;
mod lives;
mod names;
mod rig;
mod unmanaged;

/// What the tests start as a plugin: this very program, which is a driver when it finds an endpoint in its environment.
#[test]
fn the_plugin() {
    rig::be_the_plugin();
}
