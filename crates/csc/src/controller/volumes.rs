//! One volume after the other: made, shown, checked, grown, changed, removed.

use clap::Args;
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::cli::args::{Caps, Params, Range, VolumeContext, map, topologies};
use crate::failure::Failure;
use crate::flat;
use crate::output::Shown;
use crate::quote::quote;
use crate::words;

/// CreateVolume: the same name is the same volume.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What the volumes are asked for by. One call for each.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    range: Range,
    #[command(flatten)]
    params: Params,
    /// Parameters of a VolumeAttributesClass. Repeatable.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    mutable_params: Vec<String>,
    #[command(flatten)]
    caps: Caps,
    /// The id of a volume to make a clone of.
    #[arg(long, value_name = "ID", conflicts_with = "source_snapshot")]
    source_volume: Option<String>,
    /// The id of a snapshot whose content the volume gets.
    #[arg(long, value_name = "ID")]
    source_snapshot: Option<String>,
    /// A place that the volume must be reachable from, one of them if there are several. Repeatable.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    topology_requisite: Vec<String>,
    /// A place to prefer, the first one most. Repeatable.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    topology_preferred: Vec<String>,
}

impl Create {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        use csi::volume_content_source::{SnapshotSource, Type, VolumeSource};
        let Context { session, output, .. } = context;
        let source = match (self.source_volume, self.source_snapshot) {
            (Some(volume_id), _) => Some(Type::Volume(VolumeSource { volume_id })),
            (None, Some(snapshot_id)) => Some(Type::Snapshot(SnapshotSource { snapshot_id })),
            (None, None) => None,
        };
        let requirement = csi::TopologyRequirement {
            requisite: topologies("--topology-requisite", &self.topology_requisite)?,
            preferred: topologies("--topology-preferred", &self.topology_preferred)?,
        };
        let anywhere = requirement.requisite.is_empty() && requirement.preferred.is_empty();
        let request = csi::CreateVolumeRequest {
            name: String::new(),
            capacity_range: self.range.range(),
            volume_capabilities: self.caps.all()?,
            parameters: self.params.map()?,
            secrets: session.secrets(),
            volume_content_source: source.map(|source| csi::VolumeContentSource { r#type: Some(source) }),
            accessibility_requirements: (!anywhere).then_some(requirement),
            mutable_parameters: map("--mutable-params", &self.mutable_params)?,
        };
        for name in self.names {
            let answer = session.call(csi::CreateVolumeRequest { name: name.clone(), ..request.clone() }).await?;
            let volume = answer.volume.as_ref();
            let volume = volume.ok_or_else(|| session.incomplete::<csi::CreateVolumeRequest>("there is no volume in it"))?;
            output.show(&answer, &[("name", &name)], words::volumes([volume]))?;
        }
        Ok(())
    }
}

/// DeleteVolume: one that is not there is deleted.
#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

impl Delete {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        for given in self.ids {
            let volume_id = flat::id(context, given).await?;
            let Context { session, output, .. } = context;
            let request = csi::DeleteVolumeRequest { volume_id: volume_id.clone(), secrets: session.secrets() };
            let answer = session.call(request).await?;
            output.show(&answer, &[("volume_id", &volume_id)], words::done(&["VOLUME"], &volume_id))?;
        }
        Ok(())
    }
}

/// ControllerGetVolume: a volume and the nodes it is published on.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
}

impl Get {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        for volume_id in self.ids {
            let answer = session.call(csi::ControllerGetVolumeRequest { volume_id }).await?;
            let volume = answer.volume.as_ref();
            let volume =
                volume.ok_or_else(|| session.incomplete::<csi::ControllerGetVolumeRequest>("there is no volume in it"))?;
            let nodes = answer.status.as_ref().map(|status| status.published_node_ids.join(",")).unwrap_or_default();
            let mut shown = words::volumes([volume]);
            shown.columns = &["VOLUME", "BYTES", "CONTEXT", "NODES"];
            shown.rows.iter_mut().for_each(|row| row.push(nodes.clone()));
            output.show(&answer, &[], shown)?;
        }
        Ok(())
    }
}

/// ValidateVolumeCapabilities: whether a volume can be used so.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    caps: Caps,
    #[command(flatten)]
    params: Params,
    /// Parameters of a VolumeAttributesClass. Repeatable.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    mutable_params: Vec<String>,
    #[command(flatten)]
    context: VolumeContext,
}

impl Validate {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let request = csi::ValidateVolumeCapabilitiesRequest {
            volume_id: String::new(),
            volume_context: self.context.map()?,
            volume_capabilities: self.caps.all()?,
            parameters: self.params.map()?,
            secrets: context.session.secrets(),
            mutable_parameters: map("--mutable-params", &self.mutable_params)?,
        };
        for given in self.ids {
            let volume_id = flat::id(context, given).await?;
            let Context { session, output, .. } = context;
            let request = csi::ValidateVolumeCapabilitiesRequest { volume_id: volume_id.clone(), ..request.clone() };
            let answer = session.call(request).await?;
            let (confirmed, message) = (answer.confirmed.is_some(), answer.message.clone());
            let words = if message.is_empty() { String::new() } else { format!("\t{}", quote(&message)) };
            let shown = Shown {
                lines: format!("{}\t{confirmed}{words}\n", quote(&volume_id)),
                columns: &["VOLUME", "CONFIRMED", "MESSAGE"],
                rows: vec![vec![volume_id.clone(), confirmed.to_string(), message]],
                ..Shown::default()
            };
            output.show(&answer, &[("volume_id", &volume_id)], shown)?;
        }
        Ok(())
    }
}

/// ControllerExpandVolume: a volume becomes at least as large as asked.
#[derive(Debug, Args)]
pub(crate) struct Expand {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    range: Range,
    #[command(flatten)]
    caps: Caps,
}

impl Expand {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let volume_capability = self.caps.one()?;
        for volume_id in self.ids {
            let request = csi::ControllerExpandVolumeRequest {
                volume_id: volume_id.clone(),
                capacity_range: self.range.range(),
                secrets: session.secrets(),
                volume_capability: volume_capability.clone(),
            };
            let answer = session.call(request).await?;
            if answer.node_expansion_required {
                session.note(&format!("{volume_id}: its filesystem grows on the node: node expand-volume {volume_id} PATH"));
            }
            let shown = Shown {
                lines: format!("{}\n", answer.capacity_bytes),
                columns: &["VOLUME", "BYTES", "NODE EXPANSION"],
                rows: vec![vec![
                    volume_id.clone(),
                    answer.capacity_bytes.to_string(),
                    answer.node_expansion_required.to_string(),
                ]],
                ..Shown::default()
            };
            output.show(&answer, &[("volume_id", &volume_id)], shown)?;
        }
        Ok(())
    }
}

/// ControllerModifyVolume: other mutable parameters for a volume.
#[derive(Debug, Args)]
pub(crate) struct Modify {
    /// The ids of the volumes. One call for each.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// The parameters that change, as those of a VolumeAttributesClass. Repeatable.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    mutable_params: Vec<String>,
}

impl Modify {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let mutable_parameters = map("--mutable-params", &self.mutable_params)?;
        for volume_id in self.ids {
            let request = csi::ControllerModifyVolumeRequest {
                volume_id: volume_id.clone(),
                secrets: session.secrets(),
                mutable_parameters: mutable_parameters.clone(),
            };
            let answer = session.call(request).await?;
            output.show(&answer, &[("volume_id", &volume_id)], words::done(&["VOLUME"], &volume_id))?;
        }
        Ok(())
    }
}
