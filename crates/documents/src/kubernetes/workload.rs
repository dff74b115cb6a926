//! The object that keeps a workload's pods.

use super::pod::Pod;
use super::{Making, Place};
use crate::csi::shareable;
use crate::model::{Format, Kind, Source, Update, Workload};
use crate::yaml::Map;
use csi_types::CsiAccessMode;

pub(super) fn make(making: &mut Making<'_>, format: Format, workload: &Workload) {
    if making.options.place == Place::Host {
        return on_host(making, format, workload);
    }
    // Instances with volumes of their own are pods of their own, too: a Deployment's are all alike.
    let own =
        workload.volumes.iter().any(|volume| matches!(&volume.source, Source::Registered(registered) if registered.per_instance));
    let instances = workload.kind.instances().unwrap_or(1);
    if own && instances > 1 {
        for instance in 0..instances {
            let name = format!("{}-{instance}", workload.name);
            let one = match workload.kind {
                Kind::Service { .. } => Kind::Service { instances: 1 },
                Kind::Batch { .. } => Kind::Batch { instances: 1 },
                kind => kind,
            };
            let workload = Workload { name, kind: one, ..workload.clone() };
            let pod = making.pod(format, &workload, Some(instance));
            add(making, &workload, pod);
        }
        return;
    }
    let pod = making.pod(format, workload, own.then_some(0));
    add(making, workload, pod);
}

/// Where it comes from, for people.
fn origin(workload: &Workload) -> String {
    if workload.field.is_empty() { workload.id.clone() } else { format!("{} ({})", workload.field, workload.id) }
}

fn on_host(making: &mut Making<'_>, format: Format, workload: &Workload) {
    // One of each on each node; and there is one.
    let instances = workload.kind.instances().unwrap_or(1);
    for instance in 0..instances {
        let pod = making.pod(format, workload, Some(instance));
        let name = if instances == 1 { workload.name.clone() } else { format!("{}-{instance}", workload.name) };
        add_pod(making, workload, &name, pod);
    }
}

fn add_pod(making: &mut Making<'_>, workload: &Workload, name: &str, pod: Pod) {
    let metadata = making.metadata(name).with("labels", pod.labels).maybe("annotations", Some(pod.annotations));
    let object = Map::new().with("apiVersion", "v1").with("kind", "Pod").with("metadata", metadata).with("spec", pod.spec);
    making.add(origin(workload), object);
}

fn add(making: &mut Making<'_>, workload: &Workload, pod: Pod) {
    let name = workload.name.clone();
    let selector = Map::new().with("matchLabels", pod.labels.clone());
    if workload.kind == Kind::Once {
        return add_pod(making, workload, &name, pod);
    }
    let template = Map::new()
        .with("metadata", Map::new().with("labels", pod.labels).maybe("annotations", Some(pod.annotations)))
        .with("spec", pod.spec);
    let (version, kind, spec) = match workload.kind {
        Kind::Once => return,
        Kind::Service { instances } => {
            let (strategy, why) = strategy(workload);
            let spec = Map::new()
                .with("replicas", instances)
                .with("selector", selector)
                .with("strategy", strategy)
                .because("strategy", why)
                .with("template", template);
            ("apps/v1", "Deployment", spec)
        }
        Kind::System => ("apps/v1", "DaemonSet", Map::new().with("selector", selector).with("template", template)),
        Kind::Batch { instances } => {
            let spec = Map::new()
                .maybe("completions", (instances != 1).then_some(instances))
                .maybe("parallelism", (instances != 1).then_some(instances))
                .with("backoffLimit", 0)
                .because("backoffLimit", "restarts are the pod's")
                .with("template", template);
            ("batch/v1", "Job", spec)
        }
    };
    let object =
        Map::new().with("apiVersion", version).with("kind", kind).with("metadata", making.metadata(&name)).with("spec", spec);
    making.add(origin(workload), object);
}

/// How a Deployment replaces its pods, and why.
fn strategy(workload: &Workload) -> (Map, String) {
    let exclusive = workload.volumes.iter().any(|volume| match &volume.source {
        Source::Csi(csi) => {
            let mode = csi.capability.access_mode;
            !shareable(mode) || (mode == CsiAccessMode::MultiNodeSingleWriter && !volume.read_only)
        }
        Source::Registered(registered) => !shareable(registered.access_mode),
        _ => false,
    });
    let recreate = || Map::new().with("type", "Recreate");
    let percent = |share: f64| format!("{:.0}%", (share * 100.0).clamp(0.0, 100.0));
    match workload.update {
        _ if exclusive => (recreate(), "a volume is for one pod at a time".to_owned()),
        Update::Recreate => (recreate(), "nothing has to stay up, and nothing may be surplus".to_owned()),
        Update::Rolling { unavailable, surplus } => {
            // Neither may be 0 with the other; Marathon replaces one by one then.
            let unavailable = if unavailable == 0.0 && surplus == 0.0 { "1".to_owned() } else { percent(unavailable) };
            let bounds = Map::new().with("maxUnavailable", whole_or(&unavailable)).with("maxSurge", percent(surplus));
            (
                Map::new().with("type", "RollingUpdate").with("rollingUpdate", bounds),
                "as its shares of healthy and surplus instances say".to_owned(),
            )
        }
    }
}

fn whole_or(text: &str) -> crate::yaml::Node {
    text.parse::<i64>().map_or_else(|_| text.into(), Into::into)
}
