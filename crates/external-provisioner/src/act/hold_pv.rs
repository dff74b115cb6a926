//! Puts our finalizer on a volume in use: from here on the object stays until the driver's volume is deleted.

use cluster::Meta;
use cluster::patch::add_finalizer;

use super::Act;
use crate::error::Error;
use crate::pv::FINALIZER;

impl Act {
    pub(super) async fn hold_pv(&self, meta: &Meta) -> Result<(), Error> {
        match add_finalizer(meta, FINALIZER) {
            Some(patch) => self.patch_pv(meta, "put our finalizer on PersistentVolume", patch).await,
            None => Ok(()),
        }
    }
}
