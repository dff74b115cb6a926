//! What the next life of ours has to know of a part: what runs, from which description, and as which driver.
//!
//! Written before a start and after it. A process whose start was never written down is found by its environment.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use csi_types::DriverName;
use host::process::Life;
use rt::Ctx;
use serde::{Deserialize, Serialize};

use crate::plugin::{PluginId, Service};

/// One part, as it was when something last changed. Nothing secret is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    format: u32,
    kind: String,
    name: String,
    /// Its place among the plugin's parts.
    pub(crate) part: usize,
    pub(crate) services: BTreeSet<Service>,
    pub(crate) socket: PathBuf,
    /// What it calls itself, once it has.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) driver: Option<DriverName>,
    pub(crate) run: Run,
}

/// What runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Run {
    /// Somebody else's.
    Theirs,
    /// Nothing.
    Nothing,
    /// A start was begun, and how it went is not known.
    Begun(Start),
    /// A process.
    Process(Start, Life),
    /// A container of this name.
    Container(Start, String),
}

/// From what it was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Start {
    /// A hash of everything that makes a difference.
    pub(crate) fingerprint: String,
    /// Whether Docker runs it.
    pub(crate) container: bool,
}

/// Others are left alone.
const FORMAT: u32 = 1;

impl Record {
    pub(crate) fn new(id: &PluginId, part: usize, services: BTreeSet<Service>, socket: PathBuf, run: Run) -> Self {
        Self { format: FORMAT, kind: id.kind().to_owned(), name: id.name().to_owned(), part, services, socket, driver: None, run }
    }

    /// Whose. `None`: it is no record of ours.
    pub(crate) fn id(&self) -> Option<PluginId> {
        PluginId::new(&self.kind, &self.name).ok().filter(|_| self.format == FORMAT && !self.services.is_empty())
    }

    pub(crate) async fn write(&self, ctx: &Ctx, file: &Path) -> io::Result<()> {
        ctx.disk().replace(file, serde_json::to_vec(self)?).await
    }
}

/// Every record in this folder, with its file; what cannot be read is told and left alone.
pub(crate) async fn load(ctx: &Ctx, dir: &Path) -> io::Result<Vec<(PathBuf, Record)>> {
    let mut records = Vec::new();
    for name in ctx.disk().list(dir).await? {
        let file = dir.join(name);
        if file.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let bytes = ctx.disk().read(&file).await?;
        match serde_json::from_slice::<Record>(&bytes) {
            Ok(record) if record.id().is_some() => records.push((file, record)),
            read => {
                let reason = read.err().map_or_else(|| "it is of another format".to_owned(), |error| error.to_string());
                tracing::warn!(
                    file = %file.display(),
                    "cannot tell which plugin an earlier start left running: {reason}. If it still runs, end it by hand, and remove this file"
                );
            }
        }
    }
    Ok(records)
}
