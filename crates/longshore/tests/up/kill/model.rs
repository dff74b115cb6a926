//! What the server holds, read whole.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolume, PersistentVolumeClaim};
use kube::api::{DeleteParams, ListParams, ObjectMeta};
use kube::{Api, Client};

/// The kinds that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    ConfigMap,
    Claim,
}

/// One object, as far as writers wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) uid: String,
    pub(crate) version: u64,
    /// Of the last write. Every part of the object that a write touches says it.
    pub(crate) number: u64,
    pub(crate) deleting: bool,
}

/// Everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) version: u64,
    pub(crate) objects: BTreeMap<(Kind, String), Seen>,
}

pub(crate) struct Server {
    pub(crate) maps: Api<ConfigMap>,
    pub(crate) claims: Api<PersistentVolumeClaim>,
    pub(crate) volumes: Api<PersistentVolume>,
    writes: AtomicU64,
}

/// What one write puts into every part of an object that it touches.
pub(crate) const PARTS: [&str; 3] = ["first", "second", "third"];

impl Server {
    pub(crate) fn new(client: Client) -> Self {
        let maps = Api::default_namespaced(client.clone());
        let claims = Api::default_namespaced(client.clone());
        Self { maps, claims, volumes: Api::all(client), writes: AtomicU64::new(0) }
    }

    /// A write was acknowledged in this life.
    pub(crate) fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Lists both kinds. The version is that of the later list.
    pub(crate) async fn read(&self) -> Found {
        let maps = self.maps.list(&ListParams::default()).await.expect("maps are listed");
        let claims = self.claims.list(&ListParams::default()).await.expect("claims are listed");
        let version = number(claims.metadata.resource_version.as_deref());
        assert!(version >= number(maps.metadata.resource_version.as_deref()), "a later list is not older");
        let maps = maps.items.into_iter().filter_map(|map| Some((Kind::ConfigMap, of_map(&map)?)));
        let claims = claims.items.into_iter().map(|claim| (Kind::Claim, of_claim(&claim)));
        let objects = maps.chain(claims).map(|(kind, (name, seen))| ((kind, name), seen)).collect();
        Found { version, objects }
    }

    pub(crate) async fn remove_everything(&self) {
        let all = ListParams::default();
        self.maps.delete_collection(&DeleteParams::default(), &all).await.expect("maps are deleted");
        self.claims.delete_collection(&DeleteParams::default(), &all).await.expect("claims are deleted");
    }

    pub(crate) async fn is_empty(&self) -> bool {
        let all = ListParams::default();
        let claims = self.claims.list(&all).await.expect("claims are listed");
        let volumes = self.volumes.list(&all).await.expect("volumes are listed");
        claims.items.is_empty() && volumes.items.is_empty()
    }
}

/// `None` for the marks of a watcher.
pub(crate) fn of_map(map: &ConfigMap) -> Option<(String, Seen)> {
    let data = map.data.as_ref()?;
    let told: Vec<&str> = PARTS.iter().filter_map(|part| data.get(*part)).map(String::as_str).collect();
    Some(seen(&map.metadata, &told))
}

fn of_claim(claim: &PersistentVolumeClaim) -> (String, Seen) {
    let annotations = claim.metadata.annotations.clone().unwrap_or_default();
    let told: Vec<&str> = PARTS.iter().filter_map(|part| annotations.get(*part)).map(String::as_str).collect();
    seen(&claim.metadata, &told)
}

fn seen(meta: &ObjectMeta, told: &[&str]) -> (String, Seen) {
    let name = meta.name.clone().expect("a name");
    let label = meta.labels.as_ref().and_then(|labels| labels.get("number")).expect("every write labels");
    assert!(told.len() == PARTS.len() && told.iter().all(|told| told == label), "{name} is half written: {label}, {told:?}");
    let seen = Seen {
        uid: meta.uid.clone().expect("a uid"),
        version: number(meta.resource_version.as_deref()),
        number: label.parse().expect("a number"),
        deleting: meta.deletion_timestamp.is_some(),
    };
    (name, seen)
}

pub(crate) fn number(version: Option<&str>) -> u64 {
    version.and_then(|version| version.parse().ok()).expect("a version")
}
