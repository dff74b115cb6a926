//! NodeStageVolume, NodePublishVolume, and back.

use std::path::Path;

use csi_types::{NodePublishVolumeRequest, NodeStageVolumeRequest, NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest};

use super::{context, failed, handle, unless_done_before, unless_not_found};
use crate::bridge::Bridge;
use crate::error::Error;
use crate::name::Name;
use crate::plan::Facts;
use crate::record::{Done, Record};

impl Bridge {
    pub(super) async fn node_stage_volume(&self, name: &Name, mut record: Record) -> Result<(), Error> {
        let before = record.staged == Done::Maybe;
        record.staged = Done::Maybe;
        self.save(name, &record).await?;
        let staging = self.staging(name);
        self.make_dir(name, &staging).await?;
        let request = NodeStageVolumeRequest {
            handle: handle(&record),
            publish_context: record.publish_context.clone(),
            staging_target_path: text(&staging),
            capability: record.asked.capability(),
            secrets: self.secrets(name, &record).await?,
            volume_context: context(&record),
        };
        unless_done_before(before, self.plugin.driver().node_stage_volume(request).await).map_err(failed(name))?;
        record.staged = Done::Yes;
        self.save(name, &record).await
    }

    pub(super) async fn node_publish_volume(&self, name: &Name, mut record: Record, facts: &Facts) -> Result<(), Error> {
        let before = record.published == Done::Maybe;
        record.published = Done::Maybe;
        self.save(name, &record).await?;
        let target = self.target(name);
        // The target itself is the driver's to make.
        self.make_dir(name, &self.folder(name)).await?;
        let staging_target_path = if facts.stages { text(&self.staging(name)) } else { String::new() };
        let request = NodePublishVolumeRequest {
            handle: handle(&record),
            publish_context: record.publish_context.clone(),
            staging_target_path,
            target_path: text(&target),
            capability: record.asked.capability(),
            readonly: record.asked.readonly(),
            secrets: self.secrets(name, &record).await?,
            volume_context: context(&record),
        };
        unless_done_before(before, self.plugin.driver().node_publish_volume(request).await).map_err(failed(name))?;
        // A container must not write into the folder beneath.
        if !self.is_mounted(name, &target).await? {
            return Err(Error::NotMounted { name: name.clone(), target });
        }
        record.published = Done::Yes;
        self.save(name, &record).await
    }

    pub(super) async fn node_unpublish_volume(&self, name: &Name, mut record: Record) -> Result<(), Error> {
        if record.published != Done::Maybe {
            record.published = Done::Maybe;
            self.save(name, &record).await?;
        }
        let target = self.target(name);
        let request = NodeUnpublishVolumeRequest { handle: handle(&record), target_path: text(&target) };
        let unpublished = self.plugin.driver().node_unpublish_volume(request).await;
        let unpublished = if self.is_mounted(name, &target).await? { unpublished } else { unless_not_found(unpublished) };
        unpublished.map_err(failed(name))?;
        self.remove_dir(&target).await;
        self.remove_folder(name).await;
        record.published = Done::No;
        self.save(name, &record).await
    }

    pub(super) async fn node_unstage_volume(&self, name: &Name, mut record: Record) -> Result<(), Error> {
        if record.staged != Done::Maybe {
            record.staged = Done::Maybe;
            self.save(name, &record).await?;
        }
        let staging = self.staging(name);
        let request = NodeUnstageVolumeRequest { handle: handle(&record), staging_target_path: text(&staging) };
        let unstaged = self.plugin.driver().node_unstage_volume(request).await;
        let unstaged = if self.is_mounted(name, &staging).await? { unstaged } else { unless_not_found(unstaged) };
        unstaged.map_err(failed(name))?;
        self.remove_dir(&staging).await;
        self.remove_folder(name).await;
        record.staged = Done::No;
        self.save(name, &record).await
    }

    async fn make_dir(&self, name: &Name, path: &Path) -> Result<(), Error> {
        let made = self.ctx.disk().make_dir(path).await;
        made.map_err(|source| Error::Disk { name: name.clone(), what: format!("make the folder {}", path.display()), source })
    }

    /// The folder of both, once neither is there.
    async fn remove_folder(&self, name: &Name) {
        let _ = self.ctx.disk().remove_dir(&self.folder(name)).await;
    }

    /// Only ever an empty folder; one that is not empty holds something that is not ours to remove.
    async fn remove_dir(&self, path: &Path) {
        if let Err(error) = self.ctx.disk().remove_dir(path).await {
            tracing::warn!(path = %path.display(), %error, "a folder of a volume that is unmounted cannot be removed; it stays");
        }
    }
}

/// CSI carries text; our folders' names are ASCII, and --state-dir is checked.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
