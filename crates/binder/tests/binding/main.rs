//! The whole binder on an API in memory: what users see happen to their claims, volumes and pods. One seed, one run; the clock
//! is tokio's paused one, so an hour of waiting takes no time.
#![allow(clippy::disallowed_methods, reason = "tests build the runtime")]

mod crash;
mod dynamic;
mod scheduling;
mod statics;
mod world;
