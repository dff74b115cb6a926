//! The API on sockets: TLS, tokens, modes of files, and the end.
#![allow(clippy::disallowed_methods, reason = "a client of the server: it waits, and runs kubectl")]

#[path = "server/support.rs"]
mod support;

#[path = "server/doors.rs"]
mod doors;
#[path = "server/ends.rs"]
mod ends;
#[path = "server/files.rs"]
mod files;
#[path = "server/kubectl.rs"]
mod kubectl;
