//! `controller`: volumes and snapshots, wherever the driver's controller service runs.

mod attach;
mod capacity;
mod health;
pub(crate) mod page;
mod snapshots;
mod volumes;

use clap::Subcommand;

use crate::Context;
use crate::failure::Failure;

/// The Controller service.
#[derive(Debug, Subcommand)]
pub(crate) enum Controller {
    #[command(visible_aliases = ["n", "c", "new", "create"])]
    CreateVolume(volumes::Create),
    #[command(visible_aliases = ["d", "rm", "del", "delete"])]
    DeleteVolume(volumes::Delete),
    #[command(visible_aliases = ["attach", "att"], aliases = ["publish-volume", "publishvolume"])]
    Publish(attach::Publish),
    #[command(visible_aliases = ["detach", "det"], aliases = ["unpublish-volume", "unpublishvolume"])]
    Unpublish(attach::Unpublish),
    #[command(visible_aliases = ["ls", "list", "volumes"])]
    ListVolumes(page::ListVolumes),
    #[command(visible_alias = "get")]
    GetVolume(volumes::Get),
    #[command(visible_alias = "validate")]
    ValidateVolumeCapabilities(volumes::Validate),
    #[command(visible_aliases = ["exp", "expand"])]
    ExpandVolume(volumes::Expand),
    #[command(visible_alias = "modify")]
    ModifyVolume(volumes::Modify),
    #[command(visible_alias = "capacity")]
    GetCapacity(capacity::Capacity),
    #[command(visible_aliases = ["capabilities", "caps"])]
    GetCapabilities(capacity::Capabilities),
    #[command(visible_aliases = ["s", "snap"])]
    CreateSnapshot(snapshots::Create),
    #[command(visible_aliases = ["ds", "delsnap"])]
    DeleteSnapshot(snapshots::Delete),
    #[command(visible_aliases = ["sl", "snap-list", "snapshots"])]
    ListSnapshots(page::ListSnapshots),
    #[command(visible_alias = "gs")]
    GetSnapshot(snapshots::Get),
    ListVolumeHealth(health::List),
    GetVolumeHealth(health::Get),
}

impl Controller {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        match self {
            Self::CreateVolume(command) => command.run(context).await,
            Self::DeleteVolume(command) => command.run(context).await,
            Self::Publish(command) => command.run(context).await,
            Self::Unpublish(command) => command.run(context).await,
            Self::ListVolumes(command) => command.run(context).await,
            Self::GetVolume(command) => command.run(context).await,
            Self::ValidateVolumeCapabilities(command) => command.run(context).await,
            Self::ExpandVolume(command) => command.run(context).await,
            Self::ModifyVolume(command) => command.run(context).await,
            Self::GetCapacity(command) => command.run(context).await,
            Self::GetCapabilities(command) => command.run(context).await,
            Self::CreateSnapshot(command) => command.run(context).await,
            Self::DeleteSnapshot(command) => command.run(context).await,
            Self::ListSnapshots(command) => command.run(context).await,
            Self::GetSnapshot(command) => command.run(context).await,
            Self::ListVolumeHealth(command) => command.run(context).await,
            Self::GetVolumeHealth(command) => command.run(context).await,
        }
    }
}
