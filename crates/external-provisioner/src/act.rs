//! A step of a plan into the world: dispatch only. One file per action; the only caller of each RPC is the file of its name.
//!
//! What has to be true before any of it runs, that this process leads, is asked by `cluster::drive`.

mod announce_populator;
mod begin;
mod create_volume;
mod cross_out;
mod delete_volume;
mod discard_volume;
mod hold_pv;
mod let_go_pv;
mod look_up;
mod release_pv;
mod reschedule;
mod save_pv;
mod tell;

use std::sync::Arc;
use std::time::Duration;

use cluster::{Caches, Events, Intents, Key, Leadership, Locks};
use csi_client::Driver;
use csi_types::{DriverName, Secret};
use kube::Client;
use rt::Ctx;
use tokio::sync::Semaphore;

use crate::ask::Ask;
use crate::error::Error;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::observe::ClaimKey;
use crate::plan::{claim, volume};
use crate::view::{ClaimView, VolumeView};

/// What acting needs.
pub(crate) struct Act {
    pub(crate) ctx: Ctx,
    pub(crate) client: Client,
    pub(crate) caches: Caches,
    pub(crate) driver: Arc<dyn Driver>,
    pub(crate) driver_name: DriverName,
    pub(crate) events: Events,
    pub(crate) memory: Arc<Memory>,
    pub(crate) leadership: Leadership,
    /// `None`: switched off.
    pub(crate) intents: Option<Intents>,
    pub(crate) metrics: Metrics,
    /// How many claims may have a call to the driver under way.
    pub(crate) calls: Semaphore,
    /// One call to the driver at a time for each volume handle: two PersistentVolumes can name one volume.
    pub(crate) handles: Locks,
    /// Which of this driver's provisioners: when it started, and a number.
    pub(crate) run: String,
    /// How long a request that cannot work is not sent again.
    pub(crate) slow: Duration,
}

impl Act {
    pub(crate) async fn claim(&self, key: &ClaimKey, view: &ClaimView, action: &claim::Action) -> Result<(), Error> {
        match action {
            claim::Action::LookUp => self.look_up(key, view).await,
            claim::Action::CreateVolume(ask) => self.create_volume(view, ask).await,
            claim::Action::DiscardVolume(created) => self.discard_volume(view, created).await,
            claim::Action::SavePv(created) => self.save_pv(view, created).await,
            claim::Action::CrossOut => {
                self.cross_out(view);
                Ok(())
            }
            claim::Action::Doubt(created) => {
                self.memory.doubt(view.recall.term, created);
                Ok(())
            }
            claim::Action::Reschedule { node, why } => self.reschedule(key, node, *why).await,
            claim::Action::AnnouncePopulator => {
                self.announce_populator(key);
                Ok(())
            }
        }
    }

    pub(crate) async fn volume(&self, key: &Key, view: &VolumeView, action: &volume::Action) -> Result<(), Error> {
        // The plan saw it; an object that has gone since needs nothing.
        let Some(cached) = self.caches.volumes.get(key.as_str()) else { return Ok(()) };
        match action {
            volume::Action::HoldPv => self.hold_pv(&cached.meta).await,
            volume::Action::LetGoPv => self.let_go_pv(&cached.meta).await,
            volume::Action::DeleteVolume => self.delete_volume(view, &cached.meta).await,
            volume::Action::ReleasePv => self.release_pv(&cached).await,
        }
    }

    /// Which run of which provisioner: goes into the attributes of every volume it makes. As upstream's.
    fn identity(&self) -> String {
        format!("{}-{}", self.run, self.driver_name)
    }

    /// The secret that the class names for making and deleting volumes, read for this one call.
    async fn provisioner_secret(&self, ask: &Ask) -> Result<Secret, Error> {
        let Some(secret) = &ask.secrets.provisioner else { return Ok(Secret::none()) };
        let read = cluster::live::secret(&self.client, secret).await;
        read.map_err(|source| Error::Secret { class: ask.class.clone(), source })
    }
}
