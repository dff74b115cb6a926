//! Says that a bound claim has lost its volume. Spec and annotations stay: the volume may come back.

use cluster::Key;
use cluster::kinds::Claim;
use cluster::patch::Change;

use super::super::plan::Lost;
use super::{Claims, no_volume, patch};
use crate::error::Error;
use crate::words;
use crate::writes::look;

/// A volume is looked for once more where it would be: that our cache has not heard of it is no loss.
pub(super) async fn act(on: &Claims, claim: &Claim, how: Lost) -> Result<(), Error> {
    let part = &on.part;
    if let (Lost::Volume | Lost::Misbound, Some(name)) = (how, &claim.volume) {
        let volume = look(&part.around.client, &part.caches.volumes, &Key::cluster(name)).await?;
        let still_lost = match (how, &volume) {
            (_, None) => true,
            (Lost::Misbound, Some(volume)) => volume.claim.as_ref().is_some_and(|of| of.uid != claim.meta.uid),
            (Lost::Reference | Lost::Volume, Some(_)) => false,
        };
        if !still_lost {
            return Err(Error::Behind { object: format!("PersistentVolume {name}") });
        }
    }
    patch(on, claim, "mark as lost PersistentVolumeClaim", Change::merge(no_volume("Lost")).status()).await?;
    let say = match how {
        Lost::Reference => words::lost_reference(),
        Lost::Volume => words::lost_volume(),
        Lost::Misbound => words::misbound(),
    };
    part.events.volumes.publish(say.about(words::claim(claim)));
    Ok(())
}
