//! Caches to facts. Tolerant of what is missing; decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cluster::Key;
use cluster::kinds::{Pod, PodVolumeSource};
use csi_types::AccessMode;
use rt::Instant;

use super::Scheduling;
use super::plan::{Load, View, Want};
use crate::Part;
use crate::matching::ClassFact;

pub(super) fn observe(on: &Scheduling, key: &Key, now: Instant) -> View {
    let part = &on.part;
    let Some(pod) = part.caches.pods.get(key.as_str()) else { return View::default() };
    let node = part.config.node.as_str();
    let mut view = View { ours: node.into(), ..View::default() };
    let wanted = pod.node.is_empty() || *pod.node == *node;
    if wanted && !pod.is_over() {
        view.wants = wants(part, &pod);
        view.node = part.caches.nodes.get(node);
        // Volumes are looked through only for a claim that has none and has a say in which.
        if view.wants.iter().any(Want::is_delayed) {
            let mine = view.wants.iter().filter_map(|want| want.claim.as_ref());
            view.volumes = mine.flat_map(|claim| part.index.volumes_of(claim.meta.key.as_str())).collect();
            view.volumes.extend(part.index.free_volumes());
        }
        if pod.node.is_empty() {
            view.loads = loads(part, &pod, &view.wants);
        }
        view.memory = on.waits.of(&pod.meta, now, part.config.bind_timeout);
        view.told = on.told.lately(&pod.meta, now);
    }
    view.pod = Some(pod);
    view
}

fn wants(part: &Part, pod: &Arc<Pod>) -> Vec<Want> {
    let caches = &part.caches;
    let namespace = pod.meta.key.namespace().unwrap_or_default();
    let mut seen = BTreeSet::new();
    let mut wants = Vec::new();
    for volume in &pod.volumes {
        let Some(name) = pod.claim_name(volume) else { continue };
        if !seen.insert(name.clone()) {
            continue;
        }
        let ephemeral = volume.source == PodVolumeSource::Ephemeral;
        let key = Key::namespaced(namespace, &name);
        let claim = caches.claims.get(key.as_str());
        let class = claim.as_ref().map_or(ClassFact::Unset, |claim| ClassFact::of(claim, |name| caches.classes.get(name)));
        let tracks_room = matches!(&class, ClassFact::Found(class) if caches.csi_drivers.get(&class.provisioner).is_some_and(|driver| driver.storage_capacity));
        let room = match &class {
            ClassFact::Found(class) if tracks_room => Some(caches.storage_capacities.indexed(class.meta.key.name())),
            _ => None,
        };
        let exclusive = claim.as_ref().is_some_and(|claim| claim.access_modes.contains(&AccessMode::ReadWriteOncePod));
        let in_use = || {
            let others = part.index.pods_of(key.as_str());
            others.iter().any(|other| other.meta.uid != pod.meta.uid && !other.node.is_empty() && !other.is_terminal())
        };
        wants.push(Want {
            owned: !ephemeral || claim.as_ref().is_some_and(|claim| claim.controller.as_ref() == Some(&pod.meta.uid)),
            volume: claim.as_ref().and_then(|claim| claim.volume.as_deref()).and_then(|name| caches.volumes.get(name)),
            exclusive_elsewhere: exclusive && !ephemeral && in_use(),
            name,
            ephemeral,
            claim,
            class,
            room,
        });
    }
    wants
}

/// How many volumes of each limited driver the node has and would have. Upstream: plugins/nodevolumelimits.
fn loads(part: &Part, pod: &Pod, wants: &[Want]) -> Vec<Load> {
    let caches = &part.caches;
    let node = part.config.node.as_str();
    let Some(csi_node) = caches.csi_nodes.get(node) else { return Vec::new() };
    let limits: BTreeMap<&str, i32> = csi_node.drivers.iter().filter_map(|driver| Some((&*driver.name, driver.limit?))).collect();
    if limits.is_empty() || wants.is_empty() {
        return Vec::new();
    }
    let volume_of = |claim: &str| -> Option<(String, String)> {
        let claim = caches.claims.get(claim)?;
        if let Some(volume) = claim.volume.as_deref().and_then(|name| caches.volumes.get(name)) {
            let csi = volume.csi.as_ref()?;
            return Some((csi.driver.to_string(), csi.volume_handle.to_string()));
        }
        // Not bound, it will be one volume of its class.
        let class = caches.classes.get(claim.class.as_deref()?)?;
        Some((class.provisioner.to_string(), format!("{} {}", claim.meta.key, claim.meta.uid)))
    };
    let of_pod = |pod: &Pod| -> BTreeSet<(String, String)> {
        crate::index::claims_of_pod(pod).iter().filter_map(|key| volume_of(key.as_str())).collect()
    };
    let mut used = BTreeSet::new();
    for other in caches.pods.all().iter().filter(|other| *other.node == *node && !other.is_terminal()) {
        used.extend(of_pod(other));
    }
    for attachment in caches.attachments.all().iter().filter(|attachment| *attachment.node == *node) {
        let volume = attachment.volume().and_then(|name| caches.volumes.get(name));
        if let Some(csi) = volume.as_ref().and_then(|volume| volume.csi.as_ref()) {
            used.insert((csi.driver.to_string(), csi.volume_handle.to_string()));
        }
    }
    let new: Vec<_> = of_pod(pod).difference(&used).cloned().collect();
    let count =
        |volumes: &mut dyn Iterator<Item = &(String, String)>, driver: &str| volumes.filter(|(of, _)| of == driver).count();
    let load = |(driver, limit): (&&str, &i32)| Load {
        limit: *limit,
        used: count(&mut used.iter(), driver),
        new: count(&mut new.iter(), driver),
    };
    limits.iter().map(load).collect()
}
