//! Publishes the volume to the node, and says so in the attachment's status.

use cluster::kinds::Attachment;
use csi_types::{ControllerCapability, ControllerPublishVolumeRequest, NodeId};

use super::{mark_attached, publish_secret, still_leads, volume};
use crate::attachments::Attachments;
use crate::error::Error;
use crate::plan::{View, Volume};

/// A status that cannot be written is written after the next publish, which changes nothing. Spec: CSI, idempotence.
pub(super) async fn act(on: &Attachments, attachment: &Attachment, view: &View, node: &NodeId, term: u64) -> Result<(), Error> {
    let volume = volume(on, attachment)?;
    let (Volume::Found { handle, capability: Ok(capability), .. }, Some(csi)) = (&view.volume, &volume.csi) else {
        return Ok(());
    };
    let _one_at_a_time = on.volumes.lock(handle.as_str()).await;
    let request = ControllerPublishVolumeRequest {
        handle: handle.clone(),
        node_id: node.clone(),
        capability: capability.clone(),
        readonly: csi.read_only && on.around.info.can(ControllerCapability::PublishReadonly),
        context: csi.volume_attributes.clone(),
        secrets: publish_secret(on, &volume, csi).await?,
    };
    still_leads(on, attachment, term)?;
    let answer = on.around.driver.controller_publish_volume(request).await;
    let context =
        answer.map_err(|source| Error::ControllerPublishVolume { handle: handle.clone(), node: node.clone(), source })?;
    mark_attached::act(on, attachment, Some(context)).await?;
    on.settle(&attachment.meta.key);
    Ok(())
}
