//! `node`: volumes on the host of the driver's node service.

mod mounts;
mod stats;

use clap::{Args, Subcommand};
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::cli::args::{Caps, Range};
use crate::failure::Failure;
use crate::output::Shown;
use crate::words;

/// The Node service.
#[derive(Debug, Subcommand)]
pub(crate) enum Node {
    /// NodeGetInfo: what the driver calls its node, and where that is.
    #[command(visible_alias = "info")]
    GetInfo,
    /// NodeGetCapabilities: which calls of this service the driver has.
    #[command(visible_aliases = ["capabilities", "caps"])]
    GetCapabilities,
    #[command(aliases = ["stage-volume", "stagevolume"])]
    Stage(mounts::Stage),
    #[command(aliases = ["unstage-volume", "unstagevolume"])]
    Unstage(mounts::Unstage),
    #[command(visible_aliases = ["mnt", "mount"], aliases = ["publish-volume", "publishvolume"])]
    Publish(mounts::Publish),
    #[command(visible_aliases = ["umount", "unmount", "umt"], aliases = ["unpublish-volume", "unpublishvolume"])]
    Unpublish(mounts::Unpublish),
    #[command(alias = "get-volume-stats")]
    Stats(stats::Stats),
    GetVolumeHealth(stats::Health),
    /// NodeGetStorageHealth: whether the node reaches its storage.
    GetStorageHealth,
    #[command(visible_aliases = ["exp", "expand"])]
    ExpandVolume(Expand),
}

impl Node {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::GetInfo => info(context).await,
            Self::GetCapabilities => {
                let Context { session, output, .. } = context;
                let answer = session.call(csi::NodeGetCapabilitiesRequest {}).await?;
                output.show(&answer, &[], words::names(answer.capabilities.iter().filter_map(capability)))
            }
            Self::Stage(command) => command.run(context).await,
            Self::Unstage(command) => command.run(context).await,
            Self::Publish(command) => command.run(context).await,
            Self::Unpublish(command) => command.run(context).await,
            Self::Stats(command) => command.run(context).await,
            Self::GetVolumeHealth(command) => command.run(context).await,
            Self::GetStorageHealth => stats::storage(context).await,
            Self::ExpandVolume(command) => command.run(context).await,
        }
    }
}

async fn info(context: &mut Context<'_>) -> Result<(), Failure> {
    let Context { session, output, .. } = context;
    let answer = session.call(csi::NodeGetInfoRequest {}).await?;
    let csi::NodeGetInfoResponse { node_id, max_volumes_per_node, accessible_topology } = &answer;
    let segments = accessible_topology.as_ref().map(|topology| topology.segments.clone()).unwrap_or_default();
    let shown = Shown {
        lines: format!("{node_id}\t{max_volumes_per_node}{}\n", words::tabbed(&segments)),
        columns: &["NODE", "MAX VOLUMES", "TOPOLOGY"],
        rows: vec![vec![node_id.clone(), max_volumes_per_node.to_string(), words::cell(&segments)]],
        ..Shown::default()
    };
    output.show(&answer, &[], shown)
}

/// The number of one that is newer than this program.
fn capability(capability: &csi::NodeServiceCapability) -> Option<String> {
    use csi::node_service_capability::{Type, rpc};
    let Type::Rpc(rpc) = capability.r#type.as_ref()?;
    Some(rpc::Type::try_from(rpc.r#type).map_or_else(|_| rpc.r#type.to_string(), |kind| kind.as_str_name().to_owned()))
}

/// NodeExpandVolume: the filesystem of a volume becomes as large as the volume.
#[derive(Debug, Args)]
pub(crate) struct Expand {
    /// The id of the volume.
    #[arg(value_name = "ID")]
    id: String,
    /// Where it is published or staged.
    #[arg(value_name = "PATH")]
    path: String,
    #[command(flatten)]
    range: Range,
    /// Where it is staged.
    #[arg(long, value_name = "PATH", default_value = "", hide_default_value = true)]
    staging_target_path: String,
    #[command(flatten)]
    caps: Caps,
}

impl Expand {
    async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let request = csi::NodeExpandVolumeRequest {
            volume_id: self.id.clone(),
            volume_path: self.path,
            capacity_range: self.range.range(),
            staging_target_path: self.staging_target_path,
            volume_capability: self.caps.one()?,
            secrets: session.secrets(),
        };
        let answer = session.call(request).await?;
        let shown = Shown {
            lines: format!("{}\n", answer.capacity_bytes),
            columns: &["VOLUME", "BYTES"],
            rows: vec![vec![self.id.clone(), answer.capacity_bytes.to_string()]],
            ..Shown::default()
        };
        output.show(&answer, &[("volume_id", &self.id)], shown)
    }
}
