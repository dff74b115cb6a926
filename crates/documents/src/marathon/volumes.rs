//! `container.volumes`: what an app mounts.

use std::collections::{BTreeMap, BTreeSet};

use csi_types::{AccessType, VolumeCapability};

use super::app::secret;
use crate::csi::{ACCESS_MODES, container_path, mode_name, mount_flags, reader_only, volume_id};
use crate::model::{CsiVolume, FileData, Mount, Propagation, SANDBOX, SecretValue, Source, Target, Task, Volume};
use crate::read::At;

/// All of them; the task gets their mounts.
pub(super) fn read(container: Option<&At<'_>>, task: &mut Task, secrets: &BTreeMap<String, String>) -> Vec<Volume> {
    let Some(container) = container else { return Vec::new() };
    let types = [("MESOS", true), ("DOCKER", false)];
    let kind = container.get("type");
    let mesos = kind.as_ref().and_then(|kind| kind.one_of(&types, true)).unwrap_or(kind.is_some());
    if !mesos && task.image.is_none() {
        container.wrong("is of type DOCKER (the default) and has no docker.image: say \"type\": \"MESOS\", or name an image");
    }
    let mut volumes = Vec::new();
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for (index, at) in container.list_of("volumes").iter().enumerate() {
        let Some(path) = at.required("containerPath").and_then(|path| container_path(&path)) else { continue };
        if !places.insert(path.clone()) {
            at.reader.problem(&at.path_of("containerPath"), format!("{path:?} is the place of an earlier volume already"));
        }
        let target = target(&path, task.image.is_some());
        let mut mount = Mount {
            volume: format!("volume-{index}"),
            field: at.path_of("containerPath"),
            target,
            sub_path: None,
            read_only: false,
            propagation: Propagation::Private,
        };
        let read = if let Some(external) = at.get("external") {
            if !mesos && external.text_of("provider").as_deref() == Some("csi") {
                external.wrong("needs a container of type MESOS: DC/OS has CSI volumes in its own runtime only, not in Docker's");
            }
            external_volume(at, &external, &mut ids)
        } else if at.get("persistent").is_some() {
            // The table of fields has refused it.
            None
        } else if let Some(alias) = at.get("secret") {
            secret_file(&alias, &path, &mut mount, secrets)
        } else {
            host_path(at, &mut mount)
        };
        let Some((source, read_only)) = read else { continue };
        mount.read_only = read_only;
        if mount.volume != SANDBOX {
            volumes.push(Volume { alias: mount.volume.clone(), field: at.path.clone(), source, read_only });
        }
        task.mounts.push(mount);
    }
    let shm = container.get("linuxInfo").and_then(|info| info.get("ipcInfo")?.number_of("shmSize"));
    if let Some(size) = shm {
        let alias = "shm".to_owned();
        let field = container.path_of("linuxInfo.ipcInfo.shmSize");
        let memory = Some(super::app::mib(size));
        volumes.push(Volume { alias: alias.clone(), field: field.clone(), source: Source::Empty { memory }, read_only: false });
        let target = Target::Made("/dev/shm".to_owned());
        let propagation = Propagation::Private;
        task.mounts.push(Mount { volume: alias, field, target, sub_path: None, read_only: false, propagation });
    }
    volumes
}

/// Source: Mesos `volume/csi`, the table of `container_path`.
pub(crate) fn target(path: &str, image: bool) -> Target {
    match (path.starts_with('/'), image) {
        (false, _) => Target::Sandbox(path.to_owned()),
        (true, true) => Target::Made(path.to_owned()),
        (true, false) => Target::Existing(path.to_owned()),
    }
}

/// Whether nobody may write; noted if it is missing.
fn mode(at: &At<'_>) -> Option<bool> {
    at.required("mode")?.one_of(&[("RO", true), ("RW", false)], true)
}

fn host_path(at: &At<'_>, mount: &mut Mount) -> Option<(Source, bool)> {
    let Some(host) = at.get("hostPath") else {
        at.wrong("is of no kind: it has external, persistent, secret or hostPath");
        return None;
    };
    let (path, read_only) = (container_path(&host), mode(at));
    let (path, read_only) = (path?, read_only?);
    if path.starts_with('/') {
        return Some((Source::HostPath(path), read_only));
    }
    // A folder of the sandbox.
    mount.volume = SANDBOX.to_owned();
    mount.sub_path = Some(path);
    Some((Source::Empty { memory: None }, read_only))
}

