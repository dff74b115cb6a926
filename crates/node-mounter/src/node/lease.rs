//! The node's Lease: as long as it is renewed, the node counts as alive.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use rt::Shutdown;
use serde_json::json;
use tracing::{debug, warn};

use crate::agent::Agent;
use crate::error::Error;
use cluster::chain;

const NAMESPACE: &str = "kube-node-lease";
/// Kubelet's, and a quarter of it.
const LEASE: Duration = Duration::from_secs(40);
const RENEW: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(1);

/// Renews until the shutdown. The Lease is left to run out: that is how everyone learns that nobody is here.
pub(super) async fn run(agent: &Agent, shutdown: Shutdown) {
    let mut failing = false;
    loop {
        let wait = match renew(agent).await {
            Ok(()) => {
                failing = false;
                RENEW
            }
            Err(error) => {
                match failing {
                    false => warn!("{}; the node counts as lost after {LEASE:?} of this", chain(&error)),
                    true => debug!("{}", chain(&error)),
                }
                failing = true;
                RETRY
            }
        };
        tokio::select! {
            biased;
            () = shutdown.requested() => return,
            () = agent.ctx.sleep(wait) => {}
        }
    }
}

async fn renew(agent: &Agent) -> Result<(), Error> {
    let name = agent.config.node.as_str();
    let leases: Api<Lease> = Api::namespaced(agent.client.clone(), NAMESPACE);
    let now = format!("{:.6}", agent.ctx.timestamp());
    let spec = json!({"holderIdentity": name, "leaseDurationSeconds": LEASE.as_secs(), "renewTime": now});
    let patched = leases.patch(name, &PatchParams::default(), &Patch::Merge(json!({ "spec": spec }))).await;
    let missing = match patched {
        Ok(_) => return Ok(()),
        Err(error) if cluster::live::is_not_found(&error) => true,
        Err(error) => return Err(Error::api(format!("renew Lease {NAMESPACE}/{name}"))(error)),
    };
    let uid = agent.state().node.uid.clone();
    // Without an owner it would outlive the Node.
    if missing && !uid.is_empty() {
        let owner = json!([{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}]);
        let lease = json!({"metadata": {"name": name, "ownerReferences": owner}, "spec": spec});
        let doing = || Error::api(format!("create Lease {NAMESPACE}/{name}"));
        let lease: Lease = serde_json::from_value(lease).map_err(|error| doing()(kube::Error::SerdeError(error)))?;
        leases.create(&PostParams::default(), &lease).await.map_err(doing())?;
    }
    Ok(())
}
