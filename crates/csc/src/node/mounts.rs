//! A volume on this host: staged once, published to each path, and back.

use clap::{ArgAction, Args};
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::cli::args::{Caps, PublishContext, VolumeContext, switch};
use crate::failure::Failure;
use crate::flat;
use crate::words;

/// NodeStageVolume: mounts a volume where all its users on this node share it.
#[derive(Debug, Args)]
pub(crate) struct Stage {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Where: a folder that exists.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    staging_target_path: String,
    #[command(flatten)]
    caps: Caps,
    #[command(flatten)]
    volume_context: VolumeContext,
    #[command(flatten)]
    publish_context: PublishContext,
}

impl Stage {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let request = csi::NodeStageVolumeRequest {
            volume_id: String::new(),
            publish_context: self.publish_context.map()?,
            staging_target_path: self.staging_target_path,
            volume_capability: self.caps.one()?,
            secrets: session.secrets(),
            volume_context: self.volume_context.map()?,
        };
        for volume_id in self.ids {
            let answer = session.call(csi::NodeStageVolumeRequest { volume_id: volume_id.clone(), ..request.clone() }).await?;
            output.show(&answer, &[("volume_id", &volume_id)], words::done(&["VOLUME"], &volume_id))?;
        }
        Ok(())
    }
}

/// NodeUnstageVolume: unmounts what NodeStageVolume has mounted.
#[derive(Debug, Args)]
pub(crate) struct Unstage {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Where the volume is staged.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    staging_target_path: String,
}

impl Unstage {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        for volume_id in self.ids {
            let staging_target_path = self.staging_target_path.clone();
            let request = csi::NodeUnstageVolumeRequest { volume_id: volume_id.clone(), staging_target_path };
            let answer = session.call(request).await?;
            output.show(&answer, &[("volume_id", &volume_id)], words::done(&["VOLUME"], &volume_id))?;
        }
        Ok(())
    }
}

/// NodePublishVolume: shows a volume at a path.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Where: a path whose folder exists. The driver makes the path itself.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    target_path: String,
    /// Where the volume is staged, for drivers with STAGE_UNSTAGE_VOLUME.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    staging_target_path: String,
    #[command(flatten)]
    caps: Caps,
    /// For reading only.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    read_only: bool,
    #[command(flatten)]
    volume_context: VolumeContext,
    #[command(flatten)]
    publish_context: PublishContext,
}

impl Publish {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let request = csi::NodePublishVolumeRequest {
            volume_id: String::new(),
            publish_context: self.publish_context.map()?,
            staging_target_path: self.staging_target_path,
            target_path: self.target_path,
            volume_capability: self.caps.one()?,
            readonly: self.read_only,
            secrets: context.session.secrets(),
            volume_context: self.volume_context.map()?,
        };
        for given in self.ids {
            let volume_id = flat::id(context, given).await?;
            let Context { session, output, .. } = context;
            let answer = session.call(csi::NodePublishVolumeRequest { volume_id: volume_id.clone(), ..request.clone() }).await?;
            output.show(&answer, &[("volume_id", &volume_id)], words::done(&["VOLUME"], &volume_id))?;
        }
        Ok(())
    }
}

/// NodeUnpublishVolume: takes a volume away from a path.
#[derive(Debug, Args)]
pub(crate) struct Unpublish {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// Where the volume is published.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    target_path: String,
}

impl Unpublish {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        for given in self.ids {
            let volume_id = flat::id(context, given).await?;
            let Context { session, output, .. } = context;
            let request = csi::NodeUnpublishVolumeRequest { volume_id: volume_id.clone(), target_path: self.target_path.clone() };
            let answer = session.call(request).await?;
            output.show(&answer, &[("volume_id", &volume_id)], words::done(&["VOLUME"], &volume_id))?;
        }
        Ok(())
    }
}
