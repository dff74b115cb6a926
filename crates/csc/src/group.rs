//! `group`: snapshots of several volumes at one instant. csc has no such commands.

use clap::Subcommand;
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::cli::args::Params;
use crate::failure::Failure;
use crate::output::Shown;
use crate::quote::quote;
use crate::words;

/// The GroupController service.
#[derive(Debug, Subcommand)]
pub(crate) enum Group {
    /// GroupControllerGetCapabilities: which calls of this service the driver has.
    #[command(visible_aliases = ["capabilities", "caps"])]
    GetCapabilities,
    /// CreateVolumeGroupSnapshot: snapshots of all the volumes, at one instant.
    #[command(visible_aliases = ["new", "create", "snap"])]
    CreateSnapshot {
        /// The same name is the same snapshot.
        #[arg(value_name = "NAME", required = true)]
        names: Vec<String>,
        /// The id of a volume. Repeatable.
        #[arg(long = "source-volume", value_name = "ID", required = true)]
        source_volumes: Vec<String>,
        #[command(flatten)]
        params: Params,
    },
    /// DeleteVolumeGroupSnapshot: the group and its snapshots.
    #[command(visible_aliases = ["rm", "del", "delete"])]
    DeleteSnapshot {
        /// The id of the group snapshot.
        #[arg(value_name = "ID")]
        id: String,
        /// The id of a snapshot in it. Repeatable; the specification wants all of them.
        #[arg(long = "snapshot-id", value_name = "ID")]
        snapshot_ids: Vec<String>,
    },
    /// GetVolumeGroupSnapshot: the group and its snapshots.
    #[command(visible_aliases = ["get", "show"])]
    GetSnapshot {
        /// The id of the group snapshot.
        #[arg(value_name = "ID")]
        id: String,
        /// The id of a snapshot in it. Repeatable; the specification wants all of them.
        #[arg(long = "snapshot-id", value_name = "ID")]
        snapshot_ids: Vec<String>,
    },
}

impl Group {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let secrets = session.secrets();
        match self {
            Self::GetCapabilities => {
                let answer = session.call(csi::GroupControllerGetCapabilitiesRequest {}).await?;
                output.show(&answer, &[], words::names(answer.capabilities.iter().filter_map(capability)))
            }
            Self::CreateSnapshot { names, source_volumes, params } => {
                let parameters = params.map()?;
                for name in names {
                    let request = csi::CreateVolumeGroupSnapshotRequest {
                        name: name.clone(),
                        source_volume_ids: source_volumes.clone(),
                        secrets: secrets.clone(),
                        parameters: parameters.clone(),
                    };
                    let answer = session.call(request).await?;
                    let group = answer.group_snapshot.as_ref().ok_or_else(|| {
                        session.incomplete::<csi::CreateVolumeGroupSnapshotRequest>("there is no group snapshot in it")
                    })?;
                    output.show(&answer, &[("name", &name)], shown(group))?;
                }
                Ok(())
            }
            Self::DeleteSnapshot { id, snapshot_ids } => {
                let request = csi::DeleteVolumeGroupSnapshotRequest { group_snapshot_id: id.clone(), snapshot_ids, secrets };
                let answer = session.call(request).await?;
                output.show(&answer, &[("group_snapshot_id", &id)], words::done(&["GROUP SNAPSHOT"], &id))
            }
            Self::GetSnapshot { id, snapshot_ids } => {
                let request = csi::GetVolumeGroupSnapshotRequest { group_snapshot_id: id, snapshot_ids, secrets };
                let answer = session.call(request).await?;
                let group = answer.group_snapshot.as_ref().ok_or_else(|| {
                    session.incomplete::<csi::GetVolumeGroupSnapshotRequest>("there is no group snapshot in it")
                })?;
                output.show(&answer, &[], shown(group))
            }
        }
    }
}

fn capability(capability: &csi::GroupControllerServiceCapability) -> Option<String> {
    use csi::group_controller_service_capability::{Type, rpc};
    let Type::Rpc(rpc) = capability.r#type.as_ref()?;
    Some(rpc::Type::try_from(rpc.r#type).map_or_else(|_| rpc.r#type.to_string(), |kind| kind.as_str_name().to_owned()))
}

/// `"id"\tcreated\tready`, then its snapshots as list-snapshots prints them, after a tab.
fn shown(group: &csi::VolumeGroupSnapshot) -> Shown {
    let csi::VolumeGroupSnapshot { group_snapshot_id, snapshots, creation_time, ready_to_use } = group;
    let created = words::time(creation_time.as_ref());
    let of_each = words::snapshots(snapshots);
    let mut lines = format!("{}\t{created}\t{ready_to_use}\n", quote(group_snapshot_id));
    of_each.lines.lines().for_each(|line| lines += &format!("\t{line}\n"));
    let with_group = |row: Vec<String>| [vec![group_snapshot_id.clone()], row].concat();
    let rows = of_each.rows.into_iter().map(with_group).collect();
    Shown { lines, columns: &["GROUP SNAPSHOT", "SNAPSHOT", "BYTES", "SOURCE", "CREATED", "READY"], rows, ..Shown::default() }
}
