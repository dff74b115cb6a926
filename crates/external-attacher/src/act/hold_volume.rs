//! Keeps the PersistentVolume while something attaches it: a detach needs its handle and its secret.

use cluster::Kind;
use cluster::kinds::{Attachment, Volume};
use cluster::patch::add_finalizer;
use kube::Api;
use kube::api::PatchParams;

use super::{operations, volume};
use crate::attachments::Attachments;
use crate::error::Error;

pub(super) async fn act(on: &Attachments, attachment: &Attachment) -> Result<(), Error> {
    const ATTEMPT: &str = "add the finalizer to PersistentVolume";
    // Two attachments of one volume that start together would each add it.
    let handle = volume(on, attachment)?.csi.as_ref().map(|csi| csi.volume_handle.clone()).unwrap_or_default();
    let _one_at_a_time = on.volumes.lock(&handle).await;
    let volume = volume(on, attachment)?;
    let Some(patch) = add_finalizer(&volume.meta, &on.finalizer) else { return Ok(()) };
    let api: Api<<Volume as Kind>::Wire> = Api::all(on.around.client.clone());
    let key = &volume.meta.key;
    match api.patch(key.name(), &PatchParams::default(), &operations(ATTEMPT, key, patch)?).await {
        Ok(wire) => {
            if let Some(answer) = Volume::compact(wire) {
                on.caches.volumes.put_answer(answer);
            }
            Ok(())
        }
        Err(source) => Err(Error::Api { attempt: ATTEMPT, object: key.to_string(), source }),
    }
}
