//! What this process knows, behind one mutex that is never held across an await: pods and what they want, the journal's
//! records, registered drivers, and the Node as the API last showed it. Facts only; rules are in `plan.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use cluster::Store;
use cluster::kinds::{CsiDriver, Pod};
use csi_client::Driver;
use csi_types::{DriverName, NodeInfo};
use rt::Instant;
use rt::rules::{self, Rule};

use crate::journal::{Identity, Place, Record, SetAside};
use crate::paths::VolumeKey;
use crate::plan::{Life, Memory, Operation, Want};
use crate::pod::{PodLife, life};
use crate::spec::Spec;

/// Everything.
#[derive(Default)]
pub struct State {
    /// The pods of this node, by uid.
    pub pods: BTreeMap<String, PodEntry>,
    /// What the journal says, written through.
    pub records: BTreeMap<VolumeKey, Record>,
    /// Whose records could not be read and could not be made good from the disk: what these name stays reported in use.
    pub held: Vec<SetAside>,
    /// Some pods of this host are not known: a manifest cannot be read.
    pub manifests_unread: bool,
    /// What was tried, by volume.
    pub memory: BTreeMap<VolumeKey, VolumeMemory>,
    /// Drivers that are registered here.
    pub drivers: BTreeMap<DriverName, Registered>,
    /// Drivers that were deregistered, and whose entries are still in the API.
    pub dropped: BTreeSet<DriverName>,
    /// Where drivers' volumes are published that do not leave that to us.
    pub targets: BTreeMap<DriverName, plugin_host::Targets>,
    /// The Node.
    pub node: NodeFacts,
    /// What each pod's `volumes.json` says.
    pub files: BTreeMap<String, String>,
    /// Pods whose folders have been cleared away.
    pub through: BTreeSet<String>,
    /// Pods whose objects we have deleted.
    pub deleted: BTreeSet<String>,
}

/// A pod and what its volumes turned out to be.
pub struct PodEntry {
    /// The pod.
    pub pod: Arc<Pod>,
    /// `None`: not looked up yet.
    pub wants: Option<Vec<Wanted>>,
    /// Volumes that could not be looked up, by the pod's name for them, and why.
    pub unresolved: BTreeMap<String, String>,
}

/// One of a pod's volumes.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The pod's name for it.
    pub volume: String,
    /// What it is.
    pub spec: Arc<Spec>,
}

/// What is remembered of one volume between passes.
#[derive(Debug, Clone, Default)]
pub struct VolumeMemory {
    /// What plans look at.
    pub plan: Memory,
    /// Failures in a row, by operation.
    pub failures: BTreeMap<(Operation, Option<Place>), u32>,
}

/// A driver on this node.
#[derive(Clone)]
pub struct Registered {
    /// By its own socket.
    pub driver: Arc<dyn Driver>,
    /// The registration socket that it came by.
    pub socket: PathBuf,
    /// What it said about this node.
    pub info: NodeInfo,
}

/// The Node as the API showed it last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeFacts {
    /// Empty: never seen.
    pub uid: String,
    /// `volumesAttached`.
    pub attached: BTreeSet<VolumeKey>,
    /// `volumesInUse` as the API confirmed it, less what a write under way takes out.
    pub reported: BTreeSet<VolumeKey>,
    /// Taint `node.kubernetes.io/out-of-service`.
    pub out_of_service: bool,
    /// For drivers' topology: a label with another value is a conflict.
    pub labels: BTreeMap<String, String>,
}

/// A driver attaches unless its CSIDriver says that it does not.
pub fn attachable(drivers: &Store<CsiDriver>, driver: &DriverName) -> bool {
    drivers.get(driver.as_str()).is_none_or(|driver| driver.attach_required)
}

/// Whether a volume is mounted only once the API says that it is attached here.
pub fn awaits_attachment(drivers: &Store<CsiDriver>, spec: &Spec) -> bool {
    !spec.inline && attachable(drivers, &spec.driver) && rules::on(Rule::MountAfterAttach)
}

// === impl State ===

impl State {
    /// Takes in what the watch says of a pod. Returns the uids whose pass is due.
    pub fn note_pod(&mut self, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>) -> Vec<String> {
        let mut touched = Vec::new();
        if let Some(old) = old.filter(|old| new.is_none_or(|new| new.meta.uid != old.meta.uid)) {
            self.pods.remove(&*old.meta.uid);
            touched.push(old.meta.uid.to_string());
        }
        if let Some(new) = new {
            let uid = new.meta.uid.to_string();
            match self.pods.get_mut(&uid) {
                Some(entry) => entry.pod = new.clone(),
                None => {
                    self.pods.insert(uid.clone(), PodEntry { pod: new.clone(), wants: None, unresolved: BTreeMap::new() });
                }
            }
            touched.push(uid);
        }
        touched
    }

