//! Get, List, Path: what is told without changing anything. From our own records, since dockerd deletes its record of a volume
//! for which Get fails; the driver's listing adds what was not made here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use csi_types::CreatedVolume;
use serde_json::{Map, Value, json};

use super::{Bridge, LISTING, Scope};
use crate::error::Error;
use crate::name::Name;
use crate::record::{Asked, Done, Origin, Record, Volume};

/// A volume as Docker is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: Name,
    /// Where it is mounted, if it is.
    pub mountpoint: Option<PathBuf>,
    /// RFC 3339; `None` if nobody knows.
    pub created_at: Option<String>,
    /// For people: `docker volume inspect`.
    pub status: Map<String, Value>,
}

impl Bridge {
    /// Local or global, as Docker says it.
    ///
    /// # Errors
    /// The driver was to decide, and does not answer. Docker takes that for local, and asks again.
    pub async fn scope(&self) -> Result<Scope, Error> {
        match self.settings.scope {
            Scope::Auto if self.facts().await?.has_places => Ok(Scope::Local),
            Scope::Auto => Ok(Scope::Global),
            said => Ok(said),
        }
    }

    /// One volume.
    ///
    /// # Errors
    /// Nobody knows it, or the driver would have to say and does not answer.
    pub async fn get(&self, name: &str) -> Result<Seen, Error> {
        let name = Name::from(name);
        if let Some(file) = self.state.inner().lost.get(&name).cloned() {
            let problem = json!(format!("its record cannot be read: {}", file.display()));
            let status = Map::from_iter([("problem".to_owned(), problem)]);
            return Ok(Seen { name, mountpoint: None, created_at: None, status });
        }
        if let Some(record) = self.state.record(&name).filter(|record| record.volume.is_some()) {
            return Ok(self.seen(&name, &record));
        }
        let _busy = self.begin()?;
        // It may just be being created.
        let _turn = self.state.turn(&name).await;
        self.known(&name).await?;
        let record = self.state.record(&name).ok_or_else(|| Error::NoVolume(name.clone()))?;
        Ok(self.seen(&name, &record))
    }

    /// All volumes, by name. Without the driver's listing, if that fails.
    ///
    /// # Errors
    /// The process is stopping.
    pub async fn list(&self) -> Result<Vec<Seen>, Error> {
        let _busy = self.begin()?;
        let before: BTreeMap<Name, Record> = self.state.inner().records.clone();
        let listed = self.listing().await.unwrap_or_else(|error| {
            tracing::warn!("the driver's volumes cannot be listed, so only those that are known here are told: {error}");
            None
        });
        if let Some(listed) = &listed {
            self.drop_vanished(&before, listed).await;
        }
        let records = self.state.inner().records.clone();
        let known = records.iter().filter(|(_, record)| record.volume.is_some());
        let mut all: BTreeMap<Name, Seen> = known.map(|(name, record)| (name.clone(), self.seen(name, record))).collect();
        for (name, _) in named(listed.unwrap_or_default(), &records) {
            let seen = Seen { name: name.clone(), mountpoint: None, created_at: None, status: Map::new() };
            all.entry(name).or_insert(seen);
        }
        Ok(all.into_values().collect())
    }

    /// Where a volume is mounted; `None` if it is not.
    ///
    /// # Errors
    /// It is not known.
    pub async fn path(&self, name: &str) -> Result<Option<PathBuf>, Error> {
        Ok(self.get(name).await?.mountpoint)
    }

    /// Makes sure that there is a record of an existing volume. Needs the turn.
    ///
    /// # Errors
    /// Nobody knows it, or the driver would have to say and does not answer.
    pub(crate) async fn known(&self, name: &Name) -> Result<(), Error> {
        self.not_lost(name)?;
        match self.state.record(name) {
            Some(record) if record.volume.is_some() => return Ok(()),
            // Being created: Docker has not got it yet.
            Some(_) => return Err(Error::NoVolume(name.clone())),
            None => {}
        }
        let records = self.state.inner().records.clone();
        let listed = self.listing().await?.unwrap_or_default();
        let found = named(listed, &records).into_iter().find(|(found, _)| found == name);
        let (_, volume) = found.ok_or_else(|| Error::NoVolume(name.clone()))?;
        let facts = self.facts().await?;
        let mut record = Record::new(facts.driver, Origin::Found, Asked::default(), self.ctx.timestamp().to_string());
        record.volume = Some(Volume { handle: volume.handle, capacity: volume.capacity, context: volume.context });
        // From now on it is known, whatever becomes of the driver.
        self.save(name, &record).await
    }

