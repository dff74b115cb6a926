//! ControllerPublishVolume and its opposite, with `--controller-publish`: a local disk needs no attaching, but whoever tests what
//! attaches does. The node is written into the volume's record, and staging elsewhere is refused.

use std::collections::BTreeMap;

use csi_proto::csi::v1 as csi;

use crate::capability::Wanted;
use crate::driver::{Driver, required};
use crate::error::{Error, Result};
use crate::store::record::Attachment;

/// The key of publish_context; its value is the node.
pub(crate) const PUBLISHED_TO: &str = "published-to";

impl Driver {
    pub(crate) fn controller_publish_volume(
        &self,
        request: csi::ControllerPublishVolumeRequest,
    ) -> Result<csi::ControllerPublishVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let node = required("node_id", &request.node_id)?;
        let wanted = Wanted::of(request.volume_capability.as_ref(), self.config.multi_node)?;
        let (_guard, key, mut volume) = self.store.locked(id)?;
        wanted.fits(volume.kind)?;
        if !self.store.knows_node(node) {
            return Err(Error::NotFound(format!(
                "node {node} never served from this data directory; check --node-id and --data-dir there"
            )));
        }
        let readonly = request.readonly || wanted.reader;
        match volume.attached.get(node) {
            Some(there) if there.readonly == readonly => {}
            Some(there) => {
                return Err(Error::Exists(format!(
                    "volume {id} is published to node {node} with readonly={}; unpublish it before changing that",
                    there.readonly
                )));
            }
            None => {
                let alone = |attachment: &Attachment| !(wanted.shared && attachment.shared);
                if let Some((other, _)) = volume.attached.iter().find(|(_, attachment)| alone(attachment)) {
                    return Err(Error::Precondition(format!(
                        "volume {id} is published to node {other}; unpublish it there first"
                    )));
                }
                self.check_room(node)?;
                volume.attached.insert(node.to_owned(), Attachment { readonly, shared: wanted.shared });
                self.store.volumes.update(&key, &volume)?;
                tracing::info!(volume = id, node, readonly, "published to node");
            }
        }
        Ok(csi::ControllerPublishVolumeResponse { publish_context: BTreeMap::from([(PUBLISHED_TO.to_owned(), node.to_owned())]) })
    }

    pub(crate) fn controller_unpublish_volume(
        &self,
        request: csi::ControllerUnpublishVolumeRequest,
    ) -> Result<csi::ControllerUnpublishVolumeResponse> {
        let id = required("volume_id", &request.volume_id)?;
        let key = self.store.key(id);
        let _guard = self.store.volumes.lock(&key)?;
        if let Some(mut volume) = self.store.volumes.load(&key)? {
            let before = volume.attached.len();
            // No node means every node.
            volume.attached.retain(|node, _| !request.node_id.is_empty() && *node != request.node_id);
            if volume.attached.len() != before {
                self.store.volumes.update(&key, &volume)?;
                tracing::info!(volume = id, node = request.node_id, "unpublished from node");
            }
        }
        Ok(csi::ControllerUnpublishVolumeResponse {})
    }

    fn check_room(&self, node: &str) -> Result<()> {
        let most = self.config.max_volumes_per_node;
        if most == 0 {
            return Ok(());
        }
        let taken = self.store.volumes.list()?.iter().filter(|volume| volume.attached.contains_key(node)).count();
        if i64::try_from(taken).is_ok_and(|taken| taken < most) {
            return Ok(());
        }
        Err(Error::Exhausted(format!("node {node} has {taken} volumes, and --max-volumes-per-node allows {most}")))
    }
}
