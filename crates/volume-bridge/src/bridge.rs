//! Docker's operations on volumes: each waits for its turn with the volume, and drives it to a goal.
//!
//! ```text
//!  Create, Mount, Remove ─> drive.rs: record, mount table ─> plan.rs ─> act.rs ─> driver
//!  Get, List, Path ──────> records first, the driver's listing second
//! ```
//!
//! *Guarantees*: a volume's record is on disk before the call that it is about; a mount id's count is on disk before its Mount is
//! answered, and is gone from it before anything is taken down. Operations are futures that must be run to their end, whatever
//! became of who asked: `docker.rs` spawns them.

mod get;
mod mount;
pub(crate) mod over_csi;
mod remove;
mod tidy;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use csi_client::IdentityError;
use journal::Journal;
use rt::{Ctx, Shutdown};

use crate::error::Error;
use crate::host::Host;
use crate::name::Name;
use crate::options;
use crate::plan::{Facts, Goal};
use crate::plugin::{self, Plugin};
use crate::record::{Origin, Record, Volume};
use crate::state::{Busy, State};

pub use get::Seen;

/// A listing that takes longer is done without: dockerd waits a minute for all of `docker volume ls`.
const LISTING: Duration = Duration::from_secs(10);

/// Whether volumes are Docker's on this host only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// By what the driver says: local if its volumes are in places, global if they can be reached from everywhere.
    Auto,
    /// Each host has its own.
    Local,
    /// One volume is the same on all hosts.
    Global,
}

/// What a bridge is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Records, and the folders that volumes are mounted in.
    pub state_dir: PathBuf,
    /// Relative `secretsFile`s are in there.
    pub secrets_dir: PathBuf,
    /// See [`Scope`].
    pub scope: Scope,
    /// Where the driver is, for messages.
    pub address: String,
    /// Whether CreateVolume and so on may be called.
    pub controller: bool,
    /// Whether NodePublishVolume and so on may be called.
    pub node: bool,
    /// Given to CreateVolume unless the options say otherwise: what the built-in drivers' names mean.
    pub parameters: Vec<(String, String)>,
}

/// Docker's volumes on one driver. Clones share everything.
#[derive(Clone)]
pub struct Bridge {
    pub(crate) ctx: Ctx,
    pub(crate) settings: Arc<Settings>,
    pub(crate) plugin: Arc<dyn Plugin>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) journal: Journal<Name, Record>,
    pub(crate) state: Arc<State>,
    pub(crate) boot: Arc<str>,
    pub(crate) shutdown: Shutdown,
}

impl Bridge {
    /// Reads the journal. What was mounted before a reboot is not any more; all else stands until the mount table says otherwise.
    ///
    /// # Errors
    /// The journal's folder cannot be made or read.
    pub async fn open(
        ctx: &Ctx,
        settings: Settings,
        plugin: Arc<dyn Plugin>,
        host: Arc<dyn Host>,
        shutdown: &Shutdown,
    ) -> io::Result<Self> {
        let journal = Journal::open(ctx.clone(), settings.state_dir.join("volumes")).await?;
        let loaded = journal.load().await?;
        let bridge = Self {
            ctx: ctx.clone(),
            plugin,
            boot: host.boot()?.into(),
            host,
            journal,
            state: Arc::default(),
            settings: Arc::new(settings),
            shutdown: shutdown.clone(),
        };
        for aside in loaded.set_aside {
            let file = aside.file.display();
            tracing::error!(%file, "a volume's record cannot be read: {}. It is set aside; nothing is done with that volume", aside.problem);
            if let Some(journal::Identity::Key(name)) = aside.identity {
                bridge.state.inner().lost.insert(name, aside.file);
            }
        }
        tracing::info!(volumes = loaded.records.len(), folder = %bridge.settings.state_dir.display(), "read the journal");
        bridge.state.inner().records = loaded.records;
        bridge.tell_of_strays();
        Ok(bridge)
    }

    /// Mounts in our folders that no record explains: nobody will take them down.
    fn tell_of_strays(&self) {
        let Ok(table) = self.host.mounts() else { return };
        let explained: Vec<PathBuf> = self.state.inner().records.keys().map(|name| self.folder(name)).collect();
        for mount in table.0.iter().filter(|mount| mount.target.starts_with(self.settings.state_dir.join("mounts"))) {
            if !explained.iter().any(|folder| mount.target.starts_with(folder)) {
                let path = mount.target.display();
                tracing::warn!(%path, "is mounted, and no record says why; unmount it if no container uses it");
            }
        }
    }

    /// The folder of a volume's mounts.
    pub(crate) fn folder(&self, name: &Name) -> PathBuf {
        self.settings.state_dir.join("mounts").join(journal::file_name(name))
    }

