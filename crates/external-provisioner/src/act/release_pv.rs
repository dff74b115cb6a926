//! The driver's volume is gone: deletes the object, and takes our finalizer off what then waits to go.

use cluster::Kind;
use cluster::kinds::Volume;
use cluster::live::is_not_found;
use kube::Api;
use kube::api::{DeleteParams, Preconditions};
use tracing::info;

use super::Act;
use crate::error::Error;

impl Act {
    pub(super) async fn release_pv(&self, volume: &Volume) -> Result<(), Error> {
        let meta = &volume.meta;
        let failed = |source| Error::Api { attempt: "delete PersistentVolume", object: meta.key.to_string(), source };
        let api: Api<<Volume as Kind>::Wire> = Api::all(self.client.clone());
        let this_one = Preconditions { uid: Some(meta.uid.to_string()), resource_version: None };
        let params = DeleteParams { preconditions: Some(this_one), ..DeleteParams::default() };
        let left = match api.delete(meta.key.name(), &params).await {
            Ok(answer) => answer.left().and_then(Volume::compact),
            Err(error) if is_not_found(&error) => None,
            Err(error) => return Err(failed(error)),
        };
        let started = self.memory.deletion(&meta.uid);
        match left {
            Some(left) => self.let_go_pv(&left.meta).await?,
            None => self.caches.volumes.delete(meta),
        }
        info!(pv = %meta.key, "deleted");
        self.metrics.deleted(volume.class.as_deref().unwrap_or_default(), started.map(|started| self.ctx.now() - started));
        Ok(())
    }
}
