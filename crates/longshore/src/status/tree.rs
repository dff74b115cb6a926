//! From objects to what hangs on what. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::VolumeAttachment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;

use super::objects::Objects;
use super::report::{Attachment, Claim, Mount, Report, Volume};
use super::why;

/// The tree, of one namespace or of all. Volumes without a claim belong to no namespace and are shown with all.
pub(crate) fn report(objects: &Objects, namespace: Option<&str>, now: Timestamp) -> Report {
    let mut claims: Vec<&PersistentVolumeClaim> = objects.claims.iter().collect();
    claims.sort_by_key(|claim| (claim.namespace(), claim.name_any()));
    let mut bound = BTreeSet::new();
    let of_claims = claims.iter().map(|claim| claim_of(objects, claim, now, &mut bound)).collect::<Vec<_>>();
    let wanted = |claim: &Claim| namespace.is_none_or(|namespace| claim.namespace == namespace);
    let mut loose: Vec<&PersistentVolume> = objects.volumes.iter().filter(|volume| !bound.contains(&volume.name_any())).collect();
    loose.sort_by_key(|volume| volume.name_any());
    Report {
        claims: of_claims.into_iter().filter(wanted).collect(),
        volumes: match namespace {
            None => loose.iter().map(|volume| volume_of(objects, volume, now)).collect(),
            Some(_) => Vec::new(),
        },
    }
}

fn claim_of(objects: &Objects, claim: &PersistentVolumeClaim, now: Timestamp, bound: &mut BTreeSet<String>) -> Claim {
    let (spec, status) = (claim.spec.clone().unwrap_or_default(), claim.status.clone().unwrap_or_default());
    let namespace = claim.namespace().unwrap_or_default();
    let name = claim.name_any();
    let volume = spec.volume_name.as_deref().and_then(|name| objects.volumes.iter().find(|volume| volume.name_any() == name));
    let phase = status.phase.clone().unwrap_or_else(|| "Pending".to_owned());
    let pods: Vec<&Pod> = objects.pods.iter().filter(|pod| uses(pod, &namespace, &name).is_some()).collect();
    if let Some(volume) = volume.filter(|_| phase != "Pending") {
        bound.insert(volume.name_any());
    }
    let requests = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let mut mounts: Vec<Mount> = pods.iter().map(|pod| mount_of(objects, pod, &namespace, &name, now)).collect();
    mounts.sort_by(|a, b| a.pod.cmp(&b.pod));
    Claim {
        why: why::claim(objects, claim, volume, &pods),
        requested: requests.and_then(|requests| requests.get("storage")).map(|size| size.0.clone()).unwrap_or_default(),
        access_modes: spec.access_modes.unwrap_or_default(),
        storage_class: spec.storage_class_name,
        state: state(&claim.metadata, &phase),
        age_seconds: age(&claim.metadata, now),
        volume: volume.map(|volume| volume_of(objects, volume, now)),
        namespace,
        name,
        mounts,
    }
}

fn volume_of(objects: &Objects, volume: &PersistentVolume, now: Timestamp) -> Volume {
    let (spec, status) = (volume.spec.clone().unwrap_or_default(), volume.status.clone().unwrap_or_default());
    let name = volume.name_any();
    let of_volume = |attachment: &&VolumeAttachment| attachment.spec.source.persistent_volume_name.as_deref() == Some(&*name);
    let mut attachments: Vec<&VolumeAttachment> = objects.attachments.iter().filter(of_volume).collect();
    attachments.sort_by_key(|attachment| attachment.spec.node_name.clone());
    Volume {
        state: state(&volume.metadata, status.phase.as_deref().unwrap_or("Pending")),
        capacity: spec.capacity.as_ref().and_then(|c| c.get("storage")).map(|size| size.0.clone()).unwrap_or_default(),
        driver: spec.csi.as_ref().map(|csi| csi.driver.clone()),
        handle: spec.csi.as_ref().map(|csi| csi.volume_handle.clone()),
        reclaim_policy: spec.persistent_volume_reclaim_policy.unwrap_or_else(|| "Retain".to_owned()),
        age_seconds: age(&volume.metadata, now),
        why: why::volume(objects, volume),
        attachments: attachments.into_iter().map(|attachment| attachment_of(attachment, now)).collect(),
        name,
    }
}

fn attachment_of(attachment: &VolumeAttachment, now: Timestamp) -> Attachment {
    let attached = attachment.status.as_ref().is_some_and(|status| status.attached);
    let going = attachment.metadata.deletion_timestamp.is_some();
    let state = if going {
        "Detaching"
    } else if attached {
        "Attached"
    } else {
        "Attaching"
    };
    Attachment {
        name: attachment.name_any(),
        node: attachment.spec.node_name.clone(),
        state: state.to_owned(),
        age_seconds: age(&attachment.metadata, now),
        why: why::attachment(attachment),
    }
}

fn mount_of(objects: &Objects, pod: &Pod, namespace: &str, claim: &str, now: Timestamp) -> Mount {
    let volume = uses(pod, namespace, claim).unwrap_or_default();
    let spec = pod.spec.clone().unwrap_or_default();
    let mut places = Vec::new();
    for container in spec.init_containers.iter().flatten().chain(&spec.containers) {
        let mounts = container.volume_mounts.iter().flatten().filter(|mount| mount.name == volume);
        places.extend(mounts.map(|mount| format!("{}:{}", container.name, mount.mount_path)));
        let devices = container.volume_devices.iter().flatten().filter(|device| device.name == volume);
        places.extend(devices.map(|device| format!("{}:{}", container.name, device.device_path)));
    }
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
    Mount {
        pod: pod.name_any(),
        node: spec.node_name,
        state: state(&pod.metadata, phase),
        places,
        age_seconds: age(&pod.metadata, now),
        why: why::pod(objects, pod),
    }
}

/// The name of the pod's volume that is this claim.
fn uses(pod: &Pod, namespace: &str, claim: &str) -> Option<String> {
    if pod.namespace().as_deref() != Some(namespace) {
        return None;
    }
    let volumes = pod.spec.as_ref()?.volumes.iter().flatten();
    let mut named = volumes.filter(|volume| match (&volume.persistent_volume_claim, &volume.ephemeral) {
        (Some(source), _) => source.claim_name == claim,
        (None, Some(_)) => format!("{}-{}", pod.name_any(), volume.name) == claim,
        (None, None) => false,
    });
    named.next().map(|volume| volume.name.clone())
}

fn state(meta: &ObjectMeta, phase: &str) -> String {
    if meta.deletion_timestamp.is_some() { "Terminating".to_owned() } else { phase.to_owned() }
}

fn age(meta: &ObjectMeta, now: Timestamp) -> i64 {
    meta.creation_timestamp.as_ref().map_or(0, |made| (now.as_second() - made.0.as_second()).max(0))
}

#[cfg(test)]
mod tests;
