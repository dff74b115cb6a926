//! A claim is used by every pod with a node that names it, also by one that has ended: it is the pod object that keeps it.

use std::sync::Arc;

use cluster::kinds::{Claim, Pod, PodVolumeSource};
use cluster::{Key, Keys, Kind, Store};
use kube::Api;
use kube::api::ListParams;
use rt::rules::{self, Rule};

use super::Protected;
use crate::Part;
use crate::error::Error;
use crate::index::claims_of_pod;

impl Protected for Claim {
    const FINALIZER: &'static str = "kubernetes.io/pvc-protection";
    const QUEUE: &'static str = "pvcprotection";

    fn store(part: &Part) -> &Arc<Store<Self>> {
        &part.caches.claims
    }

    fn is_used(part: &Part, claim: &Self) -> bool {
        part.index.pods_of(claim.meta.key.as_str()).iter().any(|pod| uses(pod, claim))
    }

    /// A pod may have come that our watch has not told of. Upstream: `askAPIServer`.
    async fn is_used_after_all(part: &Part, claim: &Self) -> Result<bool, Error> {
        let namespace = claim.meta.key.namespace().unwrap_or_default();
        let pods: Api<<Pod as Kind>::Wire> = Api::namespaced(part.around.client.clone(), namespace);
        let object = format!("pods of namespace {namespace}");
        let list = pods.list(&ListParams::default()).await;
        let list = list.map_err(|source| Error::Api { attempt: "list", object, source })?;
        Ok(list.items.into_iter().filter_map(Pod::compact).any(|pod| uses(&pod, claim)))
    }

    fn wake(part: &Part, keys: &Arc<Keys<Key>>) {
        let (to, claims) = (keys.clone(), part.caches.claims.clone());
        part.caches.pods.subscribe(move |change| {
            let Some(pod) = &change.old else { return };
            for key in claims_of_pod(pod) {
                if claims.get(key.as_str()).is_some_and(|claim| claim.meta.deleting) {
                    to.add(key);
                }
            }
        });
    }
}

pub(super) fn uses(pod: &Pod, claim: &Claim) -> bool {
    let name = claim.meta.key.name();
    let used = |source: &PodVolumeSource| match source {
        PodVolumeSource::Claim { .. } => true,
        // Once its pod is about to go, or a pod that is deleted in the foreground and its claim would wait for each other.
        PodVolumeSource::Ephemeral => claim.controller.as_deref() == Some(&*pod.meta.uid) && !pod.grace_is_over,
        PodVolumeSource::Csi { .. } | PodVolumeSource::Other => false,
    };
    let mut named = pod.volumes.iter().filter(|volume| pod.claim_name(volume).as_deref() == Some(name));
    let used = !pod.node.is_empty()
        && pod.meta.key.namespace() == claim.meta.key.namespace()
        && named.any(|volume| used(&volume.source));
    used && rules::on(Rule::ClaimInUseStays)
}
