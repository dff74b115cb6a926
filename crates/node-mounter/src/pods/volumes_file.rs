//! Where a pod's volumes are, for whoever runs its containers: `volumes.json` in the pod's folder, and the same over HTTP.

use serde::Serialize;

use csi_types::VolumeMode;

use crate::agent::Agent;
use crate::error::Error;
use crate::journal::Place;
use crate::state::State;

/// The whole answer for one pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodVolumes {
    /// Tells the pod from its namesakes.
    pub pod_uid: String,
    /// Empty for a pod that is no longer in the API.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// Whether containers may start: every volume that one of them uses is there.
    pub ready: bool,
    /// Groups that the containers' processes have to be in to use the volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_group: Option<i64>,
    /// In the pod's order.
    pub volumes: Vec<PodVolume>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PodVolume {
    /// `volumes[].name` of the pod.
    pub name: String,
    /// `Filesystem` or `Block`; absent until it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<VolumeMode>,
    /// The directory, or a link to the device, on this host. Absent until it is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// To be mounted read-only in every container.
    pub read_only: bool,
    /// Why it is not there, if that is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub waiting_for: String,
}

/// What there is to say about a pod; `None` for one that is not known here.
pub(crate) fn pod_volumes(agent: &Agent, uid: &str) -> Option<PodVolumes> {
    let state = agent.state();
    let entry = state.pods.get(uid)?;
    let mut volumes: Vec<PodVolume> = Vec::new();
    for used in crate::pod::used(&entry.pod) {
        let name = used.volume.name.to_string();
        let wanted = entry.wants.iter().flatten().find(|wanted| wanted.volume == name);
        volumes.push(match wanted {
            Some(wanted) => {
                let path = path(agent, &state, uid, &wanted.spec);
                PodVolume {
                    name,
                    mode: Some(wanted.spec.mode),
                    read_only: wanted.spec.read_only,
                    waiting_for: if path.is_some() { String::new() } else { format!("{} is not mounted yet", wanted.spec.name) },
                    path,
                }
            }
            None => {
                let waiting_for = entry.unresolved.get(&name).cloned().unwrap_or_else(|| "not looked up yet".to_owned());
                PodVolume { name, mode: None, path: None, read_only: false, waiting_for }
            }
        });
    }
    Some(PodVolumes {
        pod_uid: uid.to_owned(),
        namespace: entry.pod.meta.key.namespace().unwrap_or_default().to_owned(),
        name: entry.pod.meta.key.name().to_owned(),
        ready: volumes.iter().all(|volume| volume.path.is_some()),
        fs_group: entry.pod.fs_group,
        volumes,
    })
}

fn path(agent: &Agent, state: &State, uid: &str, spec: &crate::spec::Spec) -> Option<String> {
    let place = Place { pod_uid: uid.to_owned(), spec_name: spec.name.clone() };
    let publish = state.records.get(&spec.key)?.publish(&place).filter(|publish| publish.done)?;
    let path = match spec.mode {
        VolumeMode::Filesystem => publish.target.clone(),
        VolumeMode::Block => agent.config.root.pod_device(uid, &spec.name),
    };
    Some(path.to_string_lossy().into_owned())
}

/// The file's content: one JSON object and a newline. Empty for an unknown pod.
pub(crate) fn content(agent: &Agent, uid: &str) -> String {
    match pod_volumes(agent, uid).and_then(|volumes| serde_json::to_string(&volumes).ok()) {
        Some(text) => text + "\n",
        None => String::new(),
    }
}

/// Replaces the file atomically.
pub(crate) async fn act(agent: &Agent, uid: &str) -> Result<(), Error> {
    let (folder, file) = (agent.config.root.pod(uid), agent.config.root.pod_volumes_file(uid));
    let text = content(agent, uid);
    if agent.state().files.get(uid) == Some(&text) {
        return Ok(());
    }
    agent.ctx.disk().make_dir(&folder).await.map_err(Error::path("make the folder", folder))?;
    agent.ctx.disk().replace(&file, text.clone().into_bytes()).await.map_err(Error::path("write", file))?;
    agent.state().files.insert(uid.to_owned(), text);
    Ok(())
}
