//! Next to world: dispatch only. One file per action.

mod add_finalizer;
mod controller_publish_volume;
mod controller_unpublish_volume;
mod hold_volume;
mod mark_attached;
mod mark_detached;
pub(crate) mod report_error;

use std::sync::Arc;

use cluster::kinds::{Attachment, CsiSource, Volume};
use cluster::live::{is_not_found, secret};
use cluster::{Key, Kind};
use csi_types::Secret;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::Value;

use crate::attachments::Attachments;
use crate::error::Error;
use crate::plan::{Action, View};

pub(crate) async fn act(on: &Attachments, key: &Key, view: &View, action: &Action) -> Result<(), Error> {
    let Some(attachment) = on.caches.attachments.get(key.as_str()) else { return Ok(()) };
    match action {
        Action::HoldVolume => hold_volume::act(on, &attachment).await,
        Action::AddFinalizer(node) => add_finalizer::act(on, &attachment, node).await,
        Action::ControllerPublishVolume(node) => controller_publish_volume::act(on, &attachment, view, node).await,
        Action::ControllerUnpublishVolume(node) => controller_unpublish_volume::act(on, &attachment, node).await,
        Action::MarkAttached => mark_attached::act(on, &attachment, None).await,
        Action::MarkDetached => mark_detached::act(on, &attachment).await,
    }
}

/// The volume as it is cached now.
fn volume(on: &Attachments, attachment: &Attachment) -> Result<Arc<Volume>, Error> {
    let name = attachment.volume().unwrap_or_default();
    on.caches
        .volumes
        .get(name)
        .ok_or_else(|| Error::VolumeWent { volume: name.to_owned(), attachment: attachment.meta.key.to_string() })
}

/// The secret of one call; read now, dropped after it.
async fn publish_secret(on: &Attachments, volume: &Volume, csi: &CsiSource) -> Result<Secret, Error> {
    match &csi.controller_publish_secret_ref {
        None => Ok(Secret::none()),
        Some(reference) => secret(&on.around.client, reference)
            .await
            .map_err(|source| Error::Secret { volume: volume.meta.key.to_string(), source }),
    }
}

/// Patches an attachment (its status, if so said) and takes in the answer.
///
/// One that is gone needs no patch, but is an error all the same: until the watch has told us, the plan would be the same again.
async fn patch(
    on: &Attachments,
    attachment: &Attachment,
    attempt: &'static str,
    status: bool,
    patch: Patch<Value>,
) -> Result<(), Error> {
    let api: Api<<Attachment as Kind>::Wire> = Api::all(on.around.client.clone());
    let (name, parameters) = (attachment.meta.key.name(), PatchParams::default());
    let answer = match (status, patch) {
        (true, patch) => api.patch_status(name, &parameters, &patch).await,
        (false, patch) => api.patch(name, &parameters, &patch).await,
    };
    match answer {
        Ok(wire) => {
            if let Some(answer) = Attachment::compact(wire) {
                on.caches.attachments.put_answer(answer);
            }
            Ok(())
        }
        Err(error) if is_not_found(&error) => Err(Error::Went { object: format!("VolumeAttachment {}", attachment.meta.key) }),
        Err(source) => Err(Error::Api { attempt, object: attachment.meta.key.to_string(), source }),
    }
}

/// Turns operations into a JSON patch.
fn operations(attempt: &'static str, object: &Key, operations: Value) -> Result<Patch<Value>, Error> {
    cluster::patch::json_patch(operations).map_err(|source| Error::Api { attempt, object: object.to_string(), source })
}
