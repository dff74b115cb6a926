//! The words of Docker's API. Fields in the order in which documents show them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::bridge::Seen;
use crate::name::Name;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    pub(super) name: String,
    /// `null` from a client that has none.
    #[serde(default)]
    pub(super) opts: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ForMount {
    pub(super) name: String,
    #[serde(rename = "ID")]
    pub(super) id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Activated {
    pub(super) implements: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Capabilities {
    pub(super) capabilities: Place,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Place {
    pub(super) scope: &'static str,
}

#[derive(Serialize)]
pub(super) struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Failure {
    pub(super) err: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Mounted {
    pub(super) mountpoint: String,
}

/// A field without a value is left out: an empty time would spoil the whole reply for dockerd.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Volume {
    name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    mountpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    status: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    volume: Volume,
}

impl Got {
    pub(super) fn new(seen: Seen) -> Self {
        let mountpoint = seen.mountpoint.map(|path| path.display().to_string());
        Self { volume: Volume { name: seen.name, mountpoint, created_at: seen.created_at, status: seen.status } }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    volumes: Vec<Volume>,
}

impl Listed {
    /// Names, and where they are mounted: what a list is read for, and what REX-Ray's document shows.
    pub(super) fn new(all: Vec<Seen>) -> Self {
        let brief = |seen| Volume { created_at: None, status: Map::new(), ..Got::new(seen).volume };
        Self { volumes: all.into_iter().map(brief).collect() }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Forgot {
    pub(super) known: bool,
}

/// Who has what mounted, and how often.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MountsOf {
    volumes: BTreeMap<String, BTreeMap<String, u32>>,
}

impl MountsOf {
    pub(super) fn new(mounts: Vec<(Name, BTreeMap<String, u32>)>) -> Self {
        Self { volumes: mounts.into_iter().map(|(name, mounts)| (name.to_string(), mounts)).collect() }
    }
}
