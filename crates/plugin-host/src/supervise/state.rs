//! What is asked for and what is known of it, behind one mutex that is never held across an await. No process and no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use csi_types::DriverName;
use tokio::sync::Notify;

use super::Change;
use super::record::Record;
use super::told::{AliasError, Served, Trouble};
use crate::plugin::{DEFAULT_NAME, How, Plugin, PluginId, Service, Targets};

/// Everything.
#[derive(Default)]
pub(super) struct State {
    plugins: BTreeMap<PluginId, Entry>,
    /// What listeners were told.
    told: BTreeMap<PluginId, Served>,
    /// Drivers that are no plugins of ours.
    pub(super) taken: BTreeSet<DriverName>,
    /// What nobody asks for may be ended.
    settled: bool,
    /// Everything has been asked for once that could be.
    asked: bool,
}

struct Entry {
    /// `None`: nobody has asked for it in this life.
    plugin: Option<Plugin>,
    wanted: bool,
    parts: BTreeMap<usize, Part>,
}

struct Part {
    services: BTreeSet<Service>,
    socket: PathBuf,
    /// Today's description lists it.
    listed: bool,
    /// What it called itself last.
    driver: Option<DriverName>,
    /// Where it has been ready in this life.
    met: Option<PathBuf>,
    trouble: String,
    wake: Arc<Notify>,
}

/// What a part's task works by.
#[derive(Clone)]
pub(super) struct Facts {
    pub(super) wanted: bool,
    pub(super) settled: bool,
    pub(super) driver: Option<DriverName>,
    pub(super) services: BTreeSet<Service>,
    pub(super) socket: PathBuf,
    /// `None`: it is not known how to start it.
    pub(super) how: Option<How>,
    pub(super) targets: Targets,
    pub(super) health_timeout: Duration,
    pub(super) wake: Arc<Notify>,
}

/// Of what nobody describes any more.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(60);

impl State {
    /// What an earlier life left.
    pub(super) fn found(&mut self, id: &PluginId, record: &Record) {
        let entry = self.plugins.entry(id.clone()).or_insert(Entry { plugin: None, wanted: false, parts: BTreeMap::new() });
        let (services, socket, driver) = (record.services.clone(), record.socket.clone(), record.driver.clone());
        let part = Part { services, socket, driver, listed: false, met: None, trouble: String::new(), wake: Arc::default() };
        entry.parts.insert(record.part, part);
    }

    /// Takes in what is asked for. Answers the parts that have no task yet, and whom to wake.
    pub(super) fn set(&mut self, plugin: &Plugin, socket: impl Fn(usize) -> PathBuf) -> (Vec<usize>, Vec<Arc<Notify>>) {
        let entry = self.plugins.entry(plugin.id.clone()).or_insert(Entry { plugin: None, wanted: true, parts: BTreeMap::new() });
        (entry.wanted, entry.plugin) = (true, Some(plugin.clone()));
        entry.parts.values_mut().for_each(|part| part.listed = false);
        let mut new = Vec::new();
        for (index, wanted) in plugin.parts.iter().enumerate() {
            let socket = match &wanted.how {
                How::Endpoint(socket) => socket.clone(),
                How::Process(_) | How::Docker(_) => socket(index),
            };
            let part = entry.parts.entry(index).or_insert_with(|| {
                new.push(index);
                Part {
                    services: BTreeSet::new(),
                    socket: PathBuf::new(),
                    listed: true,
                    driver: None,
                    met: None,
                    trouble: "it has not been asked yet".to_owned(),
                    wake: Arc::default(),
                }
            });
            (part.services, part.socket, part.listed) = (wanted.services.clone(), socket, true);
        }
        (new, entry.wakes())
    }

    pub(super) fn remove(&mut self, id: &PluginId) -> Vec<Arc<Notify>> {
        let Some(entry) = self.plugins.get_mut(id) else { return Vec::new() };
        entry.wanted = false;
        entry.wakes()
    }

    pub(super) fn settled(&mut self, all: bool) -> Vec<Arc<Notify>> {
        self.settled = all;
        self.asked = true;
        self.plugins.values().flat_map(Entry::wakes).collect()
    }

    pub(super) fn facts(&self, id: &PluginId, index: usize) -> Option<Facts> {
        let entry = self.plugins.get(id)?;
        let part = entry.parts.get(&index)?;
        let plugin = entry.plugin.as_ref();
        Some(Facts {
            wanted: entry.wanted && part.listed,
            // What was asked for in this life and no longer is, is known to be unwanted.
            settled: self.settled || plugin.is_some(),
            driver: part.driver.clone(),
            services: part.services.clone(),
            socket: part.socket.clone(),
            how: plugin.and_then(|plugin| plugin.parts.get(index)).map(|part| part.how.clone()),
            targets: plugin.map(|plugin| plugin.targets.clone()).unwrap_or_default(),
            health_timeout: plugin.map_or(HEALTH_TIMEOUT, |plugin| plugin.health_timeout),
            wake: part.wake.clone(),
        })
    }

    /// A part was ready, as this driver.
    pub(super) fn met(&mut self, id: &PluginId, index: usize, driver: &DriverName, socket: &Path) {
        if let Some(part) = self.plugins.get_mut(id).and_then(|entry| entry.parts.get_mut(&index)) {
            (part.driver, part.met) = (Some(driver.clone()), Some(socket.to_owned()));
            part.trouble.clear();
        }
    }

    /// What is wrong with a part, or what it waits for. Answers whether that is news.
    pub(super) fn trouble(&mut self, id: &PluginId, index: usize, trouble: &str) -> bool {
        let part = self.plugins.get_mut(id).and_then(|entry| entry.parts.get_mut(&index));
        part.is_some_and(|part| std::mem::replace(&mut part.trouble, trouble.to_owned()) != trouble)
    }

