//! The Node, as this agent keeps it in the API: object, CSINode, Lease, and the half of the attach handshake that is in its
//! status. One pass brings everything to what it should be and reads back what others did; it is repeated on a timer and
//! whenever something here changed, so that whatever is lost in between (a deleted Node, an overwritten annotation) is mended.

mod csi_node;
mod host;
mod lease;
mod object;

use std::collections::BTreeSet;
use std::time::Duration;

use csi_types::DriverName;
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use rt::{Instant, Shutdown};
use serde_json::Value;
use tokio::sync::Mutex;
use tracing::{info, warn};

use crate::agent::Agent;
use crate::attachment::attached_volumes;
use crate::error::Error;
use crate::paths::VolumeKey;
use cluster::chain;
pub use host::Host;
pub use object::label_conflict;

/// A status that says nothing new is still posted this often, for people who look at its heartbeat.
const HEARTBEAT: Duration = Duration::from_secs(300);
/// While a volume is waited for, what the attach/detach controller writes is looked at this often, and less often the longer it
/// takes. A node's credentials allow
/// a watch too, but that would decode every heartbeat for the sake of the few seconds in which it matters.
const ATTACH_POLL: Duration = Duration::from_millis(500);
const RETRY: Duration = Duration::from_secs(1);
/// How often a pass that lost to another writer is repeated at once.
const RACES: usize = 3;

/// The Node's keeper.
pub struct Keeper {
    agent: Agent,
    host: Host,
    /// One pass at a time: the loop's, or a driver's that is being registered.
    pass: Mutex<Posted>,
}

/// What was posted when.
#[derive(Default)]
struct Posted {
    status: Option<Instant>,
    complained: bool,
}

impl Keeper {
    /// Nothing is sent yet.
    pub fn new(agent: Agent, host: Host) -> Self {
        Self { agent, host, pass: Mutex::default() }
    }

    /// Keeps the Node until the shutdown. The object stays after that: its volumes are still here.
    pub async fn run(&self, shutdown: Shutdown) {
        let mut polls: u32 = 0;
        loop {
            let wait = match self.sync().await {
                Ok(()) if self.attach_awaited() => {
                    polls += 1;
                    ATTACH_POLL.saturating_mul(1 + polls / 10).min(self.agent.config.node_status_update_frequency)
                }
                Ok(()) => {
                    polls = 0;
                    self.agent.config.node_status_update_frequency
                }
                Err(_) => RETRY,
            };
            tokio::select! {
                biased;
                () = shutdown.requested() => return,
                () = self.agent.status_due.notified() => {}
                () = self.agent.ctx.sleep(wait) => {}
            }
        }
    }

    /// The Lease, beside the passes: a slow one must not make the node look lost.
    pub async fn renew_lease(&self, shutdown: Shutdown) {
        lease::run(&self.agent, shutdown).await;
    }

    /// One pass: when it succeeds, the API says of this node what is so.
    pub async fn sync(&self) -> Result<(), Error> {
        let mut posted = self.pass.lock().await;
        let mut result = self.pass(&mut posted).await;
        for _ in 0..RACES {
            // Somebody else wrote to it since it was read, as the attach/detach controller does at just these times.
            if !result.as_ref().is_err_and(Error::is_race) {
                break;
            }
            result = self.pass(&mut posted).await;
        }
        match &result {
            Ok(()) => posted.complained = false,
            // Once per outage; the loop goes on trying.
            Err(error) if !posted.complained && !error.is_race() => {
                posted.complained = true;
                warn!(node = %self.agent.config.node, "cannot keep the Node up to date: {}; trying on", chain(error));
            }
            Err(error) => tracing::debug!("node pass: {}", chain(error)),
        }
        result
    }

    async fn pass(&self, posted: &mut Posted) -> Result<(), Error> {
        let agent = &self.agent;
        let node = self.object().await?;
        self.take_in(&node);
        let node = match object::metadata_patch(agent, &node) {
            Some(patch) => self.patch_metadata(&patch).await?,
            None => node,
        };
        let uid = node.metadata.uid.clone().unwrap_or_default();
        csi_node::reconcile(agent, &uid).await?;
        self.post_status(node, posted).await
    }

