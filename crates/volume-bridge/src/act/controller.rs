//! CreateVolume, DeleteVolume, ControllerPublishVolume, ControllerUnpublishVolume.

use csi_types::{
    Code, ControllerPublishVolumeRequest, ControllerUnpublishVolumeRequest, CreateVolumeRequest, CreatedVolume,
    DeleteVolumeRequest, TopologyRequirement, Verdict, VolumeName,
};

use super::{context, failed, handle, unless_not_found};
use crate::bridge::Bridge;
use crate::error::Error;
use crate::name::Name;
use crate::plan::Facts;
use crate::record::{Done, Record, Volume};

impl Bridge {
    /// The record is on disk already: it was the intent.
    pub(super) async fn create_volume(&self, name: &Name, mut record: Record, facts: &Facts) -> Result<(), Error> {
        let request = CreateVolumeRequest {
            name: VolumeName::new(name.as_str()),
            required: record.asked.required,
            capabilities: vec![record.asked.capability()],
            parameters: record.asked.parameters.clone(),
            mutable_parameters: Default::default(),
            secrets: self.secrets(name, &record).await?,
            accessibility: facts.has_places.then(|| TopologyRequirement::only(facts.place.clone())),
            source: None,
        };
        let created = match self.plugin.driver().create_volume(request).await {
            Ok(created) => created,
            // The volume of this very intent, made by a driver that does not say so.
            Err(error) if error.code == Code::AlreadyExists => match self.by_name(name).await {
                Some(found) => found,
                None => return self.refused(name, record, error).await,
            },
            Err(error) => return self.refused(name, record, error).await,
        };
        record.volume = Some(Volume { handle: created.handle, capacity: created.capacity, context: created.context });
        self.save(name, &record).await?;
        tracing::info!(volume = %name, id = %handle(&record), "created");
        Ok(())
    }

    /// A refusal for good leaves nothing to settle.
    async fn refused(&self, name: &Name, record: Record, error: csi_client::CallError) -> Result<(), Error> {
        if error.verdict() != Verdict::MaybeRunning && !record.is_up() {
            self.forget(name).await?;
        }
        Err(failed(name)(error))
    }

    /// A listed volume that says that it has this name.
    pub(crate) async fn by_name(&self, name: &Name) -> Option<CreatedVolume> {
        let listed = self.listing().await.ok().flatten()?;
        listed.into_iter().find(|volume| {
            volume.handle.as_str() == name.as_str() || volume.context.get("name").is_some_and(|said| said == name.as_str())
        })
    }

    pub(super) async fn delete_volume(&self, name: &Name, mut record: Record) -> Result<(), Error> {
        if !record.deleting {
            record.deleting = true;
            self.save(name, &record).await?;
        }
        let request = DeleteVolumeRequest { handle: handle(&record), secrets: self.secrets(name, &record).await? };
        unless_not_found(self.plugin.driver().delete_volume(request).await).map_err(failed(name))?;
        self.forget(name).await
    }

    pub(super) async fn controller_publish_volume(&self, name: &Name, mut record: Record, facts: &Facts) -> Result<(), Error> {
        let Some(node_id) = facts.node_id.clone() else { return Err(Error::NoNodeId(facts.driver.to_string())) };
        (record.attached, record.node_id) = (Done::Maybe, node_id.to_string());
        self.save(name, &record).await?;
        let request = ControllerPublishVolumeRequest {
            handle: handle(&record),
            node_id,
            capability: record.asked.capability(),
            readonly: false,
            context: context(&record),
            secrets: self.secrets(name, &record).await?,
        };
        record.publish_context = self.plugin.driver().controller_publish_volume(request).await.map_err(failed(name))?;
        record.attached = Done::Yes;
        self.save(name, &record).await
    }

    pub(super) async fn controller_unpublish_volume(&self, name: &Name, mut record: Record) -> Result<(), Error> {
        if record.attached != Done::Maybe {
            record.attached = Done::Maybe;
            self.save(name, &record).await?;
        }
        let request = ControllerUnpublishVolumeRequest {
            handle: handle(&record),
            node_id: record.node_id.as_str().into(),
            secrets: self.secrets(name, &record).await?,
        };
        unless_not_found(self.plugin.driver().controller_unpublish_volume(request).await).map_err(failed(name))?;
        (record.attached, record.node_id) = (Done::No, String::new());
        record.publish_context.clear();
        self.save(name, &record).await
    }
}
