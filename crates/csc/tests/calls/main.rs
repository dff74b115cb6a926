//! Command lines against drivers on a socket: what is sent, what is printed, how it ends.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: real sockets, real files")]

mod answers;
mod errors;
mod local;
mod old;
mod requests;
mod rig;
