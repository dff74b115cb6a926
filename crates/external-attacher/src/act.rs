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
use cluster::patch::Change;
use cluster::{Key, Kind, Meta, Store};
use csi_types::Secret;
use kube::{Client, Resource};
use rt::rules::{self, Rule};

use crate::attachments::Attachments;
use crate::error::Error;
use crate::plan::{Action, View};

pub(crate) async fn act(on: &Attachments, key: &Key, view: &View, action: &Action) -> Result<(), Error> {
    let term = on.around.engine.leadership.term();
    let Some(attachment) = on.caches.attachments.get(key.as_str()) else { return Ok(()) };
    match action {
        Action::HoldVolume => hold_volume::act(on, &attachment).await,
        Action::AddFinalizer(node) => add_finalizer::act(on, &attachment, node).await,
        Action::ControllerPublishVolume(node) => controller_publish_volume::act(on, &attachment, view, node, term).await,
        Action::ControllerUnpublishVolume(node) => controller_unpublish_volume::act(on, &attachment, node, term).await,
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

/// The last look before a call to the driver: what was waited for may have outlasted the lease, and whoever leads now may have
/// detached what this would attach. `term` is the one in which the call was decided on.
fn still_leads(on: &Attachments, attachment: &Attachment, term: u64) -> Result<(), Error> {
    if rules::on(Rule::OnlyLeadersAct) && !on.around.engine.leadership.leads(term) {
        return Err(Error::NotLeading { attachment: attachment.meta.key.to_string() });
    }
    Ok(())
}

/// Changes an object and takes in the answer.
///
/// One that is gone needs no change, but is an error all the same: until the watch has told us, the plan would be the same again.
pub(crate) async fn write<K: Kind>(
    client: &Client,
    store: &Store<K>,
    seen: &Meta,
    attempt: &'static str,
    change: Change,
) -> Result<(), Error> {
    match cluster::patch::write(client, store, seen, change).await {
        Ok(()) => Ok(()),
        Err(error) if is_not_found(&error) => Err(Error::Went { object: format!("{} {}", K::Wire::kind(&()), seen.key) }),
        Err(source) => Err(Error::Api { attempt, object: seen.key.to_string(), source }),
    }
}

/// Changes an attachment.
async fn write_attachment(on: &Attachments, to: &Attachment, attempt: &'static str, change: Change) -> Result<(), Error> {
    write(&on.around.client, &on.caches.attachments, &to.meta, attempt, change).await
}
