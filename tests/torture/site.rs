//! The cluster, and taking away what rounds leave there: one round's, or all of any run's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use harness::{Api, Cluster, Kind, eventually_within, mounts, objects};
use rustix::mount::{UnmountFlags, unmount};
use serde_json::{Value, json};

use crate::server::Server;

/// Where the sidecars' accounts and leases are.
pub(crate) const SYSTEM_NAMESPACE: &str = "longshore-system";
/// What every name of ours begins with.
const PREFIX: &str = "torture-";
const DRIVER_SUFFIX: &str = ".longshore.dev";

/// Where rounds happen.
pub(crate) struct Site {
    pub(crate) cluster: Cluster,
    pub(crate) server: Server,
    pub(crate) folder: PathBuf,
    pub(crate) programs: Programs,
    /// Where the logs of bad rounds are kept, and of good ones if asked for.
    pub(crate) logs: PathBuf,
    pub(crate) keep_logs: bool,
    pub(crate) patience: Duration,
}

/// What is tortured, and what is needed beside it.
pub(crate) struct Programs {
    pub(crate) provisioner: PathBuf,
    pub(crate) attacher: PathBuf,
    pub(crate) mounter: PathBuf,
    pub(crate) registrar: PathBuf,
}

/// Whose things: a round's, by its name, or everybody's.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whose<'a> {
    Round(&'a str),
    Anybody,
}

impl Whose<'_> {
    fn named(self, name: &str) -> bool {
        match self {
            Self::Round(round) => name == round,
            Self::Anybody => name.starts_with(PREFIX),
        }
    }

    fn driven_by(self, driver: &Value) -> bool {
        driver.as_str().and_then(|driver| driver.strip_suffix(DRIVER_SUFFIX)).is_some_and(|name| self.named(name))
    }

    /// Leases are named after the driver, each program in its own way, some with dashes for its dots.
    fn lease(self, name: &str) -> bool {
        match self {
            Self::Round(round) => name.contains(round),
            Self::Anybody => name.contains(PREFIX) && name.contains("longshore"),
        }
    }
}

/// A round's name, of its objects too. The process id tells one run's from another's; no name is the beginning of another.
pub(crate) fn round_name(number: u32) -> String {
    format!("{PREFIX}{}-{number:04}", std::process::id())
}

/// Where a round has its files: short, because a socket's path is at most 107 bytes.
pub(crate) fn round_folder(all: &Path, round: &str) -> PathBuf {
    all.join(round.rsplit('-').next().unwrap_or(round))
}

pub(crate) fn driver_name(round: &str) -> String {
    format!("{round}{DRIVER_SUFFIX}")
}

impl Site {
    /// Whether an object of the system namespace is a lease of this round's driver.
    pub(crate) fn is_lease_of(round: &str, lease: &Value) -> bool {
        Whose::Round(round).lease(objects::name(lease))
    }

    /// Deletes what there is, by force. A round that went well has little left.
    pub(crate) async fn clear(&self, whose: Whose<'_>) -> Result<()> {
        let api = &self.cluster.api;
        for pod in api.list(Kind::Pod, "").await? {
            if let Some(namespace) = pod["metadata"]["namespace"].as_str().filter(|namespace| whose.named(namespace)) {
                api.delete(Kind::Pod, namespace, objects::name(&pod), Some(0)).await?;
            }
        }
        for claim in api.list(Kind::PersistentVolumeClaim, "").await? {
            if let Some(namespace) = claim["metadata"]["namespace"].as_str().filter(|namespace| whose.named(namespace)) {
                api.delete(Kind::PersistentVolumeClaim, namespace, objects::name(&claim), None).await?;
            }
        }
        for attachment in api.list(Kind::VolumeAttachment, "").await? {
            if whose.driven_by(&attachment["spec"]["attacher"]) {
                force(api, Kind::VolumeAttachment, &attachment).await?;
            }
        }
        for volume in api.list(Kind::PersistentVolume, "").await? {
            if whose.driven_by(&volume["spec"]["csi"]["driver"]) {
                force(api, Kind::PersistentVolume, &volume).await?;
            }
        }
        for lease in api.list(Kind::Lease, SYSTEM_NAMESPACE).await? {
            if whose.lease(objects::name(&lease)) {
                api.delete(Kind::Lease, SYSTEM_NAMESPACE, objects::name(&lease), None).await?;
            }
        }
        for lease in api.list(Kind::Lease, "kube-node-lease").await? {
            if whose.named(objects::name(&lease)) {
                api.delete(Kind::Lease, "kube-node-lease", objects::name(&lease), None).await?;
            }
        }
        for kind in [Kind::Node, Kind::CSINode, Kind::StorageClass, Kind::Namespace] {
            for object in api.list(kind, "").await? {
                if whose.named(objects::name(&object)) {
                    api.delete(kind, "", objects::name(&object), None).await?;
                }
            }
        }
        let folder = match whose {
            Whose::Round(round) => round_folder(&self.folder, round),
            Whose::Anybody => self.folder.clone(),
        };
        unmount_all(&folder)?;
        match std::fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Clears everything away and waits until the API has nothing of it any more.
    pub(crate) async fn clear_all(&self) -> Result<()> {
        eventually_within(Duration::from_secs(120), "nothing of any round to be left", async || {
            self.clear(Whose::Anybody).await?;
            for kind in [Kind::Namespace, Kind::PersistentVolume, Kind::VolumeAttachment, Kind::Node, Kind::CSINode] {
                let left: Vec<Value> = self.cluster.api.list(kind, "").await?.into_iter().filter(ours).collect();
                ensure!(left.is_empty(), "{kind:?}: {:?}", left.iter().map(objects::name).collect::<Vec<_>>());
            }
            Ok(())
        })
        .await
    }
}

fn ours(object: &Value) -> bool {
    let spec = &object["spec"];
    let anybody = Whose::Anybody;
    anybody.named(objects::name(object)) || anybody.driven_by(&spec["attacher"]) || anybody.driven_by(&spec["csi"]["driver"])
}

async fn force(api: &Api, kind: Kind, object: &Value) -> Result<()> {
    let name = objects::name(object);
    api.delete(kind, "", name, None).await?;
    if api.find(kind, "", name).await?.is_some() {
        // Gone meanwhile is what is wanted.
        let _ = api.patch(kind, "", name, &json!({"metadata": {"finalizers": null}})).await;
    }
    Ok(())
}

/// Youngest first: a mount keeps the one below it busy.
fn unmount_all(beneath: &Path) -> Result<()> {
    for mount in mounts(beneath)?.into_iter().rev() {
        unmount(&mount.point, UnmountFlags::DETACH)?;
    }
    Ok(())
}
