//! Posts the PersistentVolume that names what the driver made: one write, complete.
//!
//! Idempotent: a volume of that name is the one that was meant if it has our claim's uid and our handle. The cache is told what
//! the server answered, and the next plan judges what is there.

use cluster::Kind;
use cluster::kinds::Volume;
use cluster::live::already_exists;
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::api::PostParams;
use kube::core::Request;
use kube::{Api, Resource};
use tracing::info;

use super::Act;
use crate::error::Error;
use crate::observe::ClaimKey;
use crate::pv::persistent_volume;
use crate::view::{ClaimView, Created};

impl Act {
    pub(super) async fn save_pv(&self, view: &ClaimView, created: &Created) -> Result<(), Error> {
        self.still(view)?;
        let ask = &created.ask;
        let started = self.memory.started(&ask.claim_uid);
        let failed = |source| Error::SavePv { name: ask.name.clone(), source };
        let object = persistent_volume(created, &self.driver_name, &self.identity());
        let saved = match self.post(&object).await {
            Ok(saved) => saved,
            Err(error) if already_exists(&error) => {
                let api: Api<<Volume as Kind>::Wire> = Api::all(self.client.clone());
                // Gone again means that the next attempt to post it succeeds.
                match api.get_opt(ask.name.as_str()).await.map_err(failed)? {
                    Some(wire) => Volume::compact(wire),
                    None => return Err(failed(error)),
                }
            }
            Err(error) => return Err(failed(error)),
        };
        let Some(saved) = saved else { return Ok(()) };
        let meant = saved.claim.as_ref().is_some_and(|claim| *claim.uid == *ask.claim_uid)
            && saved.csi.as_ref().is_some_and(|csi| *csi.volume_handle == *created.volume.handle.as_str())
            && !saved.meta.deleting;
        self.caches.volumes.put_answer(saved);
        if !meant {
            // The next plan sees it in the cache, and says what is in the way.
            return Ok(());
        }
        self.cross_out(view);
        self.metrics.provisioned(&ask.class, started.map(|started| self.ctx.now() - started));
        info!(pvc = ask.claim_name, pv = %ask.name, volume = %created.volume.handle, "provisioned");
        if let Some(claim) = &view.claim {
            let object = cluster::Key::namespaced(&claim.namespace, &claim.name);
            let key = ClaimKey { object, uid: claim.uid.as_str().into() };
            let message = format!("Successfully provisioned volume {}", ask.name);
            self.tell_claim(&key, cluster::EventType::Normal, "ProvisioningSucceeded", message);
        }
        Ok(())
    }

    /// The answer is decoded as slim as a watch's, since nobody reads the rest.
    async fn post(&self, object: &PersistentVolume) -> Result<Option<Volume>, kube::Error> {
        let body = serde_json::to_vec(object).map_err(kube::Error::SerdeError)?;
        let request = Request::new(PersistentVolume::url_path(&(), None)).create(&PostParams::default(), body);
        let wire = self.client.request::<<Volume as Kind>::Wire>(request.map_err(kube::Error::BuildRequest)?).await?;
        Ok(Volume::compact(wire))
    }
}
