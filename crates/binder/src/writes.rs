//! How this crate writes: changes that hold only for the object that was seen, live looks, and their answers into the caches at
//! once.

use cluster::kinds::{Claim, Phase, Volume};
use cluster::live::is_not_found;
use cluster::patch::Change;
use cluster::{Key, Kind, Meta, Store};
use kube::Resource;
use kube::core::Request;
use serde_json::json;

use crate::Part;
use crate::error::Error;
use crate::matching::is_bound_to;

/// Makes a change, and takes the answer into the cache. What is gone needs none, but is an error all the same: until the watch has
/// told us, the plan would be the same again.
pub(crate) async fn write<K: Kind>(
    client: &kube::Client,
    store: &Store<K>,
    seen: &Meta,
    attempt: &'static str,
    change: Change,
) -> Result<(), Error> {
    match cluster::patch::write(client, store, seen, change).await {
        Ok(()) => Ok(()),
        Err(error) if is_not_found(&error) => Err(Error::Went { object: format!("{} {}", K::PLURAL, seen.key) }),
        Err(source) => Err(Error::Api { attempt, object: seen.key.to_string(), source }),
    }
}

/// Reads an object as it is now, and takes the answer into the cache.
pub(crate) async fn look<K: Kind>(client: &kube::Client, store: &Store<K>, key: &Key) -> Result<Option<K>, Error> {
    let failed = |source| Error::Api { attempt: "read", object: format!("{} {key}", K::PLURAL), source };
    let request = Request::new(K::Wire::url_path(&(), key.namespace()));
    let request = request.get(key.name(), &Default::default()).map_err(|error| failed(kube::Error::BuildRequest(error)))?;
    match client.request::<K::Wire>(request).await {
        Ok(wire) => {
            let object = K::compact(wire);
            if let Some(object) = &object {
                store.put_answer(object.clone());
            }
            Ok(object)
        }
        Err(error) if is_not_found(&error) => Ok(None),
        Err(source) => Err(failed(source)),
    }
}

/// The first write of a binding: from then on the volume is this claim's and nobody else's. Also how a pod's placement reserves
/// a volume, so that nothing else needs to be remembered about that.
pub(crate) async fn hold_volume(part: &Part, seen: &Volume, claim: &Claim) -> Result<(), Error> {
    // Two claims that chose the same volume: the second chooses again, by what the first has made of it.
    let _one_at_a_time = part.volumes.lock(seen.meta.key.name()).await;
    if part.caches.volumes.get(seen.meta.key.as_str()).is_none_or(|now| now.meta.version != seen.meta.version) {
        return Ok(());
    }
    let key = &claim.meta.key;
    let mut body = json!({"spec": {"claimRef": {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": key.namespace(),
        "name": key.name(),
        "uid": claim.meta.uid,
        "resourceVersion": claim.meta.version.to_string(),
    }}});
    if !is_bound_to(seen, claim) {
        body["metadata"]["annotations"][Claim::BOUND_BY_CONTROLLER_ANNOTATION] = json!("yes");
    }
    let (client, volumes) = (&part.around.client, &part.caches.volumes);
    write(client, volumes, &seen.meta, "give to its claim PersistentVolume", Change::merge(body).if_unchanged()).await
}

/// A volume's phase, and why.
pub(crate) async fn mark_phase(part: &Part, seen: &Volume, phase: Phase, message: &str) -> Result<(), Error> {
    let message = (!message.is_empty()).then_some(message);
    let body = json!({"status": {"phase": format!("{phase:?}"), "message": message}});
    let (client, volumes) = (&part.around.client, &part.caches.volumes);
    let change = Change::merge(body).status().if_unchanged();
    write(client, volumes, &seen.meta, "set the phase of PersistentVolume", change).await
}
