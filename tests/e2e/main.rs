//! What Longshore promises, each kept on a real cluster. One file per promise; its name and the tests' names are the promise.
//! Run by `hack/test`; needs root and `hack/cluster up`.
#![allow(clippy::disallowed_methods, reason = "end-to-end tests run real processes on a real clock")]

mod bad_input;
mod block;
mod burst_sigkill;
mod claim_pod_data;
mod full_volume;
mod kubernetes_document;
mod lease;
mod leftovers;
mod no_controller_publish;
mod node_mounter_kill;
mod parameters;
mod preprovisioned;
mod secrets;
mod wait_for_first_consumer;
mod xfs_mount_options;
