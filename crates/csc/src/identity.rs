//! `identity`: who the driver is.

use clap::Subcommand;
use csi_proto::csi::v1 as csi;

use crate::Context;
use crate::failure::Failure;
use crate::output::Shown;
use crate::quote::quote;
use crate::words;

/// The Identity service.
#[derive(Debug, Subcommand)]
pub(crate) enum Identity {
    /// GetPluginInfo: the driver's name and version.
    #[command(visible_alias = "info", alias = "get-plugin-info")]
    PluginInfo,
    /// GetPluginCapabilities: which services and features the driver has.
    #[command(visible_alias = "caps", alias = "get-plugin-capabilities")]
    PluginCapabilities,
    /// Probe: whether the driver is ready. One that does not say is.
    Probe,
}

impl Identity {
    pub(crate) async fn run(self, context: &mut Context<'_>) -> Result<(), Failure> {
        let Context { session, output, .. } = context;
        match self {
            Self::PluginInfo => {
                let answer = session.call(csi::GetPluginInfoRequest {}).await?;
                let csi::GetPluginInfoResponse { name, vendor_version, manifest } = &answer;
                let shown = Shown {
                    lines: format!("{}\t{}{}\n", quote(name), quote(vendor_version), words::tabbed(manifest)),
                    columns: &["NAME", "VERSION", "MANIFEST"],
                    rows: vec![vec![name.clone(), vendor_version.clone(), words::cell(manifest)]],
                    ..Shown::default()
                };
                output.show(&answer, &[], shown)
            }
            Self::PluginCapabilities => {
                let answer = session.call(csi::GetPluginCapabilitiesRequest {}).await?;
                output.show(&answer, &[], words::names(answer.capabilities.iter().filter_map(plugin_capability)))
            }
            Self::Probe => {
                let answer = session.call(csi::ProbeRequest {}).await?;
                output.show(&answer, &[], words::one(&["READY"], answer.ready.unwrap_or(true)))
            }
        }
    }
}

/// Its name; the number of one that is newer than this program.
fn plugin_capability(capability: &csi::PluginCapability) -> Option<String> {
    use csi::plugin_capability::{Type, service, volume_expansion};
    Some(match capability.r#type.as_ref()? {
        Type::Service(service) => {
            let kind = service::Type::try_from(service.r#type);
            kind.map_or_else(|_| service.r#type.to_string(), |kind| kind.as_str_name().to_owned())
        }
        Type::VolumeExpansion(expansion) => {
            let kind = volume_expansion::Type::try_from(expansion.r#type);
            kind.map_or_else(|_| expansion.r#type.to_string(), |kind| kind.as_str_name().to_owned())
        }
    })
}
