//! Says in the claim's status that it is bound, and to what.

use cluster::kinds::{Claim, Volume};
use cluster::patch::Change;
use csi_types::Quantity;
use serde_json::json;

use super::{Claims, patch};
use crate::error::Error;
use crate::matching::capacity;

/// Capacity is written only with the phase: from then on it belongs to resizing.
pub(super) async fn act(on: &Claims, claim: &Claim, volume: &Volume) -> Result<(), Error> {
    let known = volume.access_modes.iter().map(|mode| mode.as_str());
    let modes: Vec<&str> = known.chain(volume.unknown_access_modes.iter().map(|mode| &**mode)).collect();
    let mut status = json!({"phase": "Bound", "accessModes": modes});
    if &*claim.phase != "Bound" {
        let parse = |text: &str| Quantity::parse(text).ok();
        let before_resize = volume.pre_resize_capacity.as_deref().filter(|text| parse(text).is_some());
        let has = claim.capacity.as_deref().and_then(parse);
        match before_resize {
            Some(size) => status["capacity"] = json!({"storage": size}),
            None if has.is_none() || has != capacity(volume) => status["capacity"] = json!({"storage": volume.capacity}),
            None => {}
        }
    }
    if &*claim.phase != "Bound" && &*claim.phase != "Lost" {
        status["currentVolumeAttributesClassName"] = json!(volume.attributes_class);
    }
    let change = Change::merge(json!({"status": status})).status();
    patch(on, claim, "mark as bound PersistentVolumeClaim", change).await
}
