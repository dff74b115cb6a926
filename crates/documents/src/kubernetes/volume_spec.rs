//! Volumes that a document wants made, as a class and a claim; and those that it makes known, as a PersistentVolume and a claim.
//!
//! A claim is called what jobs call the volume, as far as names may be: `ebs-vol[0]` is `ebs-vol-0`.

use std::collections::BTreeMap;

use csi_types::{AccessType, Bytes, Segments, VolumeCapability};

use super::{ACCESS_MODE, ID, Making, Place, access, claim_name};
use crate::csi::{mode_name, reader_only};
use crate::model::{Amount, Document, SpecKind, VolumeSpec};
use crate::yaml::{Map, Node};

/// Every volume of a document.
pub(super) fn make(making: &mut Making<'_>, document: &Document) {
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for spec in &document.volumes {
        let name = claim_name(&spec.id);
        match taken.get(&name) {
            Some(other) if *other == spec.id => {
                making.problem(&spec.field, format!("the volume {:?} is there twice", spec.id));
            }
            Some(other) => {
                let why = format!("{:?} and {other:?} would both be called {name} in Kubernetes: rename one", spec.id);
                making.problem(&spec.field, why);
            }
            None => {
                taken.insert(name.clone(), &spec.id);
                one(making, spec, &name);
            }
        }
    }
}

/// How a volume may be used, in Kubernetes' words.
struct Used {
    modes: Vec<&'static str>,
    /// CSI's mode, where it is the only one and Kubernetes has no word for it.
    exact: Option<&'static str>,
    volume_mode: &'static str,
    fs_type: String,
    mount_flags: Vec<String>,
    /// Nobody may write.
    read_only: bool,
}

fn one(making: &mut Making<'_>, spec: &VolumeSpec, name: &str) {
    let driver = making.driver_of(&spec.plugin, &spec.field);
    let secret = making.secret(&format!("{name}-secrets"), None, &spec.field, &spec.secrets);
    let used = used(making, spec);
    match &spec.kind {
        SpecKind::Create { capacity, parameters, snapshot, clone } => {
            let source = match (snapshot, clone) {
                (_, Some(clone)) => {
                    let why = format!(
                        "clone_id {clone:?} cannot be honoured: Kubernetes clones claims, not ids; register the volume, and name its claim as the \
                         dataSource of a new one"
                    );
                    return making.problem(&spec.field, why);
                }
                (Some(_), None) if making.options.place == Place::Host => {
                    return making.problem(&spec.field, "snapshot_id cannot be honoured: this host keeps no snapshots");
                }
                (Some(snapshot), None) => Some(from_snapshot(making, spec, name, &driver, snapshot)),
                (None, None) => None,
            };
            if making.options.place == Place::Cluster || spec.name != spec.id {
                let why = format!("its name {:?} is only an annotation: the plugin is told pvc- and the claim's uid", spec.name);
                making.warn(&spec.field, why);
            }
            class(making, spec, name, &driver, secret.as_deref(), parameters, &used);
            claim(making, spec, name, *capacity, &used, |spec| {
                spec.with("storageClassName", name).maybe("dataSource", source.clone())
            });
        }
        SpecKind::Register { volume_id, context } => {
            volume(making, spec, name, &driver, secret.as_deref(), (volume_id, context), &used);
            claim(making, spec, name, Amount::default(), &used, |spec| {
                spec.with("storageClassName", "").with("volumeName", name)
            });
        }
    }
}

