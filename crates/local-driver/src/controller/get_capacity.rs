//! GetCapacity: what the disk under the data directory can still promise.

use csi_proto::csi::v1 as csi;

use crate::capability;
use crate::driver::Driver;
use crate::error::Result;
use crate::parameters::Parameters;
use crate::size::UNIT;
use crate::store::record::{Filesystem, Kind};

impl Driver {
    pub(crate) fn get_capacity(&self, request: csi::GetCapacityRequest) -> Result<csi::GetCapacityResponse> {
        let parameters = Parameters::of(&request.parameters)?;
        let kind = parameters.kind.unwrap_or(Kind::Loop);
        let elsewhere = request.accessible_topology.as_ref().is_some_and(|place| !self.is_here(place));
        // No volume of this shape can exist here: that is a capacity of zero, not a failure.
        let (fits, filesystem) = match capability::all(&request.volume_capabilities, self.config.multi_node) {
            _ if request.volume_capabilities.is_empty() => (true, None),
            Ok((wanted, filesystem)) => (wanted.iter().all(|wanted| wanted.fits(kind).is_ok()), filesystem),
            Err(_) => (false, None),
        };
        let available = if elsewhere || !fits { 0 } else { self.store.available()? / UNIT * UNIT };
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let minimum = if kind == Kind::Loop { filesystem.map_or(UNIT, Filesystem::minimum) } else { UNIT };
        Ok(csi::GetCapacityResponse {
            available_capacity: bytes(available),
            maximum_volume_size: Some(bytes(available)),
            minimum_volume_size: Some(bytes(minimum)),
        })
    }
}
