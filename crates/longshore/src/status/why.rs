//! Why something waits, in one sentence. From the objects where they say it, else from the newest event. Pure.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::{StorageClass, VolumeAttachment};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;

use super::objects::Objects;

const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

/// What a claim waits for.
pub(crate) fn claim(
    objects: &Objects,
    claim: &PersistentVolumeClaim,
    volume: Option<&PersistentVolume>,
    pods: &[&Pod],
) -> Option<String> {
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
    if claim.metadata.deletion_timestamp.is_some() {
        let users: Vec<String> = pods.iter().map(|pod| pod.name_any()).collect();
        return Some(match users.is_empty() {
            false => format!("is being deleted once no pod uses it any more: {}", users.join(", ")),
            true => going(&claim.metadata),
        });
    }
    match phase {
        "Bound" => resizing(claim),
        "Lost" => Some(format!("its volume {} is gone", claim.spec.as_ref()?.volume_name.as_deref().unwrap_or("(none)"))),
        _ => waiting(objects, claim, volume, pods),
    }
}

fn waiting(objects: &Objects, claim: &PersistentVolumeClaim, volume: Option<&PersistentVolume>, pods: &[&Pod]) -> Option<String> {
    let spec = claim.spec.as_ref()?;
    let told = newest(objects, &claim.metadata, "Warning");
    if let Some(name) = spec.volume_name.as_deref().filter(|name| !name.is_empty()) {
        return Some(match volume {
            None => format!("waits for the volume {name}, which does not exist"),
            Some(_) => told.unwrap_or_else(|| format!("is being bound to {name}")),
        });
    }
    let Some(name) = spec.storage_class_name.as_deref() else {
        let default =
            objects.classes.iter().any(|class| class.annotations().get(DEFAULT_CLASS).is_some_and(|text| text == "true"));
        return Some(match default {
            true => "waits to be given the default StorageClass".to_owned(),
            false => "names no StorageClass, there is no default one, and no volume fits".to_owned(),
        });
    };
    if name.is_empty() {
        return Some("asks for no StorageClass, and no volume without one fits".to_owned());
    }
    let Some(class) = objects.classes.iter().find(|class| class.name_any() == name) else {
        return Some(format!("StorageClass {name} does not exist"));
    };
    if waits_for_pod(class) && pods.is_empty() {
        return Some("waits for a pod that uses it (WaitForFirstConsumer)".to_owned());
    }
    let events = told.or_else(|| newest(objects, &claim.metadata, "Normal"));
    Some(events.unwrap_or_else(|| format!("waits for {} to make a volume", class.provisioner)))
}

fn waits_for_pod(class: &StorageClass) -> bool {
    class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
}

/// A bound claim that is still growing.
fn resizing(claim: &PersistentVolumeClaim) -> Option<String> {
    let conditions = claim.status.as_ref()?.conditions.iter().flatten();
    let mut active = conditions.filter(|condition| condition.status == "True");
    active.next().map(|condition| match condition.message.as_deref().filter(|text| !text.is_empty()) {
        Some(message) => format!("{}: {message}", condition.type_),
        None => condition.type_.clone(),
    })
}

/// What a volume waits for.
pub(crate) fn volume(objects: &Objects, volume: &PersistentVolume) -> Option<String> {
    let status = volume.status.as_ref();
    if volume.metadata.deletion_timestamp.is_some() {
        return Some(going(&volume.metadata));
    }
    let told = || newest(objects, &volume.metadata, "Warning");
    match status.and_then(|status| status.phase.as_deref()).unwrap_or("Pending") {
        "Bound" => None,
        "Released" => {
            let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
            match policy {
                Some("Delete") => told().or_else(|| Some("its claim is gone; waits to be deleted in the backend".to_owned())),
                _ => Some("its claim is gone; kept by its reclaim policy, for a person to look after".to_owned()),
            }
        }
        "Failed" => told().or_else(|| status.and_then(|status| status.message.clone())),
        _ => told(),
    }
}

/// What an attachment waits for.
pub(crate) fn attachment(attachment: &VolumeAttachment) -> Option<String> {
    let status = attachment.status.as_ref();
    let going = attachment.metadata.deletion_timestamp.is_some();
    let error = status.and_then(|status| if going { status.detach_error.as_ref() } else { status.attach_error.as_ref() });
    let attached = status.is_some_and(|status| status.attached);
    match error.and_then(|error| error.message.clone()) {
        Some(message) if going || !attached => Some(message),
        _ if going => Some(format!("waits for {} to detach it", attachment.spec.attacher)),
        _ if !attached => Some(format!("waits for {} to attach it", attachment.spec.attacher)),
        _ => None,
    }
}

/// What a pod waits for.
pub(crate) fn pod(objects: &Objects, pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref();
    let phase = status.and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
    if phase != "Pending" || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let conditions = status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut unscheduled = conditions.filter(|condition| condition.type_ == "PodScheduled" && condition.status == "False");
    let unscheduled = unscheduled.next().and_then(|condition| condition.message.clone());
    unscheduled.or_else(|| newest(objects, &pod.metadata, "Warning"))
}

fn going(meta: &ObjectMeta) -> String {
    match meta.finalizers.as_deref().unwrap_or_default() {
        [] => "is being deleted".to_owned(),
        finalizers => format!("is being deleted once these are done with it: {}", finalizers.join(", ")),
    }
}

/// What the newest event of this type says of the object.
fn newest(objects: &Objects, meta: &ObjectMeta, kind: &str) -> Option<String> {
    let of_object = |event: &&Event| event.involved_object.uid.is_some() && event.involved_object.uid == meta.uid;
    let of_kind = |event: &&Event| event.type_.as_deref() == Some(kind);
    let event = objects.events.iter().filter(of_object).filter(of_kind).max_by_key(|event| last(event))?;
    let count = event.count.filter(|count| *count > 1).map(|count| format!(" ({count} times)")).unwrap_or_default();
    let reason = event.reason.as_deref().unwrap_or("Event");
    Some(format!("{reason}: {}{count}", event.message.as_deref().unwrap_or_default().trim_end()))
}

fn last(event: &Event) -> Option<Timestamp> {
    let seen = event.last_timestamp.as_ref().map(|time| time.0);
    seen.or_else(|| event.event_time.as_ref().map(|time| time.0))
        .or_else(|| event.metadata.creation_timestamp.as_ref().map(|time| time.0))
}
