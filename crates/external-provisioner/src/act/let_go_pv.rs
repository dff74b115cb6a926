//! Takes our finalizer off a volume.

use cluster::kinds::Volume;
use cluster::live::is_not_found;
use cluster::patch::{json_patch, remove_finalizer};
use cluster::{Kind, Meta};
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::Value;

use super::Act;
use crate::error::Error;
use crate::pv::FINALIZER;

impl Act {
    pub(super) async fn let_go_pv(&self, meta: &Meta) -> Result<(), Error> {
        match remove_finalizer(meta, FINALIZER) {
            Some(patch) => self.patch_pv(meta, "take our finalizer off PersistentVolume", patch).await,
            None => Ok(()),
        }
    }

    /// Applies a patch that fails rather than undo what somebody else did. A volume that is gone has no finalizers.
    pub(super) async fn patch_pv(&self, meta: &Meta, attempt: &'static str, patch: Value) -> Result<(), Error> {
        let failed = |source| Error::Api { attempt, object: meta.key.to_string(), source };
        let api: Api<<Volume as Kind>::Wire> = Api::all(self.client.clone());
        let patch: Patch<()> = json_patch(patch).map_err(failed)?;
        match api.patch(meta.key.name(), &PatchParams::default(), &patch).await {
            Ok(wire) => self.take_in(wire),
            Err(error) if is_not_found(&error) => self.caches.volumes.delete(meta),
            Err(error) => return Err(failed(error)),
        }
        Ok(())
    }

    /// The server's answer, for the next look.
    pub(super) fn take_in(&self, wire: <Volume as Kind>::Wire) {
        if let Some(volume) = Volume::compact(wire) {
            self.caches.volumes.put_answer(volume);
        }
    }
}
