//! What the end-to-end promises are written with: a real cluster, a namespace and a driver per promise, and the two kinds of node.
//!
//! ```text
//! Scene ── Cluster     the API of what `hack/cluster up` started, as plain JSON
//!   │  ├── Node        where a pod's volume is to appear: kubelet's node1, or node2, which only has node-mounter
//!   │  ├── Driver      fake (in this process: every request recorded) or local (real disks), one socket per node
//!   │  └── Sidecars    provisioner, attacher, registrars: processes that can be killed and started again
//!   └── Pod            a command run where its volume is: in a container, or, on node2, by the harness in its place
//! ```
//!
//! Each scene has its own namespace and driver name, so that promises run beside each other.
#![allow(clippy::disallowed_methods, reason = "end-to-end tests run real processes on a real clock")]

mod api;
mod cluster;
mod driver;
mod eventually;
mod host;
mod node;
pub mod objects;
mod pod;
mod scene;
mod sidecar;

pub use api::{Api, Kind};
pub use cluster::Cluster;
pub use driver::{Driver, Running};
pub use eventually::{eventually, eventually_within};
pub use host::{Mount, loops_beneath, mounts};
pub use node::Node;
pub use pod::{Output, Pod, PodBuilder};
pub use scene::Scene;
pub use sidecar::Sidecar;

/// Writes a promise once and runs it on both kinds of node.
#[macro_export]
macro_rules! on_both_nodes {
    ($(#[$meta:meta])* $name:ident, $promise:expr) => {
        mod $name {
            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_kubelets_node() -> anyhow::Result<()> {
                ($promise)($crate::Node::Kubelet).await
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_node_mounters_node() -> anyhow::Result<()> {
                ($promise)($crate::Node::Mounter).await
            }
        }
    };
}
