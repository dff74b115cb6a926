//! Writes: the attachment, and the node's list.

use std::time::Duration;

use cluster::kinds::{Attachment, Node};
use cluster::live::{already_exists, is_not_found};
use cluster::patch::Change;
use cluster::{Key, Kind};
use kube::Resource;
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::core::Request;
use serde_json::{Value, json};
use tracing::{info, warn};

use super::Attach;
use super::observe::in_use;
use super::wanted::{attachment_name, attachment_of};
use crate::error::Error;
use crate::writes::{look, write};

pub(super) const CREATE: &str = "create VolumeAttachment";
const DELETE: &str = "delete VolumeAttachment";
/// Of a burst, so much goes into one write of the node's list; the first does not wait.
const GATHER: Duration = Duration::from_millis(20);

impl Attach {
    /// No owner, no finalizer, no labels: as upstream.
    pub(super) async fn create(&self, volume: &Key) -> Result<(), Error> {
        let Some(csi) = self.volume(volume) else { return Ok(()) };
        let name = attachment_name(&csi.volume_handle, &csi.driver, self.node());
        let body = json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "VolumeAttachment",
            "metadata": {"name": name},
            "spec": {"attacher": csi.driver, "nodeName": self.node(), "source": {"persistentVolumeName": volume.name()}},
        });
        let failed = |source| Error::Api { attempt: CREATE, object: name.clone(), source };
        let request = Request::new(<Attachment as Kind>::Wire::url_path(&(), None));
        let request = request.create(&PostParams::default(), body.to_string().into_bytes());
        let request = request.map_err(|error| failed(kube::Error::BuildRequest(error)))?;
        let client = &self.part.around.client;
        match client.request::<<Attachment as Kind>::Wire>(request).await {
            Ok(wire) => {
                info!(pv = %volume, va = name, "attaching");
                if let Some(answer) = Attachment::compact(wire) {
                    self.caches().attachments.put_answer(answer);
                }
                Ok(())
            }
            Err(error) if already_exists(&error) => {
                look(client, &self.caches().attachments, &Key::cluster(&name)).await.map(drop)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Out of the list it is already; what is mounted is asked of the API, not of a cache.
    pub(super) async fn delete(&self, volume: &Key) -> Result<(), Error> {
        let Some(attachment) = self.attachment(volume) else { return Ok(()) };
        let (name, client) = (attachment.meta.key.name(), &self.part.around.client);
        let node = look(client, &self.caches().nodes, &Key::cluster(self.node())).await?;
        let begun = self.detaching().contains(&attachment.meta.uid);
        let names = |node: &Node| {
            // Since it was begun nobody could mount it: it was not in the list. That a pod wants it again is no mount.
            let used = if begun { &[] } else { in_use(node) };
            let mut lists = used.iter().chain(&node.volumes_attached);
            lists.any(|have| attachment_of(have, self.node()).as_deref() == Some(name))
        };
        if node.as_ref().is_none_or(names) {
            return Err(Error::Behind { object: format!("Node {}", self.node()) });
        }
        if self.caches().volumes.get(volume.as_str()).is_none() {
            // The attachment's watch may be ahead of the volumes'.
            if look(client, &self.caches().volumes, volume).await?.is_some() {
                return Err(Error::Behind { object: format!("PersistentVolume {volume}") });
            }
            warn!(pv = %volume, va = name, "deleting the attachment of a volume that is gone");
        }
        let failed = |source| Error::Api { attempt: DELETE, object: name.to_owned(), source };
        let parameters = DeleteParams {
            preconditions: Some(Preconditions { uid: Some(attachment.meta.uid.to_string()), resource_version: None }),
            ..DeleteParams::default()
        };
        let request = Request::new(<Attachment as Kind>::Wire::url_path(&(), None)).delete(name, &parameters);
        let request = request.map_err(|error| failed(kube::Error::BuildRequest(error)))?;
        let uid = &attachment.meta.uid;
        self.detaching().insert(uid.clone());
        match client.request::<Value>(request).await {
            Ok(answer) => {
                info!(pv = %volume, va = name, "detaching");
                let wire = serde_json::from_value::<<Attachment as Kind>::Wire>(answer).ok();
                match wire.and_then(Attachment::compact) {
                    // An attacher holds it until it is detached.
                    Some(answer) if answer.meta.deleting => self.caches().attachments.put_answer(answer),
                    _ => self.caches().attachments.delete(&attachment.meta),
                }
                self.detaching().remove(uid);
                Ok(())
            }
            Err(error) if is_not_found(&error) => Err(Error::Went { object: format!("VolumeAttachment {name}") }),
            Err(error) => {
                let refused = matches!(&error, kube::Error::Api(status) if (400..500).contains(&status.code));
                // One that was sent before may be on its way still.
                if refused && !begun {
                    self.detaching().remove(uid);
                }
                Err(failed(error))
            }
        }
    }

    /// Writes the whole list, once for all who wait to have it written.
    pub(super) async fn report(&self, volume: Option<&Key>) -> Result<(), Error> {
        let mut written = self.status.lock().await;
        if let Some(at) = *written {
            self.part.around.engine.ctx.sleep_until(at + GATHER).await;
        }
        let Some(node) = self.this_node() else { return Ok(()) };
        if volume.is_some_and(|volume| self.facts(volume).is_in_step()) {
            return Ok(());
        }
        let names = self.attached(&node);
        if names.iter().map(String::as_str).eq(node.volumes_attached.iter().map(|name| &**name)) {
            // Two volumes disagree about one attachment: the one that has vanished has to be detached first.
            return Err(Error::Behind { object: format!("Node {}", self.node()) });
        }
        let list: Vec<Value> = names.iter().map(|name| json!({"name": name, "devicePath": ""})).collect();
        let change = Change::merge(json!({"status": {"volumesAttached": list}})).status();
        const ATTEMPT: &str = "write volumesAttached of Node";
        let client = &self.part.around.client;
        write(client, &self.caches().nodes, &node.meta, ATTEMPT, change).await?;
        *written = Some(self.part.around.engine.ctx.now());
        Ok(())
    }
}
