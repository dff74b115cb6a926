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
//!
//! # What differs from upstream (Kubernetes 1.36.1)
//!
//! - A volume that was given to a claim (claimRef) is preferred to every other; upstream looks through groups of access modes
//!   first, and a group with fewer modes wins. It must list the claim's access modes for the scheduler too.
//! - Ties are broken by access modes, size and name; upstream's order is that of a hash map.
//! - Nothing is provisioned for a claim that is being deleted, and it gets no default class.
//! - What upstream leaves to its resync of 15 seconds wakes at once: a volume for the claim that names it, a class for the claims
//!   that wait for it, a volume whose claim went before it was bound. Repeated events are said every five minutes, which is what
//!   their budget allows for ever.
//! - Before a claim is called Lost, or a volume Released, the other one is read once more from the API.
//! - A pod that was made with `spec.nodeName` is a consumer of its claims: they are provisioned and bound for it.
//! - Reservations of the scheduler are written at once rather than assumed, volume by volume; a wait for volumes is remembered
//!   only to tell a rejection from a claim that was never asked for, and begins anew after a restart.
//! - Of the scheduler's messages, what the plugin for dynamic resources adds is left out. No preemption, no scores, no ports, no
//!   resources: the one node takes what fits its volumes, taints and labels.
//! - Nothing is recycled: the policy ends in Failed, as it does upstream for CSI volumes. In-tree plugins and their migration are
//!   not there; a volume with `pv.kubernetes.io/migrated-to` is left alone.
//! - A claim that has only the beta annotation of its provisioner counts as asked for.
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
