//! What was done, or may have been done, to volumes on this node: one file per volume, written before the call it is about.
//!
//! A record goes away only after the driver confirmed the last unpublish and the unstage. So whatever a crash interrupts,
//! the next start knows every volume that may be mounted here. The record holds the publishes too: one file is one atomic
//! replacement, and there is never a publish without its volume.
//! Upstream keeps this in memory and rebuilds half of it from pod folders, and so forgets volumes that were staged but not
//! yet published (kubernetes#101791).

mod codec;
mod file_name;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use csi_types::{DriverName, VolumeHandle, VolumeMode};
use rt::Ctx;
use rt::rules::{self, Rule};
use serde::{Deserialize, Serialize};

use crate::paths::VolumeKey;
pub use codec::{Corrupt, decode, encode};
pub use file_name::{Identity, file_name, identity};

/// How far the driver got with a volume's staging, as far as we can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Stage {
    /// No call was made.
    #[default]
    No,
    /// A call was begun and its outcome is not known, or is known no longer. Must be unstaged, or staged again.
    Maybe,
    /// The driver said that it is staged.
    Yes,
    /// The driver has no staging: there is nothing to undo.
    NotNeeded,
}

/// Which pod's which path. A pod may use one volume through two PersistentVolumes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The pod.
    pub pod_uid: String,
    /// The PersistentVolume's name, or the pod's name for an inline volume: the directory.
    pub spec_name: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.pod_uid, self.spec_name)
    }
}

/// One publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// For whom and under which name.
    pub place: Place,
    /// `target_path`, as the driver was told.
    pub target: PathBuf,
    /// Whether the driver said that it is published. Otherwise a call was begun, and its outcome is not known.
    pub done: bool,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose volume.
    pub driver: DriverName,
    /// Which volume.
    pub handle: VolumeHandle,
    /// Filesystem or device: the paths differ.
    pub mode: VolumeMode,
    /// An inline volume: never attached, never staged.
    pub inline: bool,
    /// Whether its driver attaches: then it is reported in use as long as this record exists.
    pub attachable: bool,
    /// The name it was staged under. Block volumes have it in their paths.
    pub spec_name: String,
    /// How far staging got.
    pub stage: Stage,
    /// `staging_target_path`, as the driver was told. Empty before the first stage.
    pub staging_path: PathBuf,
    /// Ordered by place.
    pub publishes: Vec<Publish>,
}

impl Record {
    /// The publish at this place.
    pub fn publish(&self, place: &Place) -> Option<&Publish> {
        self.publishes.iter().find(|publish| publish.place == *place)
    }

    /// Adds or replaces the publish at its place.
    pub fn set_publish(&mut self, publish: Publish) {
        match self.publishes.iter_mut().find(|known| known.place == publish.place) {
            Some(known) => *known = publish,
            None => {
                self.publishes.push(publish);
                self.publishes.sort_by(|a, b| a.place.cmp(&b.place));
            }
        }
    }

    /// Takes the publish at this place out.
    pub fn remove_publish(&mut self, place: &Place) {
        self.publishes.retain(|publish| publish.place != *place);
    }

    /// What a new life may take from this record: that things may be so. Calls are repeated, which drivers must allow.
    pub fn doubted(mut self) -> Self {
        if !rules::on(Rule::DoubtAfterRestart) {
            return self;
        }
        if self.stage == Stage::Yes {
            self.stage = Stage::Maybe;
        }
        for publish in &mut self.publishes {
            publish.done = false;
        }
        self
    }
}

/// What a start found in the folder.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Everything that could be read.
    pub records: BTreeMap<VolumeKey, Record>,
    /// What could not, and was set aside.
    pub set_aside: Vec<SetAside>,
}

/// A record that could not be read. Its file stays for people to look at.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// Where it is now.
    pub file: PathBuf,
    /// Whose record it was, by the file's name.
    pub identity: Option<Identity>,
    /// What is wrong with it.
    pub problem: Corrupt,
}

impl SetAside {
    /// Whether it may have been about this volume.
    pub fn is_of(&self, key: &VolumeKey) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.is(key))
    }
}

/// The folder of records.
#[derive(Clone)]
pub struct Journal {
    ctx: Ctx,
    folder: PathBuf,
}

/// Marks files that could not be read.
const UNREADABLE: &str = ".unreadable-";
/// The same, once it does not matter any more.
const SETTLED: &str = ".settled-";
const RECORD: &str = ".json";

impl Journal {
    /// Makes the folder if it is not there.
    pub async fn open(ctx: Ctx, folder: PathBuf) -> io::Result<Self> {
        ctx.disk().make_dir(&folder).await?;
        Ok(Self { ctx, folder })
    }

    /// Reads everything, and renames what cannot be read to `<name>.unreadable-<n>`. Such files are reported at every start,
    /// until [`Journal::settle`] or a person takes them away.
    pub async fn load(&self) -> io::Result<Loaded> {
        let mut loaded = Loaded::default();
        let names = self.ctx.disk().list(&self.folder).await?;
        for name in &names {
            let Some(name) = Path::new(name).file_name().and_then(|name| name.to_str()) else { continue };
            if let Some((stem, _)) = name.split_once(UNREADABLE) {
                let file = self.folder.join(name);
                loaded.set_aside.push(SetAside { file, identity: identity(stem), problem: Corrupt::SetAsideBefore });
            }
            let Some(stem) = name.strip_suffix(RECORD) else { continue };
            let file = self.folder.join(name);
            let problem = match decode(&self.ctx.disk().read(&file).await?) {
                Ok((key, record)) if file_name(&key) == stem => {
                    loaded.records.insert(key, record);
                    continue;
                }
                Ok((key, _)) => Corrupt::Misplaced { key: key.to_string() },
                Err(problem) => problem,
            };
            loaded.set_aside.push(self.set_aside(&file, stem, problem, &names).await?);
        }
        Ok(loaded)
    }

    /// What an unreadable record was about has been found otherwise: its file stays, and is not spoken of again.
    pub async fn settle(&self, aside: &SetAside) -> io::Result<()> {
        let name = aside.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let settled = self.folder.join(name.replacen(UNREADABLE, SETTLED, 1));
        self.ctx.disk().rename(&aside.file, &settled).await
    }

    /// Writes a record durably. When this returns, a crash cannot take it back.
    pub async fn save(&self, key: &VolumeKey, record: &Record) -> io::Result<()> {
        self.ctx.disk().replace(&self.file(key), encode(key, record)).await
    }

    /// Crosses a record out.
    pub async fn remove(&self, key: &VolumeKey) -> io::Result<()> {
        self.ctx.disk().remove(&self.file(key)).await
    }

    fn file(&self, key: &VolumeKey) -> PathBuf {
        self.folder.join(format!("{}{RECORD}", file_name(key)))
    }

    async fn set_aside(&self, file: &Path, stem: &str, problem: Corrupt, taken: &[PathBuf]) -> io::Result<SetAside> {
        let free = (1..).map(|n| format!("{stem}{UNREADABLE}{n}")).find(|name| !taken.iter().any(|t| t.ends_with(name)));
        let aside = self.folder.join(free.unwrap_or_default());
        self.ctx.disk().rename(file, &aside).await?;
        Ok(SetAside { file: aside, identity: identity(stem), problem })
    }
}

#[cfg(test)]
mod tests;
