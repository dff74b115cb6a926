//! What is shown, as data: the same for people, JSON and YAML.

use serde::Serialize;

/// Everything. Ages are in whole seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Report {
    pub(crate) claims: Vec<Claim>,
    /// Volumes that no claim above has.
    pub(crate) volumes: Vec<Volume>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Claim {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Pending, Bound, Lost, or Terminating.
    pub(crate) state: String,
    pub(crate) requested: String,
    pub(crate) access_modes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<String>,
    pub(crate) age_seconds: i64,
    /// What it waits for, or what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) volume: Option<Volume>,
    /// Pods that use it.
    pub(crate) mounts: Vec<Mount>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Volume {
    pub(crate) name: String,
    /// Pending, Available, Bound, Released, Failed, or Terminating.
    pub(crate) state: String,
    pub(crate) capacity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) driver: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) handle: Option<String>,
    pub(crate) reclaim_policy: String,
    pub(crate) age_seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) node: String,
    /// Attaching, Attached, or Detaching.
    pub(crate) state: String,
    pub(crate) age_seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mount {
    pub(crate) pod: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) node: Option<String>,
    /// The pod's phase, or Terminating.
    pub(crate) state: String,
    /// `container:/path`, or `container:/dev/name` for a device.
    pub(crate) places: Vec<String>,
    pub(crate) age_seconds: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}
