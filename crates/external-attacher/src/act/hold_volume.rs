//! Keeps the PersistentVolume while something attaches it: a detach needs its handle and its secret.

use cluster::kinds::Attachment;
use cluster::patch::{Change, add_finalizer};

use super::{volume, write};
use crate::attachments::Attachments;
use crate::error::Error;

pub(super) async fn act(on: &Attachments, attachment: &Attachment) -> Result<(), Error> {
    const ATTEMPT: &str = "add the finalizer to PersistentVolume";
    // Two attachments of one volume that start together would each add it.
    let handle = volume(on, attachment)?.csi.as_ref().map(|csi| csi.volume_handle.clone()).unwrap_or_default();
    let _one_at_a_time = on.volumes.lock(&handle).await;
    let volume = volume(on, attachment)?;
    let Some(operations) = add_finalizer(&volume.meta, &on.finalizer) else { return Ok(()) };
    write(&on.around.client, &on.caches.volumes, &volume.meta, ATTEMPT, Change::operations(operations)).await
}