    /// Who wants this volume, by place. A pod may name one claim twice; it gets one mount for both.
    pub fn wants(&self, key: &VolumeKey, drivers: &Store<CsiDriver>) -> Vec<Want> {
        let mut wants: BTreeMap<Place, Want> = BTreeMap::new();
        for (uid, entry) in &self.pods {
            let leaving = match life(&entry.pod) {
                PodLife::Wants => false,
                PodLife::Leaving => true,
                PodLife::Ended => continue,
            };
            for wanted in entry.wants.iter().flatten().filter(|wanted| wanted.spec.key == *key) {
                let spec = &wanted.spec;
                let place = Place { pod_uid: uid.clone(), spec_name: spec.name.clone() };
                let driver = drivers.get(spec.driver.as_str());
                wants.entry(place.clone()).or_insert(Want {
                    place,
                    mode: spec.mode,
                    attachable: awaits_attachment(drivers, spec),
                    inline: spec.inline,
                    one_pod_only: spec.one_pod_only(),
                    republish: driver.is_some_and(|driver| driver.requires_republish),
                    leaving,
                });
            }
        }
        wants.into_values().collect()
    }

    /// The pod and the volume at a place, if it is still wanted. Read-only only if every reference is.
    pub fn wanted_at(&self, key: &VolumeKey, place: &Place) -> Option<(Arc<Pod>, Arc<Spec>)> {
        let entry = self.pods.get(&place.pod_uid)?;
        let here = |wanted: &&Wanted| wanted.spec.key == *key && wanted.spec.name == place.spec_name;
        let mut specs = entry.wants.iter().flatten().filter(here).map(|wanted| &wanted.spec);
        let first = specs.next()?;
        let spec = std::iter::once(first).chain(specs).find(|spec| !spec.read_only).unwrap_or(first);
        Some((entry.pod.clone(), spec.clone()))
    }

    /// What is known of the pods that a record publishes to.
    pub fn lives(&self, record: &Record) -> BTreeMap<Place, Life> {
        let life_of = |place: &Place| {
            let entry = self.pods.get(&place.pod_uid)?;
            Some(if life(&entry.pod) == PodLife::Ended { Life::Ended } else { Life::Alive })
        };
        record.publishes.iter().filter_map(|publish| Some((publish.place.clone(), life_of(&publish.place)?))).collect()
    }

    /// What `volumesInUse` has to say: everything attachable that a pod wants or that may be staged here. `reported`: what it
    /// said before, for the volumes that only their hashes are left of.
    pub fn in_use(&self, drivers: &Store<CsiDriver>, reported: &BTreeSet<VolumeKey>) -> BTreeSet<VolumeKey> {
        let live = self.pods.values().filter(|entry| life(&entry.pod) != PodLife::Ended);
        let wanted = live.flat_map(|entry| entry.wants.iter().flatten()).filter(|wanted| !wanted.spec.inline);
        let wanted = wanted.filter(|wanted| attachable(drivers, &wanted.spec.driver)).map(|wanted| wanted.spec.key.clone());
        let recorded = self.records.iter().filter(|(_, record)| record.attachable && rules::on(Rule::InUseUntilUnstaged));
        let recorded = recorded.map(|(key, _)| key.clone());
        let held = self.held.iter().filter_map(|lost| lost.identity.as_ref()).flat_map(|identity| match identity {
            Identity::Key(key) => vec![key.clone()],
            Identity::Hash(_) => reported.iter().filter(|key| identity.is(key)).cloned().collect(),
        });
        wanted.chain(recorded).chain(held).collect()
    }

    /// Whether any volume is published to this pod, or may be.
    pub fn holds(&self, pod_uid: &str) -> bool {
        self.records.values().any(|record| record.publishes.iter().any(|publish| publish.place.pod_uid == pod_uid))
    }

    /// The volumes that a change of this pod may concern.
    pub fn volumes_of(&self, pod_uid: &str) -> BTreeSet<VolumeKey> {
        let wanted = self.pods.get(pod_uid).into_iter().flat_map(|entry| entry.wants.iter().flatten());
        let recorded =
            self.records.iter().filter(|(_, record)| record.publishes.iter().any(|publish| publish.place.pod_uid == pod_uid));
        wanted.map(|wanted| wanted.spec.key.clone()).chain(recorded.map(|(key, _)| key.clone())).collect()
    }

    /// The volumes of one driver, wanted or recorded.
    pub fn volumes_by(&self, driver: &DriverName) -> BTreeSet<VolumeKey> {
        let wanted =
            self.pods.values().flat_map(|entry| entry.wants.iter().flatten()).filter(|wanted| wanted.spec.driver == *driver);
        let recorded = self.records.iter().filter(|(_, record)| record.driver == *driver).map(|(key, _)| key.clone());
        wanted.map(|wanted| wanted.spec.key.clone()).chain(recorded).collect()
    }

    /// An operation worked, or did not: when it may be tried next.
    pub fn note_attempt(&mut self, key: &VolumeKey, operation: Operation, place: Option<Place>, next: Option<Instant>) {
        let memory = self.memory.entry(key.clone()).or_default();
        let attempt = (operation, place);
        match next {
            Some(at) => {
                memory.plan.not_before.insert(attempt, at);
            }
            None => {
                memory.plan.not_before.remove(&attempt);
                memory.failures.remove(&attempt);
            }
        }
    }

    /// How often an operation has failed in a row, this time included.
    pub fn count_failure(&mut self, key: &VolumeKey, operation: Operation, place: Option<Place>) -> u32 {
        let count = self.memory.entry(key.clone()).or_default().failures.entry((operation, place)).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }
}
