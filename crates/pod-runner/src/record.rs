//! What a container leaves on the disk: `<pods>/<uid>/<container>/<attempt>/{log,started,exit.json}`.
//!
//! The files outlive this process, so a restart finds what ran meanwhile. `exit.json` is written by the container's own
//! supervisor, not by us.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exit {
    /// The process's code; 128 and the signal's number if one ended it.
    pub code: i32,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signal: Option<i32>,
    /// When.
    pub at: Timestamp,
    /// Why it could not even be started. Empty: it was.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub error: String,
}

/// The folder of one start of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub dir: PathBuf,
    /// Counted from 0; what Kubernetes calls the restart count.
    pub number: u32,
}

impl Attempt {
    /// The nth start of a container, whether there was one or not.
    pub fn of(pods: &Path, uid: &str, container: &str, number: u32) -> Self {
        Self { dir: pods.join(uid).join(container).join(number.to_string()), number }
    }

    /// The newest start of a container; `None` if there was none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn newest(pods: &Path, uid: &str, container: &str) -> io::Result<Option<Self>> {
        let folder = pods.join(uid).join(container);
        let numbers = names(&folder)?.into_iter().filter_map(|name| name.parse().ok());
        Ok(numbers.max().map(|number| Self::of(pods, uid, container, number)))
    }

    /// What it wrote, both streams as they came.
    pub fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// When its process began; `None` if it has not yet.
    pub(crate) fn started(&self) -> Option<Timestamp> {
        fs::read_to_string(self.dir.join("started")).ok()?.trim().parse().ok()
    }

    /// How it ended; `None` if that is not written.
    pub fn exit(&self) -> Option<Exit> {
        serde_json::from_slice(&fs::read(self.dir.join("exit.json")).ok()?).ok()
    }

    pub(crate) fn write_started(&self, at: Timestamp) -> io::Result<()> {
        replace(&self.dir.join("started"), format!("{at}\n").as_bytes())
    }

    pub(crate) fn write_exit(&self, exit: &Exit) -> io::Result<()> {
        replace(&self.dir.join("exit.json"), &serde_json::to_vec(exit)?)
    }
}

/// The names in a folder; none if there is no folder.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(entries) => Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()),
    }
}

/// Whole or not at all, whenever the power goes.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, path)
}