    /// A part has ended for good; not if somebody asks for it again. The plugin goes with its last part.
    pub(super) fn forget(&mut self, id: &PluginId, index: usize) -> bool {
        let Some(entry) = self.plugins.get_mut(id) else { return true };
        if entry.wanted && entry.parts.get(&index).is_some_and(|part| part.listed) {
            return false;
        }
        entry.parts.remove(&index);
        if entry.parts.is_empty() {
            self.plugins.remove(id);
        }
        true
    }

    pub(super) fn knows(&self, id: &PluginId) -> bool {
        self.plugins.contains_key(id)
    }

    pub(super) fn told(&self) -> Vec<Served> {
        self.told.values().cloned().collect()
    }

    /// What serves now, against what was told. Two plugins cannot be one driver: the first one by id serves.
    pub(super) fn changes(&mut self) -> Vec<Change> {
        let mut now: BTreeMap<PluginId, Served> = BTreeMap::new();
        for (id, entry) in &self.plugins {
            // Who serves already is not pushed out by who comes later.
            let held = |driver: &DriverName| {
                self.told.values().any(|told| told.id != *id && told.driver == *driver && self.plugins.contains_key(&told.id))
            };
            if let Ok(Some(served)) = entry.served(id)
                && !self.taken.contains(&served.driver)
                && !held(&served.driver)
                && !now.values().any(|other| other.driver == served.driver)
            {
                now.insert(id.clone(), served);
            }
        }
        let gone = self.told.keys().filter(|id| !now.contains_key(*id)).cloned().map(Change::Gone);
        let new = now.values().filter(|served| self.told.get(&served.id) != Some(served)).cloned().map(Change::Serves);
        let changes = gone.chain(new).collect();
        self.told = now;
        changes
    }

    pub(super) fn troubles(&self) -> Vec<Trouble> {
        let wanted = self.plugins.iter().filter(|(_, entry)| entry.wanted);
        wanted.filter_map(|(id, entry)| Some(Trouble { id: id.clone(), reason: self.reason(id, entry)? })).collect()
    }

    fn reason(&self, id: &PluginId, entry: &Entry) -> Option<String> {
        let parts = entry.parts.values().filter(|part| part.listed);
        let parts: Vec<&str> = parts.map(|part| part.trouble.as_str()).filter(|trouble| !trouble.is_empty()).collect();
        match entry.served(id) {
            _ if !parts.is_empty() => Some(parts.join("; ")),
            Err(reason) => Some(reason),
            Ok(Some(served)) if self.told.get(id) != Some(&served) => {
                let other = self.told.values().find(|told| told.driver == served.driver);
                let other = other.map_or_else(|| "another driver of this host".to_owned(), |told| format!("plugin {}", told.id));
                Some(format!(
                    "it calls itself {}, as {other} does, and a host has each driver once; give one of them another name, or take its file away",
                    served.driver
                ))
            }
            Ok(_) => None,
        }
    }

    pub(super) fn driver_of(&self, alias: &str) -> Result<DriverName, AliasError> {
        let meant: Vec<_> = self.plugins.iter().filter(|(id, _)| id.is_meant_by(alias)).collect();
        let unnamed = meant.iter().find(|(id, _)| id.name() == DEFAULT_NAME);
        let (id, entry) = match (meant.as_slice(), unnamed) {
            ([], _) => {
                return Err(AliasError::Unknown { alias: alias.to_owned(), known: self.plugins.keys().cloned().collect() });
            }
            ([one], _) | (_, Some(one)) => *one,
            (several, None) => {
                let known = several.iter().map(|(id, _)| (*id).clone()).collect();
                return Err(AliasError::Several { alias: alias.to_owned(), known });
            }
        };
        match self.told.get(id) {
            Some(served) => Ok(served.driver.clone()),
            None => {
                let reason = self.reason(id, entry).unwrap_or_else(|| "it has not answered yet".to_owned());
                Err(AliasError::NotReady { id: id.clone(), reason })
            }
        }
    }

    /// Whether a name that is not known yet will stay so.
    pub(super) fn is_settled(&self) -> bool {
        self.asked
    }

    /// How long a plugin may take that an alias means.
    pub(super) fn patience(&self, alias: &str) -> Duration {
        let meant = self.plugins.iter().filter(|(id, _)| id.is_meant_by(alias));
        meant.filter_map(|(_, entry)| Some(entry.plugin.as_ref()?.health_timeout)).max().unwrap_or_default()
    }
}

impl Entry {
    fn wakes(&self) -> Vec<Arc<Notify>> {
        self.parts.values().map(|part| part.wake.clone()).collect()
    }

    /// What of it can be called. `None`: nothing yet.
    fn served(&self, id: &PluginId) -> Result<Option<Served>, String> {
        let met = |part: &&Part| part.met.is_some();
        let mut names: Vec<&DriverName> = self.parts.values().filter(met).filter_map(|part| part.driver.as_ref()).collect();
        names.dedup();
        let driver = match names[..] {
            [] => return Ok(None),
            [driver] => driver.clone(),
            [one, other, ..] => {
                return Err(format!(
                    "its parts are different drivers, {one} and {other}; a plugin is one driver, so each needs a file of its own"
                ));
            }
        };
        let socket = |service: Service| {
            let part = self.parts.values().filter(met).find(|part| part.services.contains(&service))?;
            part.met.clone()
        };
        let targets = self.plugin.as_ref().map(|plugin| plugin.targets.clone()).unwrap_or_default();
        let (node, controller) = (socket(Service::Node), socket(Service::Controller));
        Ok(Some(Served { id: id.clone(), driver, node, controller, targets }))
    }
}

#[cfg(test)]
mod tests;