    async fn object(&self) -> Result<Node, Error> {
        let agent = &self.agent;
        let name = agent.config.node.as_str();
        let read = self.api().get_opt(name).await.map_err(Error::api(format!("read Node {name}")))?;
        match read {
            Some(node) => Ok(node),
            None if agent.config.register_node => {
                let object = object::new(agent, &self.host);
                let made = self.api().create(&PostParams::default(), &object).await;
                let made = made.map_err(Error::api(format!("create Node {name}")))?;
                info!(node = name, "registered the Node");
                Ok(made)
            }
            None => Err(Error::NoNode { node: agent.config.node.clone() }),
        }
    }

    async fn patch_metadata(&self, patch: &Value) -> Result<Node, Error> {
        let name = self.agent.config.node.as_str();
        let patched = self.api().patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        patched.map_err(Error::api(format!("patch labels and annotations of Node {name}")))
    }

    /// First what is in use, then what is attached: the answer to the write is read after it.
    async fn post_status(&self, node: Node, posted: &mut Posted) -> Result<(), Error> {
        let agent = &self.agent;
        let in_use = {
            let before: BTreeSet<VolumeKey> = volumes_in_use(&node).collect();
            let mut state = agent.state();
            let in_use = state.in_use(&agent.caches.csi_drivers, &before);
            // What is on its way out of the list may not be relied on from here on.
            state.node.reported.retain(|key| in_use.contains(key));
            in_use
        };
        let now = agent.ctx.now();
        let heartbeat = posted.status.is_none_or(|at| now.since(at) >= HEARTBEAT);
        let patch = object::status_patch(agent, &self.host, &node, &in_use, heartbeat);
        let node = match patch {
            Some(patch) => {
                let name = agent.config.node.as_str();
                let patched = self.api().patch_status(name, &PatchParams::default(), &Patch::Strategic(&patch)).await;
                posted.status = Some(now);
                patched.map_err(Error::api(format!("patch the status of Node {name}")))?
            }
            None => node,
        };
        let confirmed: BTreeSet<VolumeKey> = volumes_in_use(&node).filter(|key| in_use.contains(key)).collect();
        let news: Vec<VolumeKey> = {
            let mut state = agent.state();
            let news = confirmed.difference(&state.node.reported).cloned().collect();
            state.node.reported = confirmed;
            news
        };
        self.take_in(&node);
        agent.wake_volumes(news);
        Ok(())
    }

    /// What others wrote.
    fn take_in(&self, node: &Node) {
        let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
        let out_of_service = taints.into_iter().any(|taint| taint.key == "node.kubernetes.io/out-of-service");
        let uid = node.metadata.uid.clone().unwrap_or_default();
        let mut state = self.agent.state();
        if !state.node.uid.is_empty() && state.node.uid != uid {
            warn!(node = %self.agent.config.node, "the Node was deleted and made again; its CSINode is made again too");
            state.node.reported.clear();
        }
        let was = (state.node.attached.clone(), state.node.out_of_service);
        state.node.uid = uid;
        state.node.attached = attached_volumes(node).collect();
        state.node.out_of_service = out_of_service;
        state.node.labels = node.metadata.labels.clone().unwrap_or_default();
        let touched: Vec<VolumeKey> = match was.1 == out_of_service {
            true => was.0.symmetric_difference(&state.node.attached).cloned().collect(),
            false => state.records.keys().cloned().chain(was.0).collect(),
        };
        drop(state);
        self.agent.wake_volumes(touched);
    }

    /// Whether a pod waits for a volume to be attached.
    fn attach_awaited(&self) -> bool {
        let state = self.agent.state();
        let wanted: BTreeSet<&VolumeKey> =
            state.pods.values().flat_map(|entry| entry.wants.iter().flatten()).map(|wanted| &wanted.spec.key).collect();
        state.node.reported.iter().any(|key| wanted.contains(key) && !state.node.attached.contains(key))
    }

    fn api(&self) -> Api<Node> {
        Api::all(self.agent.client.clone())
    }

    /// Registers what a driver said about this node. An error means that nothing of it may be relied on.
    pub async fn install(&self, driver: &DriverName) -> Result<(), Error> {
        self.agent.state().dropped.remove(driver);
        self.sync().await
    }
}

fn volumes_in_use(node: &Node) -> impl Iterator<Item = VolumeKey> {
    node.status.iter().flat_map(|status| status.volumes_in_use.iter().flatten()).map(|name| VolumeKey::parse(name))
}

#[cfg(test)]
mod tests;