fn secret_file(alias: &At<'_>, path: &str, mount: &mut Mount, secrets: &BTreeMap<String, String>) -> Option<(Source, bool)> {
    let value = secret(alias, secrets)?;
    // Below the sandbox, wherever it seems to be. Source: Mesos `volume/secret`.
    mount.target = Target::Sandbox(path.trim_start_matches('/').to_owned());
    mount.sub_path = Some("value".to_owned());
    Some((Source::Files(BTreeMap::from([("value".to_owned(), FileData::Secret(value))])), true))
}

fn external_volume(at: &At<'_>, external: &At<'_>, ids: &mut BTreeSet<String>) -> Option<(Source, bool)> {
    let provider = external.required("provider")?;
    match provider.text()?.as_str() {
        "csi" => {}
        "dvdi" => {
            provider.wrong(
                "is dvdi, Docker's volume plugins, which are no CSI: use a CSI volume, or Docker with `longshore serve` as its plugin",
            );
            return None;
        }
        other => {
            provider.wrong(format!("has to be csi, not {other:?}"));
            return None;
        }
    }
    let id = external.required("name").and_then(|name| Some((volume_id(&name)?, name)));
    if let Some((id, name)) = &id
        && !ids.insert(id.clone())
    {
        name.wrong(format!("volume {id:?} is in this app already; an app has a volume once"));
    }
    let read_only = mode(at);
    let options = external.required("options")?;
    let plugin = options.required("pluginName").and_then(|plugin| Some((plugin.text()?, plugin)));
    if let Some((name, plugin)) = &plugin
        && name.is_empty()
    {
        plugin.wrong("is empty; it is the `type` of the plugin's configuration");
    }
    let capability = options.required("capability").and_then(|capability| read_capability(&options, &capability));
    if let (Some(capability), Some(false)) = (&capability, read_only)
        && reader_only(capability.access_mode)
    {
        let mode = mode_name(capability.access_mode);
        at.reader.problem(
            &at.path_of("mode"),
            format!("is rw, but accessMode {mode} lets nobody write: say ro, or use another accessMode"),
        );
    }
    let (stage_secrets, publish_secrets) = (secret_map(&options, "nodeStageSecret"), secret_map(&options, "nodePublishSecret"));
    let context = options.texts_of("volumeContext");
    let (plugin, field) = plugin?;
    let csi = CsiVolume {
        plugin,
        plugin_field: field.path.clone(),
        volume_id: id?.0,
        capability: capability?,
        context,
        stage_secrets,
        publish_secrets,
        secrets_fields: [options.path_of("nodeStageSecret"), options.path_of("nodePublishSecret")],
    };
    Some((Source::Csi(Box::new(csi)), read_only?))
}

/// The values are names in the store itself: an app's `secrets` are not asked. Source: Marathon's translation to Mesos.
fn secret_map(options: &At<'_>, name: &str) -> BTreeMap<String, SecretValue> {
    let mut map = BTreeMap::new();
    for (key, value) in options.get(name).map(|map| map.entries()).unwrap_or_default() {
        match value.text() {
            Some(text) if text.is_empty() => value.wrong("is empty; it is the name of a secret in the secret store"),
            Some(text) => drop(map.insert(key, SecretValue::named(text))),
            None => {}
        }
    }
    map
}

fn read_capability(options: &At<'_>, capability: &At<'_>) -> Option<VolumeCapability> {
    let access_mode = capability.required("accessMode").and_then(|mode| mode.one_of(&ACCESS_MODES, false));
    let block = capability.required("accessType").and_then(|kind| kind.one_of(&[("mount", false), ("block", true)], false));
    // Where DC/OS' own page has them.
    let documented = options.get("accessType").filter(|at| at.object().is_some());
    let both = |name: &str| (capability.get(name), documented.as_ref().and_then(|documented| documented.get(name)));
    let differ = |one: &At<'_>, other: &At<'_>| {
        other.wrong(format!("and {} differ; keep one of them", one.path));
    };
    let fs_type = match both("fsType") {
        (Some(one), Some(other)) if one.value != other.value => {
            differ(&one, &other);
            None
        }
        (one, other) => one.or(other),
    };
    let flags = match both("mountFlags") {
        (Some(one), Some(other)) if one.value != other.value => {
            differ(&one, &other);
            None
        }
        (one, other) => one.or(other),
    };
    if block == Some(true) {
        for at in [&fs_type, &flags].into_iter().flatten() {
            at.warn("is left out: a block volume has no filesystem");
        }
        return Some(VolumeCapability { access_type: AccessType::Block, access_mode: access_mode? });
    }
    let fs_type = fs_type.and_then(|at| at.text()).unwrap_or_default();
    let mount_flags = flags.map(|at| mount_flags(&at)).unwrap_or_default();
    let access_type = AccessType::Mount { fs_type, mount_flags, volume_mount_group: String::new() };
    block?;
    Some(VolumeCapability { access_type, access_mode: access_mode? })
}
