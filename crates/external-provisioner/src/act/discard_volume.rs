//! Deletes what the driver made smaller than it was asked to. Repeated until the driver has confirmed: upstream gives up after
//! five tries and leaves the volume behind.

use csi_types::DeleteVolumeRequest;

use super::Act;
use crate::error::Error;
use crate::view::{ClaimView, Created};

impl Act {
    /// Ends in an error even when it succeeds: the claim still has no volume, and the user is told why.
    pub(super) async fn discard_volume(&self, view: &ClaimView, created: &Created) -> Result<(), Error> {
        let Created { ask, volume } = created;
        let secrets = self.provisioner_secret(ask).await?;
        let handle = volume.handle.clone();
        let _call = self.calls.acquire().await;
        let _one_at_a_time = self.handles.lock(handle.as_str()).await;
        self.still(view)?;
        let request = DeleteVolumeRequest { handle: handle.clone(), secrets };
        self.driver.delete_volume(request).await.map_err(|source| Error::DiscardVolume { handle, source })?;
        self.memory.discarded(view.recall.term, created);
        self.end(view.recall.term, &ask.claim_uid);
        Err(Error::TooSmall { name: ask.name.clone(), asked: ask.required, got: volume.capacity })
    }
}
