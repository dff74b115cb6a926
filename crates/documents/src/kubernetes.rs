//! From what a document asks for to Kubernetes objects that ask for the same.
//!
//! ```text
//!  Workload ─ workload.rs ─> Deployment, DaemonSet, Job or Pod      (Host: Pods only)
//!    Task   ─ container.rs, probe.rs ─> a container                 (Host: a command, run as a process)
//!    Volume ─ volumes.rs ─> PersistentVolume + claim, and a volume of the pod
//!    VolumeSpec ─ volume_spec.rs ─> StorageClass + claim, or PersistentVolume + claim
//!    SecretValue ─ secrets.rs ─> Secret
//! ```
//!
//! Pure: drivers' names, secrets and users are looked up before, and are in [`Options`].

mod access;
mod container;
mod placement;
mod plugins;
mod pod;
mod probe;
mod secrets;
mod users;
mod volume_spec;
mod volumes;
mod workload;

use std::collections::BTreeMap;

use located::Lines;

use crate::model::{Document, Hidden};
use crate::notes::{Note, Notes, Problems};
use crate::yaml::Map;

pub use access::ACCESS_MODE;
pub use container::dollars;
pub use volumes::claim_name;

/// How restarts wait, for who runs pods on a host: `first=1s,factor=1.15,longest=300s`, and `reset=600s` if a task that ran so long has
/// not failed. A kubelet does not know it.
pub const RESTART_BACKOFF: &str = "longshore.io/restart-backoff";
/// Mount paths that have to be on the host already, as a JSON list, by container: `{"task": ["/data"]}`.
pub const EXISTING_PATHS: &str = "longshore.io/existing-paths";
/// What the document calls it.
pub const ID: &str = "longshore.io/id";

/// Where the objects are meant to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A cluster: kubelets and images.
    Cluster,
    /// This host, by `longshore run`: commands as processes, no images.
    Host,
}

/// What a document does not say.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the objects are used.
    pub place: Place,
    /// Of everything that has one.
    pub namespace: String,
    /// Plugin as documents call it to the CSI driver's own name.
    pub drivers: BTreeMap<String, String>,
    /// Secrets of the store: name, and entry of it if one was asked for.
    pub secrets: BTreeMap<(String, Option<String>), Hidden>,
    /// For volumes whose size nobody knows: a quantity.
    pub capacity: String,
    /// For tasks without one, in a cluster.
    pub image: Option<String>,
    /// Where the images of Longshore's sidecars are.
    pub sidecars: String,
    /// Users of this host by name: number, and that of their group.
    pub users: BTreeMap<String, (u32, u32)>,
}

impl Options {
    /// Nothing is known but where, and the namespace.
    pub fn new(place: Place, namespace: impl Into<String>) -> Self {
        Self {
            place,
            namespace: namespace.into(),
            drivers: BTreeMap::new(),
            secrets: BTreeMap::new(),
            capacity: "1Gi".to_owned(),
            image: None,
            sidecars: "docker.io/longshore".to_owned(),
            users: BTreeMap::new(),
        }
    }
}

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Where it comes from, for people: `container.volumes[0]`; empty if from the document as a whole.
    pub origin: String,
    /// The object, with `apiVersion` and `kind`.
    pub body: Map,
}

/// What a document became.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Objects {
    /// In an order in which they can be applied one by one.
    pub objects: Vec<Object>,
    /// What is not as the document says it.
    pub warnings: Vec<Note>,
}

impl Objects {
    /// All of them as one YAML text. Secrets are in it.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        for object in &self.objects {
            out.push_str("---\n");
            if !object.origin.is_empty() {
                out.push_str(&format!("# from {}\n", object.origin.replace(['\n', '\r'], " ")));
            }
            out.push_str(&object.body.to_yaml());
        }
        out
    }
}

/// The objects of a document. `lines`: of the document's text, for messages.
///
/// # Errors
/// Everything that this place cannot have, or that is not known.
pub fn objects(document: &Document, options: &Options, lines: &Lines) -> Result<Objects, Problems> {
    let mut making = Making { options, lines, notes: Notes::default(), objects: Vec::new(), volumes: Vec::new() };
    volume_spec::make(&mut making, document);
    if options.place == Place::Cluster {
        plugins::make(&mut making, document);
    }
    volumes::collect(&mut making, document);
    for workload in &document.workloads {
        workload::make(&mut making, document.format, workload);
    }
    let Making { mut notes, objects, .. } = making;
    notes.sort();
    match notes.problems.is_empty() {
        true => Ok(Objects { objects, warnings: notes.warnings }),
        false => Err(Problems(notes)),
    }
}

/// Objects while they are made.
struct Making<'a> {
    options: &'a Options,
    lines: &'a Lines,
    notes: Notes,
    objects: Vec<Object>,
    /// Volumes that exist, each once, and what they are called.
    volumes: Vec<volumes::Known<'a>>,
}

impl Making<'_> {
    fn problem(&mut self, field: &str, reason: impl Into<String>) {
        let note = self.note(field, reason.into());
        self.notes.problems.push(note);
    }

    fn warn(&mut self, field: &str, reason: impl Into<String>) {
        let note = self.note(field, reason.into());
        self.notes.warnings.push(note);
    }

    fn note(&self, field: &str, reason: String) -> Note {
        Note { place: self.lines.place(field), field: field.to_owned(), reason }
    }

    /// Instances of one workload share what is the same.
    fn add(&mut self, origin: impl Into<String>, body: Map) {
        if self.objects.iter().any(|object| object.body == body) {
            return;
        }
        self.objects.push(Object { origin: origin.into(), body });
    }

    /// `metadata` of an object in the namespace.
    fn metadata(&self, name: &str) -> Map {
        Map::new().with("name", name).with("namespace", &self.options.namespace)
    }
}

#[cfg(test)]
mod tests;
