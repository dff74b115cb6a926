//! A volume at a node, and away from it.

use clap::{ArgAction, Args};
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::cli::args::{Caps, VolumeContext, switch};
use crate::failure::Failure;
use crate::flat;
use crate::output::Shown;
use crate::quote::quote;
use crate::words;

/// ControllerPublishVolume: makes a volume reachable from a node.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// The node, as node get-info of its driver prints it.
    #[arg(long, value_name = "NODE", default_value = "", hide_default_value = true)]
    node_id: String,
    #[command(flatten)]
    caps: Caps,
    /// For reading only, for drivers with PUBLISH_READONLY.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", action = ArgAction::Set, value_parser = switch!(), value_name = "BOOL")]
    read_only: bool,
    #[command(flatten)]
    context: VolumeContext,
}

impl Publish {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let (capability, volume_context) = (self.caps.one()?, self.context.map()?);
        let attaches = flat::attaches(context).await?;
        let node_id = if attaches { flat::node_id(context, self.node_id).await? } else { self.node_id };
        for given in self.ids {
            let volume_id = flat::id(context, given).await?;
            if !attaches {
                flat::exists(context, &volume_id).await?;
            }
            let Context { session, output, .. } = context;
            let answer = if attaches {
                let request = csi::ControllerPublishVolumeRequest {
                    volume_id: volume_id.clone(),
                    node_id: node_id.clone(),
                    volume_capability: capability.clone(),
                    readonly: self.read_only,
                    secrets: session.secrets(),
                    volume_context: volume_context.clone(),
                };
                session.call(request).await?
            } else {
                csi::ControllerPublishVolumeResponse::default()
            };
            let published = &answer.publish_context;
            let shown = Shown {
                lines: format!("{}{}\n", quote(&volume_id), words::tabbed(published)),
                columns: &["VOLUME", "NODE", "PUBLISH CONTEXT"],
                rows: vec![vec![volume_id.clone(), node_id.clone(), words::cell(published)]],
                ..Shown::default()
            };
            output.show(&answer, &[("volume_id", &volume_id), ("node_id", &node_id)], shown)?;
        }
        Ok(())
    }
}

/// ControllerUnpublishVolume: takes a volume away from a node, or, without --node-id, from all.
#[derive(Debug, Args)]
pub(crate) struct Unpublish {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// The node, as node get-info of its driver prints it.
    #[arg(long, value_name = "NODE", default_value = "", hide_default_value = true)]
    node_id: String,
}

impl Unpublish {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let attaches = flat::attaches(context).await?;
        for given in self.ids {
            let volume_id = flat::id(context, given).await?;
            let Context { session, output, .. } = context;
            let answer = if attaches {
                let request = csi::ControllerUnpublishVolumeRequest {
                    volume_id: volume_id.clone(),
                    node_id: self.node_id.clone(),
                    secrets: session.secrets(),
                };
                session.call(request).await?
            } else {
                csi::ControllerUnpublishVolumeResponse {}
            };
            output.show(&answer, &[("volume_id", &volume_id)], words::done(&["VOLUME"], &volume_id))?;
        }
        Ok(())
    }
}
