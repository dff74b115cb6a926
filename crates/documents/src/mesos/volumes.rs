//! `container.volumes`: what a task mounts.

use std::collections::{BTreeMap, BTreeSet};

use csi_types::{AccessType, VolumeCapability};

use super::{secret, shared_alias};
use crate::csi::{ACCESS_MODES, container_path, mode_name, mount_flags, reader_only, volume_id};
use crate::marathon::target;
use crate::model::{CsiVolume, FileData, Mount, Propagation, SANDBOX, SecretValue, Source, Target, Task, Volume};
use crate::read::At;

#[derive(Clone, Copy)]
enum Kind {
    Csi,
    Host,
    Sandbox,
    Secret,
    Docker,
}

const KINDS: [(&str, Kind); 5] = [
    ("CSI_VOLUME", Kind::Csi),
    ("HOST_PATH", Kind::Host),
    ("SANDBOX_PATH", Kind::Sandbox),
    ("SECRET", Kind::Secret),
    ("DOCKER_VOLUME", Kind::Docker),
];

pub(super) fn read(container: &At<'_>, task: &mut Task, volumes: &mut Vec<Volume>) {
    let docker = container.text_of("type").as_deref() == Some("DOCKER");
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for at in container.list_of("volumes") {
        let path = at.required("container_path").and_then(|path| container_path(&path));
        let read_only = at.required("mode").and_then(|mode| mode.one_of(&[("RO", true), ("RW", false)], false));
        let (Some(path), Some(read_only)) = (path, read_only) else { continue };
        if !places.insert(path.clone()) {
            at.reader.problem(&at.path_of("container_path"), format!("{path:?} is the place of an earlier volume already"));
        }
        let mut mount = Mount {
            volume: SANDBOX.to_owned(),
            field: at.path_of("container_path"),
            target: target(&path, task.image.is_some()),
            sub_path: None,
            read_only,
            propagation: Propagation::Private,
        };
        let given: Vec<&str> = ["host_path", "image", "source"].into_iter().filter(|name| at.get(name).is_some()).collect();
        let source = match given[..] {
            ["host_path"] => at.get("host_path").and_then(|path| host_path(&path, &mut mount)),
            ["source"] => at.required("source").and_then(|source| {
                if docker && source.text_of("type").as_deref() == Some("CSI_VOLUME") {
                    source.wrong(
                        "needs a container of type MESOS: Mesos has CSI volumes in its own containers only, not in Docker's",
                    );
                }
                of_source(&at, &source, &mut mount, &mut ids)
            }),
            // The table of fields has refused it.
            ["image"] => None,
            [] => {
                at.wrong("is of no kind: it has source or host_path");
                None
            }
            _ => {
                at.wrong(format!("has {}: one of them says what the volume is", given.join(" and ")));
                None
            }
        };
        match source {
            None => continue,
            Some(Found::Sandbox) => {}
            Some(Found::Volume(source)) => mount.volume = shared_alias(volumes, source, &at.path, mount.read_only),
        }
        task.mounts.push(mount);
    }
}

enum Found {
    /// A folder of the task's own sandbox, as the mount says.
    Sandbox,
    Volume(Source),
}

fn host_path(at: &At<'_>, mount: &mut Mount) -> Option<Found> {
    let path = container_path(at)?;
    if path.starts_with('/') {
        return Some(Found::Volume(Source::HostPath(path)));
    }
    mount.sub_path = Some(path);
    Some(Found::Sandbox)
}