    /// Where Docker finds the volume.
    pub fn target(&self, name: &Name) -> PathBuf {
        self.folder(name).join("target")
    }

    pub(crate) fn staging(&self, name: &Name) -> PathBuf {
        self.folder(name).join("staging")
    }

    /// Work that the process's end waits for.
    ///
    /// # Errors
    /// The end has begun.
    pub(crate) fn begin(&self) -> Result<Busy, Error> {
        let busy = self.state.busy();
        if self.shutdown.is_requested() { Err(Error::Stopping) } else { Ok(busy) }
    }

    /// Waits until nothing is under way. Cancel safe.
    pub async fn rested(&self) {
        self.state.rested().await;
    }

    /// What the driver can. Asked once, and again after it was lost.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn facts(&self) -> Result<Facts, Error> {
        if let Some(known) = self.state.inner().facts.clone() {
            return Ok(known);
        }
        let facts = plugin::facts(self.plugin.driver()).await;
        let facts = facts.map_err(|source: IdentityError| Error::Facts { address: self.settings.address.clone(), source })?;
        self.state.inner().facts = Some(facts.clone());
        Ok(facts)
    }

    /// Creates a volume, or finds that it is there as it is asked for.
    ///
    /// # Errors
    /// Options, the driver, the journal. What the driver may still be doing is settled in the background.
    pub async fn create(&self, name: &str, options: &std::collections::BTreeMap<String, String>) -> Result<(), Error> {
        let _busy = self.begin()?;
        let name = Name::new_volume(name)?;
        let asked = options::read(options, &self.settings.secrets_dir);
        let mut asked = asked.map_err(|source| Error::Option { name: name.clone(), source })?;
        if asked.given.is_none() {
            for (key, value) in &self.settings.parameters {
                asked.parameters.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        let _turn = self.state.turn(&name).await;
        self.not_lost(&name)?;
        if let Some(known) = self.state.record(&name) {
            match &known.volume {
                Some(_) if known.asked == asked && !known.deleting => return Ok(()),
                Some(_) if known.deleting => return Err(Error::Deleting(name)),
                Some(_) => return Err(Error::Differs(name)),
                // Its asker over CSI is not answered yet, and asks again there.
                None if known.origin == Origin::Csi => return Err(Error::Unsettled(name)),
                None if known.asked != asked => return Err(Error::Unsettled(name)),
                None => {}
            }
        } else {
            let facts = self.facts().await?;
            let origin = if asked.given.is_some() { Origin::Given } else { Origin::Docker };
            if !self.settings.controller && origin == Origin::Docker {
                return Err(Error::Mode("controller"));
            }
            if !facts.creates && origin == Origin::Docker {
                return Err(Error::CannotCreate { driver: facts.driver.to_string(), name });
            }
            let mut record = Record::new(facts.driver, origin, asked, self.ctx.timestamp().to_string());
            if let Some(handle) = record.asked.given.clone() {
                let context = record.asked.parameters.clone();
                record.volume = Some(Volume { handle, capacity: csi_types::Bytes(0), context });
            }
            // What cannot be asked for yet leaves no record of having been.
            self.secrets(&name, &record).await?;
            self.save(&name, &record).await?;
        }
        let created = self.drive(&name, Goal::Created).await;
        if created.is_err() {
            self.state.untidy.notify_one();
        }
        created
    }

    /// Nothing is done with a volume whose record cannot be read.
    pub(crate) fn not_lost(&self, name: &Name) -> Result<(), Error> {
        match self.state.inner().lost.get(name) {
            Some(file) => Err(Error::Lost { name: name.clone(), file: file.display().to_string() }),
            None => Ok(()),
        }
    }

    /// Writes a record down, and then knows it.
    pub(crate) async fn save(&self, name: &Name, record: &Record) -> Result<(), Error> {
        self.journal.save(name, record).await.map_err(|source| self.unwritten(name, source))?;
        self.state.inner().records.insert(name.clone(), record.clone());
        Ok(())
    }

    /// Crosses a record out.
    pub(crate) async fn forget(&self, name: &Name) -> Result<(), Error> {
        self.journal.remove(name).await.map_err(|source| self.unwritten(name, source))?;
        self.state.inner().records.remove(name);
        Ok(())
    }

    fn unwritten(&self, name: &Name, source: io::Error) -> Error {
        Error::Journal { name: name.clone(), file: self.journal.file(name).display().to_string(), source }
    }

    /// Whether something is mounted exactly there.
    pub(crate) async fn is_mounted(&self, name: &Name, path: &Path) -> Result<bool, Error> {
        let host = self.host.clone();
        let table = self.ctx.blocking(move || host.mounts()).await;
        let table =
            table.map_err(|source| Error::Disk { name: name.clone(), what: "read the mount table".to_owned(), source })?;
        Ok(table.is_mount_point(path))
    }
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod tests;
