//! One action: written down, called, and written down again. Dispatch, and what the actions share.

mod controller;
mod node;

use csi_client::CallError;
use csi_types::{Code, Secret, VolumeHandle};

use crate::bridge::Bridge;
use crate::error::Error;
use crate::name::Name;
use crate::plan::{Action, Facts};
use crate::record::Record;
use crate::secrets;

impl Bridge {
    pub(crate) async fn act(&self, name: &Name, record: Record, facts: &Facts, action: Action) -> Result<(), Error> {
        match action {
            Action::CreateVolume => self.create_volume(name, record, facts).await,
            Action::DeleteVolume => self.delete_volume(name, record).await,
            Action::ControllerPublishVolume => self.controller_publish_volume(name, record, facts).await,
            Action::ControllerUnpublishVolume => self.controller_unpublish_volume(name, record).await,
            Action::NodeStageVolume => self.node_stage_volume(name, record).await,
            Action::NodePublishVolume => self.node_publish_volume(name, record, facts).await,
            Action::NodeUnpublishVolume => self.node_unpublish_volume(name, record).await,
            Action::NodeUnstageVolume => self.node_unstage_volume(name, record).await,
            Action::Forget => self.forget(name).await,
        }
    }

    /// Read at each call, and dropped with it.
    pub(crate) async fn secrets(&self, name: &Name, record: &Record) -> Result<Secret, Error> {
        let Some(path) = &record.asked.secrets_file else { return Ok(Secret::none()) };
        let file = path.display().to_string();
        let read = self.ctx.disk().read(path).await;
        let bytes = read.map_err(|source| Error::SecretsFile { name: name.clone(), file: file.clone(), source })?;
        secrets::parse(&bytes).map_err(|source| Error::Secrets { name: name.clone(), file, source })
    }
}

fn failed(name: &Name) -> impl FnOnce(CallError) -> Error + use<> {
    let name = name.clone();
    move |source| Error::Call { name, source }
}

/// The id, which every record of an existing volume has.
fn handle(record: &Record) -> VolumeHandle {
    record.volume.as_ref().map(|volume| volume.handle.clone()).unwrap_or_else(|| "".into())
}

fn context(record: &Record) -> std::collections::BTreeMap<String, String> {
    record.volume.as_ref().map(|volume| volume.context.clone()).unwrap_or_default()
}

/// What is not there needs no taking back.
fn unless_not_found(result: Result<(), CallError>) -> Result<(), CallError> {
    match result {
        Err(error) if error.code == Code::NotFound => Ok(()),
        other => other,
    }
}

/// A driver that lacks idempotency says so of what it did already. Only after a call of ours whose outcome was not known.
fn unless_done_before(maybe: bool, result: Result<(), CallError>) -> Result<(), CallError> {
    match result {
        Err(error) if maybe && error.code == Code::AlreadyExists => Ok(()),
        other => other,
    }
}