fn used(making: &mut Making<'_>, spec: &VolumeSpec) -> Used {
    let mut used = Used {
        modes: Vec::new(),
        exact: None,
        volume_mode: "Filesystem",
        fs_type: String::new(),
        mount_flags: Vec::new(),
        read_only: spec.capabilities.iter().all(|capability| reader_only(capability.access_mode)),
    };
    let block = |capability: &VolumeCapability| capability.access_type == AccessType::Block;
    let device = spec.capabilities.first().is_some_and(block);
    if device {
        used.volume_mode = "Block";
    }
    for capability in &spec.capabilities {
        if block(capability) != device {
            let kept = if device { "block-device" } else { "file-system" };
            making.warn(&spec.field, format!("is used as {kept} only: a claim is a device or a file system, not both"));
            continue;
        }
        if let AccessType::Mount { fs_type, mount_flags, .. } = &capability.access_type {
            used.fs_type.clone_from(fs_type);
            used.mount_flags.clone_from(mount_flags);
        }
        let mode = capability.access_mode;
        let said = access::said(mode, !reader_only(mode), false);
        if said.means != mode {
            let one = spec.capabilities.len() == 1 && matches!(spec.kind, SpecKind::Register { .. });
            used.exact = one.then(|| mode_name(mode));
            if !one || making.options.place == Place::Cluster {
                let told = mode_name(said.means);
                making.warn(
                    &spec.field,
                    format!("Kubernetes has no word for {}: {} is said, which is {told}", mode_name(mode), said.mode),
                );
            }
        }
        if !used.modes.contains(&said.mode) {
            used.modes.push(said.mode);
        }
    }
    used
}

/// A class for this one volume: its parameters and secrets are nobody else's.
fn class(
    making: &mut Making<'_>,
    spec: &VolumeSpec,
    name: &str,
    driver: &str,
    secret: Option<&str>,
    parameters: &BTreeMap<String, String>,
    used: &Used,
) {
    const FS_TYPE: &str = "csi.storage.k8s.io/fstype";
    const CALLS: [&str; 6] =
        ["provisioner", "controller-publish", "node-stage", "node-publish", "controller-expand", "node-expand"];
    let mut all: Map = parameters.iter().map(|(key, value)| (key.clone(), value.as_str())).collect();
    if !used.fs_type.is_empty() && !parameters.contains_key(FS_TYPE) {
        all.set(FS_TYPE, &used.fs_type);
    }
    if let Some(secret) = secret {
        for call in CALLS {
            all.set(&format!("csi.storage.k8s.io/{call}-secret-name"), secret);
            all.set(&format!("csi.storage.k8s.io/{call}-secret-namespace"), &making.options.namespace);
        }
    }
    if !spec.preferred.is_empty() {
        making.warn(
            &spec.field,
            "where it is best made is left out: a class says where volumes may be, not where they had better be",
        );
    }
    let places: Vec<Map> =
        spec.required.iter().map(|place| Map::new().with("matchLabelExpressions", expressions(place, None))).collect();
    let class = Map::new()
        .with("apiVersion", "storage.k8s.io/v1")
        .with("kind", "StorageClass")
        .with("metadata", Map::new().with("name", name))
        .with("provisioner", driver)
        .because("provisioner", format!("plugin {}", spec.plugin))
        .maybe("parameters", Some(all))
        .maybe("mountOptions", Some(used.mount_flags.iter().map(String::as_str).collect::<Vec<_>>()))
        .with("reclaimPolicy", "Retain")
        .because("reclaimPolicy", "a volume stays until somebody deletes it")
        .with("allowVolumeExpansion", true)
        .with("volumeBindingMode", "Immediate")
        .because("volumeBindingMode", "it is made now, not when a task wants it")
        .maybe("allowedTopologies", Some(places));
    making.add(&spec.field, class);
}

/// All of a place's labels: `In` with an operator for nodes, without for a class.
fn expressions(place: &Segments, operator: Option<&str>) -> Vec<Map> {
    let one = |(key, value): (&String, &String)| {
        Map::new().with("key", key).maybe("operator", operator).with("values", vec![Node::from(value)])
    };
    place.0.iter().map(one).collect()
}

fn claim(making: &mut Making<'_>, spec: &VolumeSpec, name: &str, capacity: Amount, used: &Used, finish: impl FnOnce(Map) -> Map) {
    let asked = capacity.min.or(capacity.max).map(|bytes| Bytes(bytes).to_string());
    let unknown = asked.is_none();
    let size = Map::new().with("storage", asked.unwrap_or_else(|| making.options.capacity.clone()));
    let size = if unknown { size.because("storage", "the document does not know its size") } else { size };
    let most = capacity.max.map(|bytes| Map::new().with("storage", Bytes(bytes).to_string()));
    let annotations = Map::new()
        .with(ID, &spec.id)
        .because(ID, "its id in Nomad")
        .maybe("longshore.io/name", (spec.name != spec.id).then_some(&spec.name));
    let body = Map::new()
        .with("accessModes", used.modes.clone())
        .with("volumeMode", used.volume_mode)
        .with("resources", Map::new().with("requests", size).maybe("limits", most));
    let claim = Map::new()
        .with("apiVersion", "v1")
        .with("kind", "PersistentVolumeClaim")
        .with("metadata", making.metadata(name).with("annotations", annotations))
        .with("spec", finish(body));
    making.add(&spec.field, claim);
}

