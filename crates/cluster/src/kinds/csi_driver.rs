//! CSIDriver: how Kubernetes is to treat a driver's volumes. The API server fills in every default.

use k8s_openapi::api::storage::v1::CSIDriver;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::wire::{slim_meta, wire};
use crate::key::Meta;
use crate::store::Kind;

/// `spec.fsGroupPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[allow(missing_docs, reason = "the names are Kubernetes' own")]
pub enum FsGroupPolicy {
    #[default]
    ReadWriteOnceWithFSType,
    File,
    None,
}

/// One entry of `spec.tokenRequests`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct TokenRequest {
    #[serde(default)]
    pub audience: Box<str>,
    pub expiration_seconds: Option<i64>,
}

/// A CSIDriver as controllers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields are the object's own")]
pub struct CsiDriver {
    pub meta: Meta,
    pub attach_required: bool,
    pub pod_info_on_mount: bool,
    /// `volumeLifecycleModes` holds `Persistent`.
    pub persistent: bool,
    /// `volumeLifecycleModes` holds `Ephemeral`.
    pub ephemeral: bool,
    pub fs_group_policy: FsGroupPolicy,
    pub requires_republish: bool,
    /// Its volumes are placed by the free room that CSIStorageCapacities tell of.
    pub storage_capacity: bool,
    pub token_requests: Box<[TokenRequest]>,
}

/// The fields that are read.
#[derive(Debug, Clone, Deserialize)]
pub struct CsiDriverWire {
    #[serde(deserialize_with = "slim_meta")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    attach_required: Option<bool>,
    pod_info_on_mount: Option<bool>,
    volume_lifecycle_modes: Option<Vec<String>>,
    fs_group_policy: Option<FsGroupPolicy>,
    requires_republish: Option<bool>,
    storage_capacity: Option<bool>,
    token_requests: Option<Vec<TokenRequest>>,
}

wire!(CsiDriverWire = CSIDriver);

impl Kind for CsiDriver {
    type Wire = CsiDriverWire;
    const PLURAL: &'static str = "csidrivers";

    fn compact(wire: CsiDriverWire) -> Option<Self> {
        let spec = wire.spec;
        let mode = |name: &str, default: bool| match &spec.volume_lifecycle_modes {
            Some(modes) if !modes.is_empty() => modes.iter().any(|mode| mode == name),
            _ => default,
        };
        Some(Self {
            meta: Meta::of(&wire.metadata)?,
            attach_required: spec.attach_required.unwrap_or(true),
            pod_info_on_mount: spec.pod_info_on_mount.unwrap_or(false),
            persistent: mode("Persistent", true),
            ephemeral: mode("Ephemeral", false),
            fs_group_policy: spec.fs_group_policy.unwrap_or_default(),
            requires_republish: spec.requires_republish.unwrap_or(false),
            storage_capacity: spec.storage_capacity.unwrap_or(false),
            token_requests: spec.token_requests.unwrap_or_default().into(),
        })
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}
