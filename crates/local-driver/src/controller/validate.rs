//! ValidateVolumeCapabilities.

use csi_proto::csi::v1 as csi;

use crate::capability;
use crate::driver::{Driver, required};
use crate::error::{Error, Result};
use crate::parameters::Parameters;

impl Driver {
    pub(crate) fn validate(
        &self,
        request: csi::ValidateVolumeCapabilitiesRequest,
    ) -> Result<csi::ValidateVolumeCapabilitiesResponse> {
        let id = required("volume_id", &request.volume_id)?;
        if request.volume_capabilities.is_empty() {
            return Err(Error::Invalid("volume_capabilities is empty; name at least one".to_owned()));
        }
        let (_, volume) = self.store.volume(id)?;
        let judged = capability::all(&request.volume_capabilities, self.config.multi_node).and_then(|(wanted, filesystem)| {
            wanted.iter().try_for_each(|wanted| wanted.fits(volume.kind))?;
            match (volume.filesystem, filesystem) {
                (Some(has), Some(asked)) if has != asked => {
                    return Err(Error::Invalid(format!("the volume's filesystem is {}, not {}", has.name(), asked.name())));
                }
                _ => {}
            }
            let given = Parameters::of(&request.parameters)?.given;
            if !given.is_empty() && given != volume.parameters {
                return Err(Error::Invalid(format!(
                    "the volume was made with parameters {:?}, not {given:?}",
                    volume.parameters
                )));
            }
            Ok(())
        });
        Ok(match judged {
            Ok(()) => csi::ValidateVolumeCapabilitiesResponse {
                confirmed: Some(csi::validate_volume_capabilities_response::Confirmed {
                    volume_context: request.volume_context,
                    volume_capabilities: request.volume_capabilities,
                    parameters: request.parameters,
                    mutable_parameters: Default::default(),
                }),
                message: String::new(),
            },
            Err(why) => csi::ValidateVolumeCapabilitiesResponse { confirmed: None, message: why.to_string() },
        })
    }
}
