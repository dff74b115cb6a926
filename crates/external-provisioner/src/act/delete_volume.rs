//! Has the driver delete a volume and all it holds.
//!
//! The one step that no retry undoes, so it does not trust the cache: the object is read once more, and the plan asked again. A
//! volume that an administrator has just set to Retain, or given to another claim, is left alone.

use cluster::kinds::Volume as Cached;
use cluster::live::SecretError;
use cluster::{Kind, Meta};
use csi_types::{DeleteVolumeRequest, Next, Secret, SecretRef, TemplateScope};
use kube::Api;
use rt::rules::{Rule, on};
use tracing::{info, warn};

use super::Act;
use crate::error::Error;
use crate::observe;
use crate::parameters::Parameters;
use crate::plan::volume::{Action, plan};
use crate::view::VolumeView;

impl Act {
    pub(super) async fn delete_volume(&self, view: &VolumeView, meta: &Meta) -> Result<(), Error> {
        let term = self.leadership.term();
        let Some(handle) = view.volume.as_ref().and_then(|volume| volume.handle.clone()) else { return Ok(()) };
        let _one_at_a_time = self.handles.lock(handle.as_str()).await;
        let failed = |source| Error::Api { attempt: "read PersistentVolume", object: meta.key.to_string(), source };
        let overtaken = || Error::Overtaken { attempt: "delete the volume of", object: meta.key.to_string() };
        let api: Api<<Cached as Kind>::Wire> = Api::all(self.client.clone());
        let live = api.get_opt(meta.key.name()).await.map_err(failed)?.and_then(Cached::compact);
        let Some(live) = live.filter(|live| live.meta.uid == meta.uid) else {
            self.caches.volumes.delete(meta);
            return Ok(());
        };
        let volume = observe::volume(&live);
        self.caches.volumes.put_answer(live.clone());
        let again = VolumeView { volume: Some(volume.clone()), ..view.clone() };
        let next = if on(Rule::LookBeforeDelete) { plan(&again) } else { plan(view) };
        if next != Next::Do(Action::DeleteVolume) || volume.handle.as_ref() != Some(&handle) {
            return Err(overtaken());
        }

        let started = self.ctx.now();
        let secrets = self.deletion_secret(&live).await?;
        let request = DeleteVolumeRequest { handle: handle.clone(), secrets };
        // What was waited for may have outlasted the lease: whoever leads now looks anew.
        if on(Rule::OnlyLeadersAct) && !self.leadership.leads(term) {
            return Err(overtaken());
        }
        self.driver.delete_volume(request).await.map_err(|source| Error::DeleteVolume { handle: handle.clone(), source })?;
        info!(pv = %meta.key, volume = %handle, "volume deleted");
        self.memory.deleted(&meta.uid, started);
        Ok(())
    }

    /// A secret that is gone does not keep the volume: the driver may manage without, and says so if not.
    async fn deletion_secret(&self, volume: &Cached) -> Result<Secret, Error> {
        let secret = self.deletion_secret_ref(volume).map_err(Error::DeletionSecret)?;
        let Some(secret) = secret else { return Ok(Secret::none()) };
        match cluster::live::secret(&self.client, &secret).await {
            Ok(secret) => Ok(secret),
            Err(SecretError::Read { source, .. }) => {
                Err(Error::Api { attempt: "read secret", object: secret.to_string(), source })
            }
            Err(error) => {
                warn!(pv = %volume.meta.key, "deleting without a secret: {error}");
                Ok(Secret::none())
            }
        }
    }

    /// By the volume's annotations; only volumes older than those, or made by hand, ask their class.
    fn deletion_secret_ref(&self, volume: &Cached) -> Result<Option<SecretRef>, String> {
        if let Some(secret) = &volume.deletion_secret {
            return Ok(Some(secret.clone()).filter(|secret| !secret.name.is_empty() && !secret.namespace.is_empty()));
        }
        let class = volume.class.as_deref().and_then(|class| self.caches.classes.get(class));
        let (Some(class), Some(claim)) = (class, &volume.claim) else { return Ok(None) };
        let wrong = |text: String| format!("StorageClass {}: {text}", class.meta.key);
        let parameters = Parameters::parse(&class.parameters).map_err(|error| wrong(error.to_string()))?;
        let scope = TemplateScope::volume(volume.meta.key.name(), &claim.namespace, &claim.name, &Default::default());
        let template = parameters.secrets.provisioner.map(|template| template.resolve(&scope)).transpose();
        template.map_err(|error| wrong(error.to_string()))
    }
}