    /// `None`: the driver has no listing.
    pub(crate) async fn listing(&self) -> Result<Option<Vec<CreatedVolume>>, Error> {
        let facts = self.facts().await?;
        if !facts.lists || !self.settings.controller {
            return Ok(None);
        }
        let failed = |source| Error::Call { name: Name::from("(all)"), source };
        match self.ctx.timeout(LISTING, self.plugin.volumes()).await {
            Ok(volumes) => volumes.map(Some).map_err(failed),
            Err(elapsed) => Err(failed(csi_client::CallError::expired(csi_types::Rpc::ListVolumes, elapsed))),
        }
    }

    /// Volumes that were not made by Docker, that nobody uses, and that the driver has no more.
    async fn drop_vanished(&self, before: &BTreeMap<Name, Record>, listed: &[CreatedVolume]) {
        let there: BTreeSet<&str> = listed.iter().map(|volume| volume.handle.as_str()).collect();
        for (name, record) in before {
            let foreign = matches!(record.origin, Origin::Csi | Origin::Found);
            let gone = record.volume.as_ref().is_some_and(|volume| !there.contains(volume.handle.as_str()));
            if !foreign || !gone || record.is_up() || !record.mounts.is_empty() {
                continue;
            }
            let Some(_turn) = self.state.try_turn(name) else { continue };
            if self.state.record(name).as_ref() == Some(record) {
                tracing::info!(volume = %name, "the driver has it no more, and it was not made by Docker: forgotten");
                if let Err(error) = self.forget(name).await {
                    tracing::warn!(volume = %name, "cannot be forgotten now: {error}");
                }
            }
        }
    }

    fn seen(&self, name: &Name, record: &Record) -> Seen {
        let mut status = Map::new();
        let mut tell = |key: &str, value: Value| {
            status.insert(key.to_owned(), value);
        };
        tell("driver", json!(record.driver));
        tell("origin", json!(record.origin));
        if let Some(volume) = &record.volume {
            tell("id", json!(volume.handle));
            if volume.capacity.0 > 0 {
                tell("size", json!(volume.capacity.to_string()));
            }
        }
        tell("accessMode", json!(record.asked.access_mode));
        if !record.asked.fs_type.is_empty() {
            tell("fsType", json!(record.asked.fs_type));
        }
        for (key, done) in [("attached", record.attached), ("staged", record.staged), ("published", record.published)] {
            if done != Done::No {
                tell(key, json!(done));
            }
        }
        if !record.mounts.is_empty() {
            tell("mounts", json!(record.mounts));
        }
        if record.deleting {
            tell("deleting", json!(true));
        }
        let mountpoint = (record.published == Done::Yes && *record.boot == *self.boot).then(|| self.target(name));
        Seen { name: name.clone(), mountpoint, created_at: Some(record.created_at.clone()), status }
    }
}

/// What the driver has and no record is about, by the name that its context says, or its id. A name that Docker could not say again
/// is left out, and so is the second of two.
fn named(listed: Vec<CreatedVolume>, records: &BTreeMap<Name, Record>) -> Vec<(Name, CreatedVolume)> {
    let known: BTreeSet<&str> = records.values().filter_map(|record| Some(record.volume.as_ref()?.handle.as_str())).collect();
    let mut taken: BTreeSet<Name> = records.keys().cloned().collect();
    let mut found = Vec::new();
    for volume in listed.into_iter().filter(|volume| !known.contains(volume.handle.as_str())) {
        let candidates = [volume.context.get("name").map(String::as_str), Some(volume.handle.as_str())];
        let name =
            candidates.into_iter().flatten().find_map(|text| Name::new_volume(text).ok().filter(|name| !taken.contains(name)));
        match name {
            Some(name) => {
                taken.insert(name.clone());
                found.push((name, volume));
            }
            None => tracing::debug!(id = %volume.handle, "has no name that Docker could say, or another's: left out"),
        }
    }
    found
}
