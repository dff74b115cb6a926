//! One snapshot after the other: made, shown, removed.

use clap::Args;
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::cli::args::{Params, topologies};
use crate::failure::Failure;
use crate::words;

/// CreateSnapshot: the same name is the same snapshot.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What the snapshots are asked for by. One call for each.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// The id of the volume.
    #[arg(long, value_name = "ID", required = true)]
    source_volume: String,
    #[command(flatten)]
    params: Params,
    /// A place that the snapshot must be reachable from. Repeatable.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    topology_requisite: Vec<String>,
    /// A place to prefer, the first one most. Repeatable.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    topology_preferred: Vec<String>,
}

impl Create {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let parameters = self.params.map()?;
        let requirement = csi::TopologyRequirement {
            requisite: topologies("--topology-requisite", &self.topology_requisite)?,
            preferred: topologies("--topology-preferred", &self.topology_preferred)?,
        };
        let anywhere = requirement.requisite.is_empty() && requirement.preferred.is_empty();
        for name in self.names {
            let request = csi::CreateSnapshotRequest {
                source_volume_id: self.source_volume.clone(),
                name: name.clone(),
                secrets: session.secrets(),
                parameters: parameters.clone(),
                accessibility_requirements: (!anywhere).then(|| requirement.clone()),
            };
            let answer = session.call(request).await?;
            let snapshot = answer.snapshot.as_ref();
            let snapshot =
                snapshot.ok_or_else(|| session.incomplete::<csi::CreateSnapshotRequest>("there is no snapshot in it"))?;
            if !snapshot.ready_to_use {
                session.note(&format!("{name}: it is taken, and not ready to use yet; the same command asks again"));
            }
            output.show(&answer, &[("name", &name)], words::snapshots([snapshot]))?;
        }
        Ok(())
    }
}

/// DeleteSnapshot: one that is not there is deleted.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// The ids of the snapshots. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        for snapshot_id in self.ids {
            let request = csi::DeleteSnapshotRequest { snapshot_id: snapshot_id.clone(), secrets: session.secrets() };
            let answer = session.call(request).await?;
            output.show(&answer, &[("snapshot_id", &snapshot_id)], words::done(&["SNAPSHOT"], &snapshot_id))?;
        }
        Ok(())
    }
}

/// GetSnapshot: whether a snapshot is there, and ready.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The ids of the snapshots. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

impl Get {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        for snapshot_id in self.ids {
            let request = csi::GetSnapshotRequest { snapshot_id, secrets: session.secrets() };
            let answer = session.call(request).await?;
            let snapshot = answer.snapshot.as_ref();
            let snapshot = snapshot.ok_or_else(|| session.incomplete::<csi::GetSnapshotRequest>("there is no snapshot in it"))?;
            output.show(&answer, &[], words::snapshots([snapshot]))?;
        }
        Ok(())
    }
}
