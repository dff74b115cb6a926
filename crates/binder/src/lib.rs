//! What kube-controller-manager and the scheduler do for volumes, for hosts that have neither.
//!
//! ```text
//!  claims/     PersistentVolumeClaim ─ observe ─> View ─ plan ─> act: the four writes of a binding, Lost, Pending, a default
//!              class, the question to the provisioner
//!  volumes/    PersistentVolume: phase, release, what its reclaim policy asks for
//!  scheduling/ Pod ─> the one node, with its reasons when not; places and reserves what waits for a consumer
//!  expand      a claim that wants to grow: who is waited for
//!  protection  finalizers of claims and volumes in use          attach   VolumeAttachments made and removed
//!  ephemeral   claims that pods own                             garbage  objects whose owners are gone
//!  namespaces  what is left in a namespace that is going      nodes    the taint of a node that is not ready
//! ```
//!
//! Every controller has one shape: `observe` turns caches into facts, `plan` (pure, total) answers what to do next, `act` does
//! that one thing; [`cluster::drive`] loops them. Nothing that a binding needs is kept in memory: after a crash between any two
//! writes the next pass goes on from the objects alone. What is remembered (which event was told when, what a waiting pod
//! waits for) is a hint, and losing it costs a repeated event or a longer wait.
//!
//! Plans of this crate read `cluster::kinds` themselves rather than facts copied from them: matching looks at every field of
//! many volumes, and the kinds are plain data.
#![forbid(unsafe_code)]

mod attach;
mod claims;
mod ephemeral;
mod error;
mod expand;
#[cfg(test)]
mod fixtures;
mod garbage;
mod index;
#[cfg(test)]
mod laws;
mod matching;
mod namespaces;
mod nodes;
mod part;
mod protection;
mod scheduling;
mod told;
mod volumes;
mod words;
mod writes;

use std::time::Duration;

use cluster::drive::Engine;
use cluster::{Caches, Events, Watch};
use kube::Client;

pub(crate) use part::Part;

/// What is not the same for everyone.
#[derive(Debug, Clone)]
pub struct Config {
    /// The one node, and the host of events.
    pub node: String,
    /// How long a pod's volumes may take to be bound before the pod is tried again.
    pub bind_timeout: Duration,
    /// The certificate, in PEM, that signs the API server's: what `kube-root-ca.crt` says in every namespace. `None`: it is not known,
    /// and there is no such ConfigMap.
    pub root_ca: Option<String>,
}

impl Config {
    /// As upstream has it, on this node.
    pub fn new(node: impl Into<String>) -> Self {
        Self { node: node.into(), bind_timeout: Duration::from_secs(600), root_ca: None }
    }
}

/// What the binder needs around it.
#[derive(Clone)]
pub struct Surroundings {
    /// The API server.
    pub client: Client,
    /// For `cluster::drive`; each controller changes the queue's name.
    pub engine: Engine,
}

/// What must be cached: the union of what the controllers read.
pub fn watches() -> Vec<Watch> {
    let mut watches = vec![
        Watch::Claims,
        Watch::Volumes,
        Watch::Classes,
        Watch::Pods,
        Watch::Nodes,
        Watch::CsiNodes,
        Watch::CsiDrivers,
        Watch::StorageCapacities,
        Watch::Attachments,
    ];
    watches.extend([protection::watches(), attach::watches(), ephemeral::watches()].concat());
    watches.extend([garbage::watches(), namespaces::watches(), nodes::watches()].concat());
    watches.sort();
    watches.dedup();
    watches
}

/// Runs every controller until the shutdown is requested and every pass under way has ended. `caches` hold [`watches`] and
/// are synced.
pub async fn controller(config: Config, surroundings: Surroundings, caches: &Caches) {
    let part = Part::new(config, surroundings, caches.clone());
    futures::join!(
        claims::run(part.clone()),
        volumes::run(part.clone()),
        scheduling::run(part.clone()),
        expand::run(part.clone()),
        protection::run(part.clone()),
        attach::run(part.clone()),
        ephemeral::run(part.clone()),
        garbage::run(part.clone()),
        namespaces::run(part.clone()),
        nodes::run(part.clone()),
    );
    part.flush().await;
}

impl Surroundings {
    /// A lane for events of this component; the names are upstream's, since people filter by them.
    fn lane(&self, component: &'static str, host: &str) -> Events {
        Events::new(&self.engine.ctx, self.client.clone(), component, host, &self.engine.metrics)
    }
}
