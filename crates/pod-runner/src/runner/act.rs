//! The things that can be done to a pod's containers. Repeating each is harmless.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cluster::EventType;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::api::{Patch, PatchParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use super::observe::{EMPTY_DIRS, Seen};
use super::{Runner, Running};
use crate::error::Error;
use crate::plan::{Action, State};
use crate::process::Supervisor;
use crate::record::Attempt;
use crate::spec::{self, Around, Looked};
use crate::status;

/// A killed process is gone in less, and so is its entry.
const NOTED: Duration = Duration::from_millis(2);

pub(super) async fn act(runner: &Runner, uid: &str, seen: &Seen, action: &Action) -> Result<(), Error> {
    match (action, &seen.pod) {
        (Action::Start(index), Some(pod)) => start(runner, uid, seen, pod, *index).await,
        (Action::PostStatus, Some(pod)) => post(runner, pod, &seen.status).await,
        (Action::Start(_) | Action::PostStatus, None) => Ok(()),
        (Action::Terminate(index), pod) => {
            let container = &seen.view.containers[*index].name;
            if let Some(pod) = pod {
                runner.tell(pod, EventType::Normal, "Killing", format!("Stopping container {container}"));
            }
            signal(runner, uid, container, |running| {
                running.asked = true;
                running.supervisor.terminate();
            });
            Ok(())
        }
        (Action::Kill(index), _) => {
            let container = seen.view.containers[*index].name.clone();
            signal(runner, uid, &container, |running| running.supervisor.kill());
            // Its end is noted by the task that waits for it; until then there is nothing to do but to wait, too.
            let key = (uid.to_owned(), container);
            while runner.known().running.contains_key(&key) {
                runner.ctx.sleep(NOTED).await;
            }
            Ok(())
        }
        (Action::RemoveFolder, _) => {
            let folder = runner.config.pods.join(uid);
            let removed = runner.ctx.blocking(move || std::fs::remove_dir_all(folder)).await;
            match removed {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::RemoveFolder(error)),
                _ => Ok(()),
            }
        }
    }
}

fn signal(runner: &Runner, uid: &str, container: &str, send: impl FnOnce(&mut Running)) {
    if let Some(running) = runner.known().running.get_mut(&(uid.to_owned(), container.to_owned())) {
        send(running);
    }
}

async fn start(runner: &Runner, uid: &str, seen: &Seen, pod: &Arc<Pod>, index: usize) -> Result<(), Error> {
    let spec = pod.spec.clone().unwrap_or_default();
    let Some((_, container)) = spec::containers(&spec).nth(index) else { return Ok(()) };
    let name = container.name.clone();
    let wrong = |why: String| Error::Configuration { container: name.clone(), why };
    let number = match &seen.shown[index].state {
        State::Ended { restarts, .. } => restarts + 1,
        State::New | State::Running { .. } => seen.shown[index].restarts,
    };
    let attempt = Attempt::of(&runner.config.pods, uid, &name, number);
    let looked = look_up(runner, pod, container).await?;
    let empty_dirs = runner.config.pods.join(uid).join(EMPTY_DIRS);
    for volume in spec.volumes.iter().flatten().filter(|volume| volume.empty_dir.is_some()) {
        let made = std::fs::create_dir_all(empty_dirs.join(&volume.name));
        made.map_err(|error| wrong(format!("emptyDir {} cannot be made: {error}", volume.name)))?;
    }
    let around = Around { mounted: &seen.mounted, looked: &looked, empty_dirs: &empty_dirs, dir: &attempt.dir };
    let launch = spec::launch(pod, container, &around).map_err(wrong)?;
    runner.known().unconfigured.remove(uid);
    // Told before it is so: once nothing says `running`, the mounter may take the volumes of a pod that is going.
    let since = runner.ctx.timestamp();
    let mut shown = seen.shown.clone();
    shown[index].state = State::Running { asked: false };
    shown[index].since = Some(since);
    shown[index].restarts = number;
    let restart = seen.view.pod.as_ref().map_or(crate::plan::Restart::Always, |pod| pod.restart);
    let started = pod.status.as_ref().and_then(|status| status.start_time.as_ref().map(|time| time.0)).or(Some(since));
    post(runner, pod, &status::status(&shown, restart, ("ContainerCreating", ""), started)).await?;
    let supervisor = Supervisor::start(&runner.config.program, &attempt, &launch).await;
    let supervisor = supervisor.map_err(|source| Error::Start { container: name.clone(), source })?;
    runner.runs(uid, &name, Running { attempt, supervisor, asked: false, since });
    runner.tell(pod, EventType::Normal, "Started", format!("Started container {name}"));
    Ok(())
}

async fn post(runner: &Runner, pod: &Pod, status: &Value) -> Result<(), Error> {
    let (namespace, name) = (pod.namespace().unwrap_or_default(), pod.name_any());
    let api: Api<Pod> = Api::namespaced(runner.client.clone(), &namespace);
    let patch = json!({ "metadata": { "uid": pod.uid() }, "status": status });
    let patched = api.patch_status(&name, &PatchParams::default(), &Patch::Strategic(&patch)).await;
    let object = format!("Pod {namespace}/{name}");
    let patched = patched.map_err(|source| Error::Api { attempt: "write the status of", object, source })?;
    // The watch will bring it, too; the next look need not wait.
    if let Some(uid) = patched.uid() {
        let mut known = runner.known();
        if let Some(have) = known.pods.get_mut(&uid) {
            *have = Arc::new(patched);
        }
    }
    Ok(())
}

/// ConfigMaps and Secrets, read now and kept no longer than this start.
async fn look_up(runner: &Runner, pod: &Pod, container: &k8s_openapi::api::core::v1::Container) -> Result<Looked, Error> {
    let namespace = pod.namespace().unwrap_or_default();
    let needs = spec::needs(pod, container);
    let mut looked = Looked::default();
    for name in needs.config_maps {
        let api: Api<ConfigMap> = Api::namespaced(runner.client.clone(), &namespace);
        let found = api.get_opt(&name).await;
        let found =
            found.map_err(|source| Error::Api { attempt: "read", object: format!("ConfigMap {namespace}/{name}"), source })?;
        if let Some(found) = found {
            let mut data: BTreeMap<String, Vec<u8>> =
                found.data.unwrap_or_default().into_iter().map(|(key, text)| (key, text.into_bytes())).collect();
            data.extend(found.binary_data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0)));
            looked.config_maps.insert(name, data);
        }
    }
    for name in needs.secrets {
        let api: Api<Secret> = Api::namespaced(runner.client.clone(), &namespace);
        let found = api.get_opt(&name).await;
        let found =
            found.map_err(|source| Error::Api { attempt: "read", object: format!("Secret {namespace}/{name}"), source })?;
        if let Some(found) = found {
            let data = found.data.unwrap_or_default().into_iter().map(|(key, bytes)| (key, bytes.0)).collect();
            looked.secrets.insert(name, data);
        }
    }
    Ok(looked)
}
