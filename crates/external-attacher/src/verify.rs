//! Compares attachments with what the driver lists as published, and has the contradicted ones done again.
//!
//! Writes no status itself: the ordinary path does, after another publish or unpublish. Upstream: `ReconcileVA`.

use std::collections::{BTreeMap, BTreeSet};

use cluster::{Key, Keys};
use csi_client::CallError;
use csi_types::{ListVolumesRequest, NodeId};
use tracing::{debug, info, warn};

use crate::attachments::Attachments;

/// At once when leading, then after each pause, until the shutdown.
pub(crate) async fn run(attachments: &Attachments, keys: &Keys<Key>) {
    let engine = &attachments.around.engine;
    loop {
        tokio::select! {
            biased;
            () = engine.shutdown.requested() => return,
            () = engine.leadership.leading() => {}
        }
        tokio::select! {
            biased;
            () = engine.shutdown.requested() => return,
            published = published(attachments) => match published {
                Ok(published) => compare(attachments, keys, &published),
                Err(error) => warn!("cannot list what is published: {error}"),
            },
        }
        tokio::select! {
            biased;
            () = engine.shutdown.requested() => return,
            () = engine.ctx.sleep(attachments.settings.verify_every) => {}
        }
    }
}

type Published = BTreeMap<String, BTreeSet<NodeId>>;

/// All pages. A page that fails fails the list: half of it would look like detached volumes.
async fn published(attachments: &Attachments) -> Result<Published, CallError> {
    let mut all = Published::new();
    let mut starting_token = String::new();
    loop {
        let request = ListVolumesRequest { max_entries: attachments.settings.page, starting_token };
        let page = attachments.around.driver.list_volumes(request).await?;
        for volume in page.volumes {
            all.entry(volume.handle.to_string()).or_default().extend(volume.published_node_ids);
        }
        if page.next_token.is_empty() {
            return Ok(all);
        }
        starting_token = page.next_token;
    }
}

fn compare(attachments: &Attachments, keys: &Keys<Key>, published: &Published) {
    let caches = &attachments.caches;
    let driver = attachments.driver();
    for attachment in caches.attachments.all().into_iter().filter(|attachment| *attachment.attacher == *driver) {
        let key = &attachment.meta.key;
        let csi_node = caches.csi_nodes.get(&attachment.node);
        let registered = csi_node.as_ref().and_then(|node| node.driver(driver)).map(|entry| &entry.node_id);
        let volume = attachment.volume().and_then(|name| caches.volumes.get(name));
        let handle = volume.as_ref().and_then(|volume| volume.csi.as_ref()).map(|csi| &csi.volume_handle);
        let (Some(node), Some(handle)) = (attachment.node_id_annotation.as_ref().or(registered), handle) else {
            debug!(va = %key, "not compared: its node or volume is not known");
            continue;
        };
        let found = published.get(&**handle).is_some_and(|nodes| nodes.contains(&NodeId::from(&**node)));
        if found != attachment.attached {
            info!(va = %key, attached = attachment.attached, listed = found, "the driver's list contradicts the status");
            attachments.contradict(key);
            keys.add_if_idle(key.clone());
        } else {
            attachments.settle(key);
        }
    }
}
