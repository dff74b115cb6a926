//! Volumes that exist, as a PersistentVolume and a claim that are bound to each other; and volumes of a pod.

use std::collections::BTreeMap;

use csi_types::AccessType;

use super::{ACCESS_MODE, Making, Place, access};
use crate::csi::mode_name;
use crate::model::{CsiVolume, Document, FileData, SecretValue, Source, Volume, Workload};
use crate::names::{label, mark};
use crate::yaml::Map;

/// A volume of a plugin, and its claim.
pub(super) struct Known<'a> {
    csi: &'a CsiVolume,
    /// Of the PersistentVolume and of its claim.
    pub(super) name: String,
}

/// What a claim for a volume that others made is called.
pub fn claim_name(id: &str) -> String {
    match label(id) {
        name if name.is_empty() => format!("volume-{}", mark(id)),
        name => name,
    }
}

fn csi(workload: &Workload) -> impl Iterator<Item = (&Volume, &CsiVolume)> {
    workload.volumes.iter().filter_map(|volume| match &volume.source {
        Source::Csi(csi) => Some((volume, &**csi)),
        _ => None,
    })
}

/// Makes the PersistentVolume and the claim of each volume, once, however many workloads use it.
pub(super) fn collect<'a>(making: &mut Making<'a>, document: &'a Document) {
    let mut uses: Vec<(&'a CsiVolume, &'a Volume, bool, bool)> = Vec::new();
    for (volume, csi) in document.workloads.iter().flat_map(csi) {
        match uses.iter_mut().find(|(known, ..)| known.means(csi)) {
            Some((.., written, read)) => {
                *written |= !volume.read_only;
                *read |= volume.read_only;
            }
            None => uses.push((csi, volume, !volume.read_only, volume.read_only)),
        }
    }
    for (csi, volume, written, read) in uses {
        let mut name = claim_name(&csi.volume_id);
        if making.volumes.iter().any(|known| known.name == name) {
            // The same id at another plugin, or used in another way.
            name = format!("{name}-{}", mark(&format!("{} {:?}", csi.plugin, csi.capability)));
        }
        make(making, csi, volume, &name, (written, read));
        making.volumes.push(Known { csi, name });
    }
}

fn make(making: &mut Making<'_>, csi: &CsiVolume, volume: &Volume, name: &str, (written, read): (bool, bool)) {
    let namespace = making.options.namespace.clone();
    let driver = making.driver(csi);
    let mut secret = |suffix: &str, field: &str, keys: &BTreeMap<String, SecretValue>| {
        let made = making.secret(&format!("{name}-{suffix}"), None, field, keys);
        made.map(|name| Map::new().with("name", name).with("namespace", &namespace))
    };
    let [stage_field, publish_field] = &csi.secrets_fields;
    let stage = secret("stage", stage_field, &csi.stage_secrets);
    let publish = secret("publish", publish_field, &csi.publish_secrets);
    let mode = csi.capability.access_mode;
    let said = access::said(mode, written, read);
    let exact = said.means == mode;
    if !exact && making.options.place == Place::Cluster {
        making.warn(
            &volume.field,
            format!("Kubernetes has no word for {}: {} is said, and a kubelet tells the plugin {}; Longshore's own node-mounter tells it {} by \
                     the annotation {ACCESS_MODE}", mode_name(mode), said.mode, mode_name(said.means), mode_name(mode)),
        );
    }
    let (fs_type, flags, volume_mode) = match &csi.capability.access_type {
        AccessType::Block => ("", &[][..], "Block"),
        AccessType::Mount { fs_type, mount_flags, .. } => (fs_type.as_str(), mount_flags.as_slice(), "Filesystem"),
    };
    let annotations = Map::new().maybe(ACCESS_MODE, (!exact).then(|| mode_name(mode)));
    let modes = || vec![said.mode];
    let capacity = making.options.capacity.clone();
    let capacity = || Map::new().with("storage", capacity.clone()).because("storage", "the document does not know its size");
    let claim_ref = Map::new()
        .with("apiVersion", "v1")
        .with("kind", "PersistentVolumeClaim")
        .with("name", name)
        .with("namespace", &namespace);
    let source = Map::new()
        .with("driver", driver)
        .because("driver", format!("plugin {}", csi.plugin))
        .with("volumeHandle", &csi.volume_id)
        .maybe("readOnly", (!written).then_some(true))
        .maybe("fsType", Some(fs_type).filter(|fs_type| !fs_type.is_empty()))
        .maybe("volumeAttributes", Some(csi.context.iter().map(|(key, value)| (key.clone(), value.as_str())).collect::<Map>()))
        .maybe("nodeStageSecretRef", stage)
        .maybe("nodePublishSecretRef", publish);
    let pv = Map::new()
        .with("apiVersion", "v1")
        .with("kind", "PersistentVolume")
        .with("metadata", Map::new().with("name", name).maybe("annotations", Some(annotations)))
        .with(
            "spec",
            Map::new()
                .with("capacity", capacity())
                .with("accessModes", modes())
                .because("accessModes", mode_name(mode))
                .with("volumeMode", volume_mode)
                .maybe("mountOptions", Some(flags.iter().map(String::as_str).collect::<Vec<_>>()))
                .with("persistentVolumeReclaimPolicy", "Retain")
                .because("persistentVolumeReclaimPolicy", "it was there before, and stays")
                .with("storageClassName", "")
                .with("claimRef", claim_ref)
                .with("csi", source),
        );
    let claim =
        Map::new().with("apiVersion", "v1").with("kind", "PersistentVolumeClaim").with("metadata", making.metadata(name)).with(
            "spec",
            Map::new()
                .with("accessModes", modes())
                .with("volumeMode", volume_mode)
                .with("resources", Map::new().with("requests", capacity()))
                .with("storageClassName", "")
                .with("volumeName", name),
        );
    making.add(&volume.field, pv);
    making.add(&volume.field, claim);
}

