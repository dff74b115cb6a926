//! What every part of this agent reaches the world by: time, the API, drivers, the disk, mounts, and what is known.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cluster::kinds::Pod;
use cluster::{Backoff, Caches, Event, EventType, Events, Keys, Regarding};
use csi_client::Driver;
use csi_types::{DriverName, NodeName};
use kube::Client;
use rt::Ctx;
use tokio::sync::Notify;

use crate::error::Error;
use crate::journal::{Journal, Record};
use crate::metrics::Metrics;
use crate::mounter::{Files, Mounter};
use crate::paths::{Root, VolumeKey};
use crate::state::State;

/// What the flags mean, as far as volumes and the Node are concerned.
#[derive(Debug, Clone)]
pub struct Config {
    /// This node.
    pub node: NodeName,
    /// Kubelet's root directory.
    pub root: Root,
    /// Whether this agent keeps the Node object, its Lease and its pods' ends, or works beside someone who does.
    pub register_node: bool,
    /// Labels for a Node that we register.
    pub node_labels: Vec<(String, String)>,
    /// How often the Node is looked at.
    pub node_status_update_frequency: Duration,
    /// Between failures of one operation on one volume.
    pub backoff: Backoff,
    /// How long a publish that is to be repeated holds; a draw of up to half of it is added.
    pub republish_every: Duration,
}

/// How a driver is reached by its socket. A seam: tests and simulation put their own driver here.
pub trait Connect: Send + Sync {
    /// Does not wait for the driver: calls fail as long as it is not there.
    fn connect(&self, endpoint: &Path) -> Arc<dyn Driver>;
}

/// Shared by all parts; cheap to clone.
#[derive(Clone)]
pub struct Agent(Arc<Inner>);

/// See [`Agent`].
pub struct Inner {
    /// Time, tasks, disk.
    pub ctx: Ctx,
    /// What the flags mean.
    pub config: Config,
    /// The API.
    pub client: Client,
    /// Pods of this node and all CSIDrivers.
    pub caches: Caches,
    /// Counters.
    pub metrics: Metrics,
    /// Warnings for people.
    pub events: Events,
    /// The record of everything begun.
    pub journal: Journal,
    /// Mounts.
    pub mounter: Arc<dyn Mounter>,
    /// Links, device files, groups.
    pub files: Arc<dyn Files>,
    /// Drivers.
    pub connect: Arc<dyn Connect>,
    /// Volumes whose turn it is.
    pub volumes: Arc<Keys<VolumeKey>>,
    /// Pods, by uid, whose turn it is.
    pub pods: Arc<Keys<String>>,
    /// The Node's status is no longer what it should be.
    pub status_due: Notify,
    /// What is known.
    pub state: Mutex<State>,
}

impl std::ops::Deref for Agent {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Agent {
    /// Puts the parts together.
    pub fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// What is known. Not to be held across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The driver, if it is registered.
    pub fn driver(&self, name: &DriverName) -> Result<Arc<dyn Driver>, Error> {
        let driver = self.state().drivers.get(name).map(|registered| registered.driver.clone());
        driver.ok_or_else(|| Error::NotRegistered { driver: name.clone() })
    }

    /// Writes a record, to the disk first. When this returns, a crash cannot take it back.
    pub async fn save(&self, key: &VolumeKey, record: Record) -> Result<(), Error> {
        self.journal.save(key, &record).await.map_err(|source| Error::Journal { key: key.clone(), source })?;
        let known = self.state().records.insert(key.clone(), record).is_some();
        if !known {
            self.status_due.notify_one();
        }
        Ok(())
    }

    /// Crosses a record out. The volume leaves `volumesInUse` only now.
    pub async fn cross_out(&self, key: &VolumeKey) -> Result<(), Error> {
        self.journal.remove(key).await.map_err(|source| Error::Journal { key: key.clone(), source })?;
        self.state().records.remove(key);
        self.status_due.notify_one();
        Ok(())
    }

    /// The driver has let go of all of a volume. Whatever a record of it that was lost said, it is over; while that cannot be
    /// written down, the volume stays on record.
    pub async fn let_go(&self, key: &VolumeKey) -> Result<(), Error> {
        let lost: Vec<_> = self.state().held.iter().filter(|lost| lost.is_of(key)).cloned().collect();
        for lost in lost {
            self.journal.settle(&lost).await.map_err(|source| Error::Journal { key: key.clone(), source })?;
            self.state().held.retain(|held| held.file != lost.file);
        }
        self.cross_out(key).await
    }

    /// Looks at these volumes again.
    pub fn wake_volumes(&self, keys: impl IntoIterator<Item = VolumeKey>) {
        for key in keys {
            self.volumes.add(key);
        }
    }

    /// A driver has come (back): what failed before need not wait.
    pub fn retry_volumes_of(&self, driver: &DriverName) {
        let mut state = self.state();
        let volumes = state.volumes_by(driver);
        for key in &volumes {
            if let Some(memory) = state.memory.get_mut(key) {
                memory.plan.not_before.clear();
            }
        }
        drop(state);
        self.wake_volumes(volumes);
    }

    /// Looks at these pods again.
    pub fn wake_pods(&self, uids: impl IntoIterator<Item = String>) {
        for uid in uids {
            self.pods.add(uid);
        }
    }

    /// The uids of the pods that this volume concerns.
    pub fn pods_of(&self, key: &VolumeKey) -> BTreeSet<String> {
        let state = self.state();
        let wanting = state.pods.iter().filter(|(_, entry)| entry.wants.iter().flatten().any(|wanted| wanted.spec.key == *key));
        let mut uids: BTreeSet<String> = wanting.map(|(uid, _)| uid.clone()).collect();
        if let Some(record) = state.records.get(key) {
            uids.extend(record.publishes.iter().map(|publish| publish.place.pod_uid.clone()));
        }
        uids
    }

    /// A warning that `kubectl describe pod` shows.
    pub fn warn(&self, pod: &Pod, reason: &'static str, message: String) {
        self.events.publish(Event {
            regarding: Regarding {
                api_version: "v1".into(),
                kind: "Pod".into(),
                namespace: pod.meta.key.namespace().unwrap_or_default().to_owned(),
                name: pod.meta.key.name().to_owned(),
                uid: pod.meta.uid.to_string(),
            },
            kind: EventType::Warning,
            reason,
            message,
        });
    }
}
