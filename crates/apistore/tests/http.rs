//! The API over HTTP, without a socket: what each path, option and format is answered with.
#![allow(clippy::disallowed_methods, reason = "drives the runtime itself")]

#[path = "http/support.rs"]
mod support;

#[path = "http/bodies.rs"]
mod bodies;
#[path = "http/client.rs"]
mod client;
#[path = "http/discovery.rs"]
mod discovery;
#[path = "http/events.rs"]
mod events;
#[path = "http/formats.rs"]
mod formats;
#[path = "http/paths.rs"]
mod paths;
#[path = "http/reviews.rs"]
mod reviews;
#[path = "http/watches.rs"]
mod watches;
