//! One store per kind, shared by every controller of the process.

use std::sync::Arc;

use kube::runtime::watcher;
use kube::{Api, Client};
use rt::Ctx;

use crate::kinds::{
    AttachFailure, Attachment, AttributesClass, Claim, Class, CsiDriver, CsiNode, Namespace, Node, Pod, StorageCapacity, Volume,
};
use crate::metrics::Metrics;
use crate::store::{Kind, Store};
use crate::watch::{Troubles, feed};

/// The kinds that can be watched. A controller names what it needs; the union is watched, once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the kinds")]
pub enum Watch {
    Claims,
    Volumes,
    Classes,
    Attachments,
    /// The attachments whose last attempt failed, and why.
    AttachFailures,
    AttributesClasses,
    Namespaces,
    CsiNodes,
    CsiDrivers,
    Nodes,
    StorageCapacities,
    /// All pods.
    Pods,
    /// The pods bound to one node.
    PodsOnNode(String),
    /// One node.
    NodeNamed(String),
}

/// Everything that is cached. A kind that nobody watches stays empty and is never synced.
#[derive(Clone, Default)]
#[allow(missing_docs, reason = "the names are the kinds")]
pub struct Caches {
    pub claims: Arc<Store<Claim>>,
    pub volumes: Arc<Store<Volume>>,
    pub classes: Arc<Store<Class>>,
    pub attachments: Arc<Store<Attachment>>,
    pub attach_failures: Arc<Store<AttachFailure>>,
    pub attributes_classes: Arc<Store<AttributesClass>>,
    pub namespaces: Arc<Store<Namespace>>,
    pub csi_nodes: Arc<Store<CsiNode>>,
    pub csi_drivers: Arc<Store<CsiDriver>>,
    pub nodes: Arc<Store<Node>>,
    pub pods: Arc<Store<Pod>>,
    pub storage_capacities: Arc<Store<StorageCapacity>>,
    troubles: Troubles,
}

impl Caches {
    /// Watches these kinds, each once. Returns at once; [`Caches::synced`] waits.
    pub fn start(ctx: &Ctx, client: &Client, watches: impl IntoIterator<Item = Watch>, metrics: &Metrics) -> Self {
        let caches = Self::default();
        let mut watches: Vec<Watch> = watches.into_iter().collect();
        watches.sort();
        watches.dedup();
        drop_covered(&mut watches);
        for watch in watches {
            let feeder = Feeder { ctx, client, metrics, watch: &watch, troubles: &caches.troubles };
            match &watch {
                Watch::Claims => feeder.start(&caches.claims),
                Watch::Volumes => feeder.start(&caches.volumes),
                Watch::Classes => feeder.start(&caches.classes),
                Watch::Attachments => feeder.start(&caches.attachments),
                Watch::AttachFailures => feeder.start(&caches.attach_failures),
                Watch::AttributesClasses => feeder.start(&caches.attributes_classes),
                Watch::Namespaces => feeder.start(&caches.namespaces),
                Watch::CsiNodes => feeder.start(&caches.csi_nodes),
                Watch::CsiDrivers => feeder.start(&caches.csi_drivers),
                Watch::Nodes | Watch::NodeNamed(_) => feeder.start(&caches.nodes),
                Watch::StorageCapacities => feeder.start(&caches.storage_capacities),
                Watch::Pods | Watch::PodsOnNode(_) => feeder.start(&caches.pods),
            }
        }
        caches
    }

    /// Whether every watch is open, or was until a moment ago.
    ///
    /// # Errors
    /// What is wrong with one that could not be opened again.
    pub fn in_step(&self) -> Result<(), String> {
        self.troubles.first().map_or(Ok(()), Err)
    }

    /// Waits until the first complete list of each of these kinds is in. Cancel safe.
    pub async fn synced(&self, watches: &[Watch]) {
        for watch in watches {
            match watch {
                Watch::Claims => self.claims.synced().await,
                Watch::Volumes => self.volumes.synced().await,
                Watch::Classes => self.classes.synced().await,
                Watch::Attachments => self.attachments.synced().await,
                Watch::AttachFailures => self.attach_failures.synced().await,
                Watch::AttributesClasses => self.attributes_classes.synced().await,
                Watch::Namespaces => self.namespaces.synced().await,
                Watch::CsiNodes => self.csi_nodes.synced().await,
                Watch::CsiDrivers => self.csi_drivers.synced().await,
                Watch::Nodes | Watch::NodeNamed(_) => self.nodes.synced().await,
                Watch::StorageCapacities => self.storage_capacities.synced().await,
                Watch::Pods | Watch::PodsOnNode(_) => self.pods.synced().await,
            }
        }
    }
}

/// Two watches that feed one store would delete each other's objects with every list: the wider one is enough.
fn drop_covered(watches: &mut Vec<Watch>) {
    let (pods, nodes) = (watches.contains(&Watch::Pods), watches.contains(&Watch::Nodes));
    watches.retain(|watch| match watch {
        Watch::PodsOnNode(_) => !pods,
        Watch::NodeNamed(_) => !nodes,
        _ => true,
    });
}

struct Feeder<'a> {
    ctx: &'a Ctx,
    client: &'a Client,
    metrics: &'a Metrics,
    watch: &'a Watch,
    troubles: &'a Troubles,
}

impl Feeder<'_> {
    fn start<K: Kind>(&self, store: &Arc<Store<K>>) {
        let config = match self.watch {
            Watch::PodsOnNode(node) => watcher::Config::default().fields(&format!("spec.nodeName={node}")),
            Watch::NodeNamed(node) => watcher::Config::default().fields(&format!("metadata.name={node}")),
            _ => watcher::Config::default(),
        };
        let api = Api::all(self.client.clone());
        self.ctx
            .spawn(K::PLURAL, feed(self.ctx.clone(), api, config, store.clone(), self.troubles.clone(), self.metrics.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_that_another_covers_is_not_started() {
        let narrow = || vec![Watch::NodeNamed("n".into()), Watch::PodsOnNode("n".into())];
        let mut both = [narrow(), vec![Watch::Nodes, Watch::Pods, Watch::Claims]].concat();
        drop_covered(&mut both);
        assert_eq!(both, [Watch::Nodes, Watch::Pods, Watch::Claims]);
        let mut alone = narrow();
        drop_covered(&mut alone);
        assert_eq!(alone, narrow());
    }
}
