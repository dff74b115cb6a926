//! From a pod to what its containers are told: command, environment, mounts, user. Pure but for what is looked up before.
//!
//! Images are not used, so a container needs a `command`; probes, lifecycle hooks and resource limits are not looked at. What
//! cannot be had here is one sentence.

mod env;
mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Volume};
use serde::Deserialize;

use crate::launch::{Launch, Mount, Source};
pub(crate) use env::{Looked, needs};

/// What node-mounter says of a pod's volumes, in `volumes.json`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Mounted {
    pub(crate) ready: bool,
    pub(crate) fs_group: Option<i64>,
    pub(crate) volumes: Vec<MountedVolume>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct MountedVolume {
    pub(crate) name: String,
    pub(crate) path: Option<PathBuf>,
    pub(crate) read_only: bool,
    pub(crate) waiting_for: String,
}

/// Init containers, then the others.
pub(crate) fn containers(spec: &PodSpec) -> impl Iterator<Item = (bool, &Container)> {
    let inits = spec.init_containers.iter().flatten().map(|container| (true, container));
    inits.chain(spec.containers.iter().map(|container| (false, container)))
}

/// Whether node-mounter has to bring volumes.
pub(crate) fn has_csi_volumes(spec: &PodSpec) -> bool {
    spec.volumes.iter().flatten().any(is_csi)
}

fn is_csi(volume: &Volume) -> bool {
    volume.persistent_volume_claim.is_some() || volume.ephemeral.is_some() || volume.csi.is_some()
}

/// Why this pod can never run here; `None` if it can.
pub(crate) fn unfit(spec: &PodSpec) -> Option<String> {
    for (init, container) in containers(spec) {
        if container.command.as_ref().is_none_or(Vec::is_empty) {
            return Some(format!(
                "container {} has no command; images are not used on this host, so what to run has to be in command",
                container.name
            ));
        }
        if init && container.restart_policy.is_some() {
            return Some(format!("init container {} is a sidecar (restartPolicy), which this host does not run", container.name));
        }
    }
    for volume in spec.volumes.iter().flatten() {
        let known = is_csi(volume)
            || volume.empty_dir.is_some()
            || volume.host_path.is_some()
            || volume.config_map.is_some()
            || volume.secret.is_some()
            || volume.downward_api.is_some();
        if !known {
            return Some(format!(
                "volume {} is of a kind that this host does not have; it has persistentVolumeClaim, ephemeral, csi, emptyDir, hostPath, \
                 configMap, secret and downwardAPI",
                volume.name
            ));
        }
    }
    None
}

/// Everything that a start needs besides the pod.
pub(crate) struct Around<'a> {
    pub(crate) mounted: &'a Mounted,
    /// ConfigMaps and Secrets.
    pub(crate) looked: &'a Looked,
    /// Where the pod's `emptyDir`s are.
    pub(crate) empty_dirs: &'a Path,
    /// The attempt's folder.
    pub(crate) dir: &'a Path,
}

