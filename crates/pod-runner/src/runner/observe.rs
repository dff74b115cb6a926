//! A pod's facts: from the API, from what node-mounter says, and from the disk.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use serde_json::Value;

use super::Runner;
use crate::plan::backoff::{self, Pauses};
use crate::plan::{Container, PodFacts, Restart, State, View};
use crate::record::{Attempt, names};
use crate::spec::{self, Mounted};
use crate::status::{self, Shown};

/// The facts, and what acting on them needs.
pub(crate) struct Seen {
    pub(crate) view: View,
    pub(crate) pod: Option<Arc<Pod>>,
    pub(crate) mounted: Mounted,
    /// In the order of the view's containers.
    pub(crate) shown: Vec<Shown>,
    /// What the status should be.
    pub(crate) status: Value,
}

pub(super) fn observe(runner: &Runner, uid: &str) -> Seen {
    let now = runner.ctx.timestamp();
    let (pod, listed) = {
        let known = runner.known();
        (known.pods.get(uid).cloned(), known.listed)
    };
    let folder = runner.config.pods.join(uid);
    let Some(pod) = pod else {
        runner.known().unconfigured.remove(uid);
        let left = if listed { names(&folder).unwrap_or_default() } else { Vec::new() };
        let containers = left.iter().filter(|name| *name != EMPTY_DIRS);
        let containers = containers.map(|name| of_disk(runner, uid, name, false)).map(|shown| of_shown(&shown)).collect();
        let view = View { pod: None, containers, told: true, folder: listed && folder.exists(), now };
        return Seen { view, pod: None, mounted: Mounted::default(), shown: Vec::new(), status: Value::Null };
    };
    let spec = pod.spec.clone().unwrap_or_default();
    let mounted = mounted(runner, uid);
    let restart = match spec.restart_policy.as_deref() {
        Some("Never") => Restart::Never,
        Some("OnFailure") => Restart::OnFailure,
        _ => Restart::Always,
    };
    let shown: Vec<Shown> = spec::containers(&spec)
        .map(|(init, container)| Shown {
            image: container.image.clone().unwrap_or_default(),
            ..of_disk(runner, uid, &container.name, init)
        })
        .collect();
    let annotation = |name: &str| pod.metadata.annotations.as_ref()?.get(name).map(String::as_str);
    let pauses = Pauses::parse(annotation(backoff::ANNOTATION));
    let unfit = spec::unfit(&spec).or_else(|| pauses.as_ref().err().cloned());
    let awaits = awaits(&spec, &mounted);
    let unconfigured = {
        let mut known = runner.known();
        match awaits.is_some() && unfit.is_none() {
            true => drop(known.awaiting.entry(uid.to_owned()).or_insert(runner.ctx.now())),
            false => drop(known.awaiting.remove(uid)),
        }
        known.unconfigured.get(uid).cloned()
    };
    let reason = match (&unfit, &awaits, &unconfigured) {
        (Some(wrong), _, _) | (None, None, Some(wrong)) => ("CreateContainerConfigError", wrong.as_str()),
        (None, Some(awaits), _) => ("ContainerCreating", awaits.as_str()),
        (None, None, None) => ("ContainerCreating", ""),
    };
    let started = pod.status.as_ref().and_then(|status| status.start_time.as_ref().map(|time| time.0)).or(Some(now));
    let status = status::status(&shown, restart, reason, started);
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
    let facts = PodFacts {
        restart,
        pauses: pauses.unwrap_or_default(),
        // `deletionTimestamp` is when the grace is over.
        deadline: pod.metadata.deletion_timestamp.as_ref().map(|time| time.0),
        ended: matches!(phase, "Succeeded" | "Failed"),
        awaits,
        unfit,
    };
    let containers = shown.iter().map(of_shown).collect();
    let told = status::told(&pod, &status);
    let view = View { pod: Some(facts), containers, told, folder: folder.exists(), now };
    Seen { view, pod: Some(pod), mounted, shown, status }
}

/// The folder, among those of containers, that holds the pod's `emptyDir`s. No container can have such a name.
pub(super) const EMPTY_DIRS: &str = "_emptydirs";

fn mounted(runner: &Runner, uid: &str) -> Mounted {
    // Not there yet is as good as not ready.
    let text = std::fs::read(runner.config.root.pod_volumes_file(uid)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn awaits(spec: &k8s_openapi::api::core::v1::PodSpec, mounted: &Mounted) -> Option<String> {
    if !spec::has_csi_volumes(spec) || mounted.ready {
        return None;
    }
    let missing = mounted.volumes.iter().filter(|volume| volume.path.is_none());
    let missing: Vec<String> = missing.map(|volume| format!("volume {}: {}", volume.name, volume.waiting_for)).collect();
    Some(if missing.is_empty() { "the mounter has not looked at its volumes yet".to_owned() } else { missing.join("; ") })
}

fn of_disk(runner: &Runner, uid: &str, name: &str, init: bool) -> Shown {
    let running = runner.known().running.get(&(uid.to_owned(), name.to_owned())).cloned();
    let pods = &runner.config.pods;
    let newest = Attempt::newest(pods, uid, name).ok().flatten();
    let number = newest.as_ref().map_or(0, |attempt| attempt.number);
    let before = number.checked_sub(1).map(|before| Attempt::of(pods, uid, name, before));
    let before = before.and_then(|attempt| Some((attempt.started().or_else(|| Some(attempt.exit()?.at))?, attempt.exit()?)));
    let since = running.as_ref().map(|running| running.since).or_else(|| newest.as_ref()?.started());
    let exit = newest.as_ref().and_then(Attempt::exit);
    let state = match (running, exit) {
        (Some(running), _) => State::Running { asked: running.asked },
        (None, Some(exit)) => {
            let ran = since.map_or(SignedDuration::ZERO, |since: Timestamp| exit.at.duration_since(since));
            State::Ended { exit, restarts: number, ran }
        }
        // The process died between the folder and the container: nothing ran.
        (None, None) => State::New,
    };
    Shown { name: name.to_owned(), image: String::new(), init, state, since, before, restarts: number }
}

fn of_shown(shown: &Shown) -> Container {
    Container { name: shown.name.clone(), init: shown.init, state: shown.state.clone() }
}
