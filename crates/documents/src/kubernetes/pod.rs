//! The pod of a workload.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::{EXISTING_PATHS, ID, Making, Place, RESTART_BACKOFF, container, placement};
use crate::model::{Backoff, Format, Restart, Role, Workload};
use crate::yaml::{Map, Node};

/// A pod's metadata without its name, and its spec.
pub(super) struct Pod {
    pub(super) labels: Map,
    pub(super) annotations: Map,
    pub(super) spec: Map,
}

/// As in [`RESTART_BACKOFF`].
fn written(backoff: &Backoff) -> String {
    let secs = |time: Duration| format!("{}s", time.as_secs_f64());
    let reset = backoff.reset.map(|reset| format!(",reset={}", secs(reset))).unwrap_or_default();
    format!("first={},factor={},longest={}{reset}", secs(backoff.first), backoff.factor, secs(backoff.longest))
}

impl Making<'_> {
    /// `instance`: of a workload whose instances are pods of their own.
    pub(super) fn pod(&mut self, format: Format, workload: &Workload, instance: Option<u32>) -> Pod {
        let host = self.options.place == Place::Host;
        let mut annotations = Map::new().with(ID, &workload.id).because(ID, format!("its name in {format}"));
        for (name, value) in &workload.labels {
            match annotation_name(name) {
                Some(name) => annotations.set(&name, value),
                None => self.warn(
                    &crate::read::join(&workload.field, "labels"),
                    format!("{name:?} is left out: it cannot be the name of an annotation"),
                ),
            }
        }
        if let Some(backoff) = &workload.backoff {
            annotations.set(RESTART_BACKOFF, written(backoff));
            annotations = annotations.because(RESTART_BACKOFF, "for hosts without a cluster; a kubelet's pauses are its own");
        }
        let (mut first, mut main) = (Vec::new(), Vec::new());
        let mut existing: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for task in &workload.tasks {
            let (made, paths) = self.container(workload, task);
            if !paths.is_empty() {
                existing.insert(task.name.clone(), paths);
            }
            match task.role {
                Role::First => first.push(made),
                Role::Main => main.push(made),
            }
        }
        if host && !existing.is_empty() {
            annotations.set(EXISTING_PATHS, json!(existing).to_string());
        }
        let mut volumes: Vec<Map> = Vec::new();
        for task in workload.tasks.iter().filter(|task| task.sandbox.is_some()) {
            volumes.push(Map::new().with("name", container::sandbox_volume(workload, task)).with("emptyDir", Map::new()));
        }
        for volume in &workload.volumes {
            volumes.extend(self.pod_volume(workload, volume, instance));
        }
        let pulls = self.pull_secrets(workload);
        let mut spec = Map::new();
        match workload.restart {
            Restart::Always => {}
            Restart::OnFailure => spec.set("restartPolicy", "OnFailure"),
            Restart::Never => spec.set("restartPolicy", "Never"),
        }
        spec.set("automountServiceAccountToken", false);
        if host {
            self.no_placement(workload);
        } else {
            spec = placement::fields(spec, &workload.name, &workload.placement)
                .maybe("tolerations", placement::tolerations(workload.unreachable))
                .maybe("hostNetwork", workload.host_network.then_some(true))
                .maybe("hostIPC", workload.host_ipc.then_some(true))
                .maybe("imagePullSecrets", Some(pulls));
        }
        let whole = |time: Duration| i64::try_from(time.as_secs() + u64::from(time.subsec_nanos() > 0)).unwrap_or(i64::MAX);
        if host && workload.deadline.is_some() {
            self.warn(&workload.field, "its deadline is left out: this host does not end pods that take too long");
        }
        let spec = spec
            .maybe("terminationGracePeriodSeconds", workload.grace.map(whole))
            .maybe("activeDeadlineSeconds", workload.deadline.filter(|_| !host).map(|time| whole(time).max(1)))
            .maybe("initContainers", Some(first))
            .with("containers", main)
            .maybe("volumes", Some(volumes));
        Pod { labels: Map::new().with("app", &workload.name), annotations, spec }
    }

    fn pull_secrets(&mut self, workload: &Workload) -> Vec<Node> {
        let mut names = Vec::new();
        for task in &workload.tasks {
            let Some(secret) = task.image.as_ref().and_then(|image| image.pull_secret.clone()) else { continue };
            let keys = BTreeMap::from([(".dockerconfigjson".to_owned(), secret)]);
            let name = format!("{}-{}-pull", workload.name, task.name);
            let made = self.secret(&name, Some("kubernetes.io/dockerconfigjson"), &task.field, &keys);
            names.extend(made.map(|name| Node::from(Map::new().with("name", name))));
        }
        names
    }

    /// There is one host.
    fn no_placement(&mut self, workload: &Workload) {
        let placed = &workload.placement;
        if placed.node.is_some() || !placed.requirements.is_empty() || !placed.spread.is_empty() {
            self.warn(&workload.field, "where it may run is left out: there is one host here");
        }
    }
}

/// A label as the name of an annotation: kept if it is one.
fn annotation_name(name: &str) -> Option<String> {
    let part = |text: &str, most: usize| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        !text.is_empty()
            && text.len() <= most
            && ends(text.chars().next())
            && ends(text.chars().last())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    let fits = match name.split_once('/') {
        None => part(name, 63),
        Some((prefix, name)) => {
            part(prefix, 253) && prefix == prefix.to_ascii_lowercase() && !prefix.contains('_') && part(name, 63)
        }
    };
    // Ours are not for documents to set.
    let ours = name.starts_with("longshore.io/") || name.contains(".longshore.io/");
    (fits && !ours).then(|| name.to_owned())
}