fn of_source(volume: &At<'_>, source: &At<'_>, mount: &mut Mount, ids: &mut BTreeSet<(String, String)>) -> Option<Found> {
    match source.required("type")?.one_of(&KINDS, false)? {
        Kind::Csi => csi(volume, &source.required("csi_volume")?, mount, ids),
        Kind::Host => {
            let host = source.required("host_path")?;
            let modes = [("HOST_TO_CONTAINER", Propagation::HostToTask), ("BIDIRECTIONAL", Propagation::Bidirectional)];
            let mode = host.get("mount_propagation").and_then(|propagation| propagation.get("mode")?.one_of(&modes, false));
            mount.propagation = mode.unwrap_or_default();
            host_path(&host.required("path")?, mount)
        }
        Kind::Sandbox => {
            let sandbox = source.required("sandbox_path")?;
            let path = sandbox.required("path").and_then(|path| {
                let plain = container_path(&path)?;
                if plain.starts_with('/') {
                    path.wrong("has to be relative: it is a folder of the sandbox");
                    return None;
                }
                Some(plain)
            })?;
            mount.sub_path = Some(path);
            match sandbox.required("type")?.one_of(&[("SELF", false), ("PARENT", true)], false)? {
                false => Some(Found::Sandbox),
                true => Some(Found::Volume(Source::Empty { memory: None })),
            }
        }
        Kind::Secret => {
            let value = secret::read(&source.required("secret")?)?;
            mount.sub_path = Some("value".to_owned());
            mount.read_only = true;
            Some(Found::Volume(Source::Files(BTreeMap::from([("value".to_owned(), FileData::Secret(value))]))))
        }
        Kind::Docker => {
            source.wrong("is a volume of Docker's plugins, which are no CSI: use a CSI volume, or Docker with `longshore serve` as its plugin");
            None
        }
    }
}

fn csi(volume: &At<'_>, csi: &At<'_>, mount: &Mount, ids: &mut BTreeSet<(String, String)>) -> Option<Found> {
    let plugin = csi.required("plugin_name").and_then(|plugin| Some((plugin.text()?, plugin)));
    if let Some((name, plugin)) = &plugin
        && name.is_empty()
    {
        plugin.wrong("is empty; it is the `type` of the plugin's configuration");
    }
    let known = csi.required("static_provisioning")?;
    let id = known.required("volume_id").and_then(|id| Some((volume_id(&id)?, id)));
    let capability = known.required("volume_capability").and_then(|capability| capability_of(&capability));
    if let Some(capability) = &capability
        && reader_only(capability.access_mode)
        && !mount.read_only
    {
        let mode = mode_name(capability.access_mode);
        volume.reader.problem(
            &volume.path_of("mode"),
            format!("is RW, but access_mode {mode} lets nobody write: say RO, or use another access_mode"),
        );
    }
    if let Some(readonly) = known.get("readonly")
        && readonly.flag() == Some(true)
        && !mount.read_only
    {
        readonly.wrong("is true, but the volume's mode is RW, which decides: say mode RO, or remove readonly");
    }
    let (stage_secrets, publish_secrets) = (secrets(&known, "node_stage_secrets"), secrets(&known, "node_publish_secrets"));
    let context = known.texts_of("volume_context");
    let ((plugin, field), (volume_id, id_at)) = (plugin?, id?);
    if !ids.insert((plugin.clone(), volume_id.clone())) {
        id_at.wrong(format!("volume {volume_id:?} of this plugin is in this container already; a container has a volume once"));
    }
    debug_assert!(!matches!(&mount.target, Target::Sandbox(path) if path.is_empty()), "container_path refuses it");
    Some(Found::Volume(Source::Csi(Box::new(CsiVolume {
        plugin,
        plugin_field: field.path,
        volume_id,
        capability: capability?,
        context,
        stage_secrets,
        publish_secrets,
        secrets_fields: [known.path_of("node_stage_secrets"), known.path_of("node_publish_secrets")],
    }))))
}

fn secrets(known: &At<'_>, name: &str) -> BTreeMap<String, SecretValue> {
    let entries = known.get(name).map(|map| map.entries()).unwrap_or_default();
    entries.into_iter().filter_map(|(key, value)| Some((key, secret::read(&value)?))).collect()
}

fn capability_of(at: &At<'_>) -> Option<VolumeCapability> {
    let mode = at.required("access_mode").and_then(|mode| mode.required("mode")?.one_of(&ACCESS_MODES, false));
    let access_type = match (at.get("mount"), at.get("block")) {
        (Some(_), Some(block)) => {
            block.wrong("and mount are both given: a volume is used as one of them");
            None
        }
        (Some(mount), None) => {
            mount.object()?;
            let fs_type = mount.text_of("fs_type").unwrap_or_default();
            let mount_flags = mount.get("mount_flags").map(|flags| mount_flags(&flags)).unwrap_or_default();
            Some(AccessType::Mount { fs_type, mount_flags, volume_mount_group: String::new() })
        }
        (None, Some(_)) => Some(AccessType::Block),
        (None, None) => {
            at.wrong("says neither mount nor block");
            None
        }
    };
    Some(VolumeCapability { access_type: access_type?, access_mode: mode? })
}