/// What a container is told.
///
/// # Errors
/// What is missing, in one sentence.
pub(crate) fn launch(pod: &Pod, container: &Container, around: &Around<'_>) -> Result<Launch, String> {
    let spec = pod.spec.as_ref().ok_or("the pod has no spec")?;
    let env = env::environment(pod, container, around.looked)?;
    let known: BTreeMap<&str, &str> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let words = container.command.iter().flatten().chain(container.args.iter().flatten());
    let existing = existing_paths(pod, &container.name)?;
    let mut mounts = Vec::new();
    for mount in container.volume_mounts.iter().flatten() {
        let volume = spec.volumes.iter().flatten().find(|volume| volume.name == mount.name);
        let volume = volume
            .ok_or_else(|| format!("volumeMounts of {} names {}, which the pod does not have", container.name, mount.name))?;
        let (mut source, read_only) = source(pod, volume, around)?;
        let sub_path = match (&mount.sub_path, &mount.sub_path_expr) {
            (Some(path), _) if !path.is_empty() => Some(path.clone()),
            (_, Some(expression)) if !expression.is_empty() => Some(env::expand(expression, &known)),
            _ => None,
        };
        if let Some(path) = sub_path {
            source = below(source, &path).ok_or_else(|| format!("volume {} has no subPath {path}", mount.name))?;
        }
        let read_only = read_only || mount.read_only.unwrap_or(false);
        let existing = existing.contains(&mount.mount_path);
        mounts.push(Mount { target: mount.mount_path.clone().into(), source, read_only, existing });
    }
    for device in container.volume_devices.iter().flatten() {
        let path = around.mounted.volumes.iter().find(|volume| volume.name == device.name).and_then(|volume| volume.path.clone());
        let path = path.ok_or_else(|| format!("block volume {} is not there yet", device.name))?;
        mounts.push(Mount {
            target: device.device_path.clone().into(),
            source: Source::Device(path),
            read_only: false,
            existing: existing.contains(&device.device_path),
        });
    }
    let pod_context = spec.security_context.clone().unwrap_or_default();
    let context = container.security_context.clone().unwrap_or_default();
    let number = |value: Option<i64>, what: &str| match value.map(u32::try_from) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(format!("{what} is no user or group of this host")),
    };
    let mut groups = Vec::new();
    for group in pod_context.supplemental_groups.iter().flatten().copied().chain(around.mounted.fs_group.or(pod_context.fs_group))
    {
        groups.extend(number(Some(group), "a group of securityContext")?);
    }
    Ok(Launch {
        dir: around.dir.to_owned(),
        command: words.map(|word| env::expand(word, &known)).collect(),
        working_dir: container.working_dir.clone().filter(|dir| !dir.is_empty()).map(PathBuf::from),
        mounts,
        user: number(context.run_as_user.or(pod_context.run_as_user), "runAsUser")?,
        group: number(context.run_as_group.or(pod_context.run_as_group), "runAsGroup")?,
        groups,
        env,
    })
}

/// On a pod: mount paths that have to be on the host already, as JSON, by container: `{"task": ["/data"]}`. If one is not, the
/// container fails and says so. For pods of systems that have it so (Mesos, for tasks without a root filesystem).
pub const EXISTING_PATHS: &str = "longshore.io/existing-paths";

fn existing_paths(pod: &Pod, container: &str) -> Result<BTreeSet<String>, String> {
    let Some(text) = pod.metadata.annotations.as_ref().and_then(|annotations| annotations.get(EXISTING_PATHS)) else {
        return Ok(BTreeSet::new());
    };
    let mut all: BTreeMap<String, BTreeSet<String>> = serde_json::from_str(text)
        .map_err(|error| format!("annotation {EXISTING_PATHS} has to be JSON as {{\"CONTAINER\": [\"/PATH\"]}}: {error}"))?;
    Ok(all.remove(container).unwrap_or_default())
}

/// What a volume is on this host, and whether it is read-only for everybody.
fn source(pod: &Pod, volume: &Volume, around: &Around<'_>) -> Result<(Source, bool), String> {
    if is_csi(volume) {
        let mounted = around.mounted.volumes.iter().find(|mounted| mounted.name == volume.name);
        let there = mounted.and_then(|mounted| Some((mounted.path.clone()?, mounted.read_only)));
        let (path, read_only) = there.ok_or_else(|| format!("volume {} is not mounted yet", volume.name))?;
        return Ok((Source::Path(path), read_only));
    }
    if let Some(host) = &volume.host_path {
        return Ok((Source::Path(host.path.clone().into()), false));
    }
    if volume.empty_dir.is_some() {
        return Ok((Source::Path(around.empty_dirs.join(&volume.name)), false));
    }
    Ok((Source::Files(files::of(pod, volume, around.looked)?), true))
}

fn below(source: Source, path: &str) -> Option<Source> {
    match source {
        Source::Path(volume) => Some(Source::SubPath(volume, path.into())),
        // One file of several becomes the place itself.
        Source::Files(mut files) => files.remove(path).map(|(bytes, mode)| Source::File(bytes, mode)),
        Source::SubPath(..) | Source::File(..) | Source::Device(_) => None,
    }
}

#[cfg(test)]
mod tests;
