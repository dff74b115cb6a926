//! The attacher between a real driver process's socket and an API in memory: what it does to both, and when either goes wrong.
#![allow(clippy::disallowed_methods, reason = "tests wait on the real clock, since sockets do not follow a paused one")]

mod attach;
mod detach;
mod trouble;
mod verify;
mod world;
