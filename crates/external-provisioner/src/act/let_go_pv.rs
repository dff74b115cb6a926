//! Takes our finalizer off a volume.

use cluster::Meta;
use cluster::live::is_not_found;
use cluster::patch::{Change, remove_finalizer, write};
use serde_json::Value;

use super::Act;
use crate::error::Error;
use crate::pv::FINALIZER;

impl Act {
    pub(super) async fn let_go_pv(&self, meta: &Meta) -> Result<(), Error> {
        match remove_finalizer(meta, FINALIZER) {
            Some(operations) => self.patch_pv(meta, "take our finalizer off PersistentVolume", operations).await,
            None => Ok(()),
        }
    }

    /// Makes a change that fails rather than undo what somebody else did. A volume that is gone has no finalizers.
    pub(super) async fn patch_pv(&self, meta: &Meta, attempt: &'static str, operations: Value) -> Result<(), Error> {
        match write(&self.client, &self.caches.volumes, meta, Change::operations(operations)).await {
            Ok(()) => Ok(()),
            Err(error) if is_not_found(&error) => {
                self.caches.volumes.delete(meta);
                Ok(())
            }
            Err(source) => Err(Error::Api { attempt, object: meta.key.to_string(), source }),
        }
    }
}
