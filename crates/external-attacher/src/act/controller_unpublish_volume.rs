//! Unpublishes the volume from the node, and lets go of the attachment.

use cluster::kinds::Attachment;
use csi_types::{ControllerUnpublishVolumeRequest, NodeId, VolumeHandle};

use super::{mark_detached, publish_secret, still_leads, volume};
use crate::attachments::Attachments;
use crate::error::Error;

/// NotFound is an error like any other: a driver answers OK for a volume or node that is gone. Upstream: since 2.0.
pub(super) async fn act(on: &Attachments, attachment: &Attachment, node: &NodeId, term: u64) -> Result<(), Error> {
    let volume = volume(on, attachment)?;
    let Some(csi) = &volume.csi else { return Ok(()) };
    let handle = VolumeHandle::from(&*csi.volume_handle);
    let _one_at_a_time = on.volumes.lock(handle.as_str()).await;
    let secrets = publish_secret(on, &volume, csi).await?;
    let request = ControllerUnpublishVolumeRequest { handle: handle.clone(), node_id: node.clone(), secrets };
    still_leads(on, attachment, term)?;
    let answer = on.around.driver.controller_unpublish_volume(request).await;
    answer.map_err(|source| Error::ControllerUnpublishVolume { handle, node: node.clone(), source })?;
    mark_detached::act(on, attachment).await?;
    on.settle(&attachment.meta.key);
    Ok(())
}