impl Making<'_> {
    fn driver(&mut self, csi: &CsiVolume) -> String {
        self.driver_of(&csi.plugin, &csi.plugin_field)
    }

    /// The CSI name of a plugin; noted if nobody knows it.
    pub(super) fn driver_of(&mut self, plugin: &str, field: &str) -> String {
        if let Some(driver) = self.options.drivers.get(plugin) {
            return driver.clone();
        }
        let why = match self.options.place {
            Place::Cluster => format!(
                "plugin {plugin:?} is a name of this document's system; say the name that the CSI driver has: --driver {plugin}=CSI-NAME"
            ),
            Place::Host => format!(
                "there is no plugin {plugin:?} on this host: give its configuration by --csi-plugin-config-dir, or the driver that is meant by \
                 --driver {plugin}=CSI-NAME"
            ),
        };
        self.problem(field, why);
        plugin.to_owned()
    }

    /// An entry of a pod's `volumes`. `instance`: of a workload whose instances have volumes of their own.
    pub(super) fn pod_volume(&mut self, workload: &Workload, volume: &Volume, instance: Option<u32>) -> Option<Map> {
        let named = Map::new().with("name", &volume.alias);
        let claim = |name: &str| Map::new().with("claimName", name).maybe("readOnly", volume.read_only.then_some(true));
        Some(match &volume.source {
            Source::Csi(csi) => {
                let known = self.volumes.iter().find(|known| known.csi.means(csi))?;
                named.with("persistentVolumeClaim", claim(&known.name))
            }
            Source::Registered(registered) => {
                let id = match (registered.per_instance, instance) {
                    (true, instance) => format!("{}[{}]", registered.id, instance.unwrap_or(0)),
                    (false, _) => registered.id.clone(),
                };
                if let AccessType::Mount { fs_type, mount_flags, .. } = &registered.access_type
                    && !(fs_type.is_empty() && mount_flags.is_empty())
                {
                    self.warn(
                        &volume.field,
                        "its mount options have no effect: those of the volume's own specification hold for all who use it",
                    );
                }
                named.with("persistentVolumeClaim", claim(&claim_name(&id)))
            }
            Source::HostPath(path) => named.with("hostPath", Map::new().with("path", path)),
            Source::Empty { memory } => {
                let empty = match memory {
                    None => Map::new(),
                    Some(0) => Map::new().with("medium", "Memory"),
                    Some(bytes) => Map::new().with("medium", "Memory").with("sizeLimit", super::container::bytes(*bytes)),
                };
                named.with("emptyDir", empty)
            }
            Source::Files(files) => {
                let name = format!("{}-{}", workload.name, volume.alias);
                let hidden = files.values().any(|data| !matches!(data, FileData::Text(_)));
                if hidden {
                    let keys = files.iter().map(|(path, data)| {
                        let value = match data {
                            FileData::Secret(value) => value.clone(),
                            FileData::Hidden(hidden) => SecretValue::Value(hidden.clone()),
                            FileData::Text(text) => SecretValue::Value(crate::model::Hidden::new(text.as_bytes())),
                        };
                        (file_key(path), value)
                    });
                    self.secret(&name, None, &volume.field, &keys.collect());
                    named.with("secret", Map::new().with("secretName", &name).maybe("items", items(files)))
                } else {
                    let data: Map = files
                        .iter()
                        .filter_map(|(path, data)| match data {
                            FileData::Text(text) => Some((file_key(path), text.as_str())),
                            FileData::Secret(_) | FileData::Hidden(_) => None,
                        })
                        .collect();
                    let map = Map::new()
                        .with("apiVersion", "v1")
                        .with("kind", "ConfigMap")
                        .with("metadata", self.metadata(&name))
                        .with("data", data);
                    self.add(&volume.field, map);
                    named.with("configMap", Map::new().with("name", &name).maybe("items", items(files)))
                }
            }
        })
    }
}

/// The key of a file: its path, with marks that keys may have.
fn file_key(path: &str) -> String {
    path.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}

/// Which key is which file, where that is not the same.
fn items(files: &BTreeMap<String, FileData>) -> Option<Vec<Map>> {
    files
        .keys()
        .any(|path| file_key(path) != *path)
        .then(|| files.keys().map(|path| Map::new().with("key", file_key(path)).with("path", path)).collect())
}
