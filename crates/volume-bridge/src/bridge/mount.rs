//! Mount and Unmount: counts per mount id, and what they mean for the volume.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Bridge;
use crate::error::Error;
use crate::name::Name;
use crate::plan::Goal;
use crate::record::Done;

impl Bridge {
    /// Mounts a volume once more for an id, and says where it is.
    ///
    /// # Errors
    /// The volume, the driver, the journal. A volume that nobody has mounted then is taken down in the background.
    pub async fn mount(&self, name: &str, id: &str) -> Result<PathBuf, Error> {
        let _busy = self.begin()?;
        if !self.settings.node {
            return Err(Error::Mode("node"));
        }
        let name = Name::from(name);
        let _turn = self.state.turn(&name).await;
        self.known(&name).await?;
        if let Err(error) = self.bring_up(&name).await {
            if self.state.record(&name).is_some_and(|record| record.mounts.is_empty()) {
                self.state.untidy.notify_one();
            }
            return Err(error);
        }
        let mut record = self.state.record(&name).ok_or_else(|| Error::NoVolume(name.clone()))?;
        record.count(id);
        self.save(&name, &record).await?;
        tracing::info!(volume = %name, id, ids = record.mounts.len(), "mounted");
        Ok(self.target(&name))
    }

    /// What is mounted stays usable for the next container while the driver is away.
    async fn bring_up(&self, name: &Name) -> Result<(), Error> {
        let mounted = self.is_mounted(name, &self.target(name)).await?;
        let record = self.state.record(name).filter(|record| !record.deleting);
        match record.map(|record| record.seen(&self.boot, mounted).published) {
            Some(Done::Yes) => Ok(()),
            _ => self.drive(name, Goal::Mounted).await,
        }
    }

    /// Takes one mount of an id back; with the last one of the last id, the volume is taken down. What is not known is no error:
    /// dockerd repeats itself, and forgets.
    ///
    /// # Errors
    /// The journal: nothing has changed then. The driver: the id is forgotten nevertheless, and taking down goes on in the background.
    pub async fn unmount(&self, name: &str, id: &str) -> Result<(), Error> {
        let _busy = self.begin()?;
        let name = Name::from(name);
        let _turn = self.state.turn(&name).await;
        self.discount(&name, id, false).await
    }

    /// For operators: forgets an id altogether, however often it has the volume mounted. Whether it was known.
    ///
    /// # Errors
    /// As [`Bridge::unmount`].
    pub async fn forget_mount(&self, name: &str, id: &str) -> Result<bool, Error> {
        let _busy = self.begin()?;
        let name = Name::from(name);
        let _turn = self.state.turn(&name).await;
        let known = self.state.record(&name).is_some_and(|record| record.mounts.contains_key(id));
        self.discount(&name, id, true).await?;
        Ok(known)
    }

    /// All mount ids of all volumes that have any, and how often each.
    pub fn mounts(&self) -> Vec<(Name, BTreeMap<String, u32>)> {
        let inner = self.state.inner();
        let used = inner.records.iter().filter(|(_, record)| !record.mounts.is_empty());
        used.map(|(name, record)| (name.clone(), record.mounts.clone())).collect()
    }

    async fn discount(&self, name: &Name, id: &str, all: bool) -> Result<(), Error> {
        let Some(mut record) = self.state.record(name) else {
            tracing::info!(volume = %name, id, "unmount of a volume that is not known");
            return Ok(());
        };
        if !record.discount(id) {
            tracing::info!(volume = %name, id, "unmount by an id that has not mounted it");
            return Ok(());
        }
        if all {
            record.mounts.remove(id);
        }
        // First: an unpublish that fails must not keep the id.
        self.save(name, &record).await?;
        if !record.mounts.is_empty() {
            return Ok(());
        }
        let down = self.drive(name, Goal::Unused).await;
        match &down {
            Ok(()) => tracing::info!(volume = %name, id, "unmounted by its last user"),
            Err(_) => self.state.untidy.notify_one(),
        }
        down
    }
}
