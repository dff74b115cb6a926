//! Docker's volumes on a real dockerd, as people use them: `docker volume create`, `docker run -v`, kills of either side.
//!
//! Needs root and `target/…/longshore`, so it is not part of a plain `cargo test`: `hack/test` names it. Each test has a dockerd of
//! its own (`hack/docker`), a `longshore serve` of its own, and a plugin name of its own in /etc/docker/plugins.
#![allow(clippy::disallowed_methods, reason = "end-to-end tests run real processes on a real clock")]

mod kills;
mod rig;
mod volumes;
