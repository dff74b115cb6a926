//! The identity service.

use csi::plugin_capability::service::Type as Service;
use csi::plugin_capability::volume_expansion::Type as Expansion;
use csi::plugin_capability::{self, Type};
use csi_proto::csi::v1 as csi;

use crate::driver::Driver;

impl Driver {
    pub(crate) fn plugin_info(&self) -> csi::GetPluginInfoResponse {
        csi::GetPluginInfoResponse {
            name: self.config.driver_name.clone(),
            vendor_version: env!("CARGO_PKG_VERSION").to_owned(),
            manifest: Default::default(),
        }
    }

    pub(crate) fn plugin_capabilities(&self) -> csi::GetPluginCapabilitiesResponse {
        let mut kinds = vec![Type::VolumeExpansion(plugin_capability::VolumeExpansion { r#type: Expansion::Online.into() })];
        let mut service = |kind: Service| kinds.push(Type::Service(plugin_capability::Service { r#type: kind.into() }));
        if self.config.controller {
            service(Service::ControllerService);
        }
        if self.config.topology_key.is_some() {
            service(Service::VolumeAccessibilityConstraints);
        }
        let capability = |kind| csi::PluginCapability { r#type: Some(kind) };
        csi::GetPluginCapabilitiesResponse { capabilities: kinds.into_iter().map(capability).collect() }
    }
}