fn volume(
    making: &mut Making<'_>,
    spec: &VolumeSpec,
    name: &str,
    driver: &str,
    secret: Option<&str>,
    (volume_id, context): (&str, &BTreeMap<String, String>),
    used: &Used,
) {
    let namespace = making.options.namespace.clone();
    let mut source = Map::new()
        .with("driver", driver)
        .because("driver", format!("plugin {}", spec.plugin))
        .with("volumeHandle", volume_id)
        .maybe("readOnly", used.read_only.then_some(true))
        .maybe("fsType", Some(&used.fs_type).filter(|fs_type| !fs_type.is_empty()))
        .maybe("volumeAttributes", Some(context.iter().map(|(key, value)| (key.clone(), value.as_str())).collect::<Map>()));
    if let Some(secret) = secret {
        for call in ["controllerPublish", "nodeStage", "nodePublish", "controllerExpand", "nodeExpand"] {
            source.set(&format!("{call}SecretRef"), Map::new().with("name", secret).with("namespace", &namespace));
        }
    }
    let terms: Vec<Map> =
        spec.required.iter().map(|place| Map::new().with("matchExpressions", expressions(place, Some("In")))).collect();
    let affinity = (!terms.is_empty()).then(|| Map::new().with("required", Map::new().with("nodeSelectorTerms", terms)));
    let claim_ref = Map::new()
        .with("apiVersion", "v1")
        .with("kind", "PersistentVolumeClaim")
        .with("name", name)
        .with("namespace", &namespace);
    let capacity = Map::new().with("storage", &making.options.capacity).because("storage", "the document does not know its size");
    let annotations = Map::new().maybe(ACCESS_MODE, used.exact);
    let pv = Map::new()
        .with("apiVersion", "v1")
        .with("kind", "PersistentVolume")
        .with("metadata", Map::new().with("name", name).maybe("annotations", Some(annotations)))
        .with(
            "spec",
            Map::new()
                .with("capacity", capacity)
                .with("accessModes", used.modes.clone())
                .with("volumeMode", used.volume_mode)
                .maybe("mountOptions", Some(used.mount_flags.iter().map(String::as_str).collect::<Vec<_>>()))
                .with("persistentVolumeReclaimPolicy", "Retain")
                .because("persistentVolumeReclaimPolicy", "it was there before, and stays")
                .with("storageClassName", "")
                .with("claimRef", claim_ref)
                .with("csi", source)
                .maybe("nodeAffinity", affinity),
        );
    making.add(&spec.field, pv);
}

/// A snapshot that the plugin has, made known; what a claim names as its source.
fn from_snapshot(making: &mut Making<'_>, spec: &VolumeSpec, name: &str, driver: &str, handle: &str) -> Map {
    const GROUP: &str = "snapshot.storage.k8s.io";
    let name = format!("{name}-source");
    let reference = Map::new().with("name", &name).with("namespace", &making.options.namespace);
    let content = Map::new()
        .with("apiVersion", format!("{GROUP}/v1"))
        .with("kind", "VolumeSnapshotContent")
        .with("metadata", Map::new().with("name", &name))
        .with(
            "spec",
            Map::new()
                .with("deletionPolicy", "Retain")
                .because("deletionPolicy", "it was there before, and stays")
                .with("driver", driver)
                .with("source", Map::new().with("snapshotHandle", handle))
                .with("volumeSnapshotRef", reference),
        );
    let snapshot = Map::new()
        .with("apiVersion", format!("{GROUP}/v1"))
        .with("kind", "VolumeSnapshot")
        .with("metadata", making.metadata(&name))
        .with("spec", Map::new().with("source", Map::new().with("volumeSnapshotContentName", &name)));
    making.add(&spec.field, content);
    making.add(&spec.field, snapshot);
    Map::new().with("apiGroup", GROUP).with("kind", "VolumeSnapshot").with("name", &name)
}
