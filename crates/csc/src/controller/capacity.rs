//! What there is room for, and what the service can do.

use clap::Args;
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::cli::args::{Caps, Params, topologies};
use crate::failure::Failure;
use crate::output::Shown;
use crate::words;

/// GetCapacity: how many bytes there is room for.
#[derive(Debug, Args)]
pub(crate) struct Capacity {
    #[command(flatten)]
    caps: Caps,
    #[command(flatten)]
    params: Params,
    /// Where: as a node's topology.
    #[arg(long, value_name = "KEY=VALUE[,KEY=VALUE]")]
    topology: Option<String>,
}

impl Capacity {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let request = csi::GetCapacityRequest {
            volume_capabilities: self.caps.all()?,
            parameters: self.params.map()?,
            accessible_topology: topologies("--topology", self.topology.as_slice())?.pop(),
        };
        let answer = session.call(request).await?;
        let size = |bytes: Option<i64>| bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
        let shown = Shown {
            lines: format!("{}\n", answer.available_capacity),
            columns: &["AVAILABLE", "LARGEST", "SMALLEST"],
            rows: vec![vec![
                answer.available_capacity.to_string(),
                size(answer.maximum_volume_size),
                size(answer.minimum_volume_size),
            ]],
            ..Shown::default()
        };
        output.show(&answer, &[], shown)
    }
}

/// ControllerGetCapabilities: which calls of this service the driver has.
#[derive(Debug, Args)]
pub(crate) struct Capabilities {}

impl Capabilities {
    pub(super) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        let answer = session.call(csi::ControllerGetCapabilitiesRequest {}).await?;
        output.show(&answer, &[], words::names(answer.capabilities.iter().filter_map(name)))
    }
}

/// The number of one that is newer than this program.
fn name(capability: &csi::ControllerServiceCapability) -> Option<String> {
    use csi::controller_service_capability::{Type, rpc};
    let Type::Rpc(rpc) = capability.r#type.as_ref()?;
    Some(rpc::Type::try_from(rpc.r#type).map_or_else(|_| rpc.r#type.to_string(), |kind| kind.as_str_name().to_owned()))
}
