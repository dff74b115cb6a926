//! When nothing is left to be done, and whether what is there then is what should be.

use super::{Moment, backend, node};
use crate::objects::{self, Pod};
use crate::world::{NODE, World};

/// What is not done yet.
pub(crate) fn unrest(world: &World) -> Vec<String> {
    let mut left = Vec::new();
    let store = world.store();
    let (volumes, claims, pods) = (objects::volumes(store), objects::claims(store), objects::pods(store));
    let attachments = objects::attachments(store);
    let kept = world.memory().kept.clone();
    let made = backend(world);

    left.extend(world.slots().iter().filter(|(_, slot)| slot.ctx.is_dead()).map(|(who, _)| format!("{who} is dead")));
    // One that was deleted stays for as long as its claim does.
    let held = |volume: &objects::Volume| claims.iter().any(|claim| claim.metadata.uid == volume.spec.claim_ref.uid);
    // And with it what was written down of it: when it goes, what was asked may still have an effect.
    let waits = |uid: &str| volumes.iter().any(|volume| volume.deleting() && held(volume) && volume.spec.claim_ref.uid == uid);
    let intents = objects::intents(store).into_keys().filter(|uid| !waits(uid));
    left.extend(intents.map(|uid| format!("intent of {}", world.plain(&format!("pvc-{uid}")))));
    let going = volumes.iter().filter(|volume| volume.deleting() && !held(volume) || released(volume));
    left.extend(going.map(|volume| format!("{} is on its way out", world.plain(&volume.metadata.name))));
    // A claim stays for every pod that names it, also for one that has ended: the pod's object keeps it.
    let named =
        |claim: &&objects::Claim| pods.iter().any(|pod| !pod.spec.node_name.is_empty() && refers(pod, &claim.metadata.name));
    left.extend(
        claims
            .iter()
            .filter(|claim| claim.deleting() && !named(claim))
            .map(|claim| format!("claim {} is going", claim.metadata.name)),
    );
    left.extend(pods.iter().filter(|pod| pod.deleting()).map(|pod| format!("pod {} is going", pod.metadata.name)));
    for volume in &made {
        let plain = world.plain(&volume.name);
        let named = volumes.iter().any(|named| named.spec.csi.volume_handle == volume.id);
        // Without the right to write intents a death at the wrong moment loses a volume, and that is said.
        if !named && !kept.contains(&volume.id) && world.intents_always() {
            left.push(format!("{plain} is in the backend, and no PersistentVolume names it"));
        }
        let users: Vec<&Pod> = pods.iter().filter(|pod| uses(pod, &volume.name, &claims)).collect();
        if users.is_empty() && !(volume.published.is_empty() && volume.staged.is_empty() && volume.targets.is_empty()) {
            left.push(format!("{plain} is attached or mounted, and no pod uses it"));
        }
        for target in &volume.targets {
            if !users.iter().any(|pod| target.path.contains(&pod.metadata.uid)) {
                left.push(format!("{plain} is published at {}, for no pod", target.path));
            }
        }
    }
    left.extend(node::unrest(world));
    for attachment in &attachments {
        let handle = volumes.iter().find(|volume| volume.metadata.name == attachment.spec.source.persistent_volume_name);
        let used = handle.is_some_and(|volume| pods.iter().any(|pod| uses(pod, &volume.metadata.name, &claims)));
        // What is on its way out is attached no more, whoever waits for it.
        let late = handle.is_some_and(|volume| volume.deleting() && !attachment.status.attached);
        if attachment.deleting() || !attachment.status.attached && !late || !used {
            left.push(format!("{} is not settled", world.plain(&attachment.metadata.name)));
        }
    }
    if world.plan().shape.clear {
        left.extend(claims.iter().map(|claim| format!("claim {} is there", claim.metadata.name)));
        left.extend(pods.iter().map(|pod| format!("pod {} is there", pod.metadata.name)));
        left.extend(volumes.iter().map(|volume| format!("{} is there", world.plain(&volume.metadata.name))));
    } else {
        let going: Vec<&str> = volumes.iter().filter(|volume| volume.deleting()).map(|volume| &*volume.metadata.name).collect();
        working(world, &claims, &pods, &made, &going, &mut left);
    }
    left
}

/// Whoever waits for something that there is gets it.
fn working(
    world: &World,
    claims: &[objects::Claim],
    pods: &[Pod],
    made: &[fake_driver::Volume],
    going: &[&str],
    left: &mut Vec<String>,
) {
    for claim in claims.iter().filter(|claim| !claim.deleting() && claim.status.phase == "Pending") {
        let name = &claim.metadata.name;
        let asked = pods.iter().any(|pod| !pod.spec.node_name.is_empty() && refers(pod, name));
        // A volume that its user deletes before it is bound goes when its claim does, here as upstream: nobody binds to it, and
        // its finalizer waits for its release.
        let own = format!("pvc-{}", claim.metadata.uid);
        let deleted = going.contains(&own.as_str());
        if (claim.spec.storage_class_name != "wait" || asked) && !deleted {
            left.push(format!("claim {name} is pending"));
        }
    }
    for pod in pods.iter().filter(|pod| pod.spec.node_name == NODE && pod.status.phase != "Succeeded" && !pod.deleting()) {
        for volume in &pod.spec.volumes {
            let name = &volume.persistent_volume_claim.claim_name;
            let Some(claim) = claims.iter().find(|claim| claim.metadata.name == *name && claim.status.phase == "Bound") else {
                continue;
            };
            let made = made.iter().find(|made| made.name == claim.spec.volume_name);
            let targets = made.map(|made| &*made.targets).unwrap_or_default();
            let mounted = targets.iter().any(|target| target.path.contains(&pod.metadata.uid));
            // Somebody else has what only one may have.
            let taken = claim.spec.access_modes == ["ReadWriteOncePod"] && !targets.is_empty();
            // What is on its way out is attached no more.
            let late = claim.deleting() || going.contains(&&*claim.spec.volume_name);
            if !mounted && !late && !taken {
                left.push(format!("pod {} waits for {}", pod.metadata.name, world.plain(&claim.spec.volume_name)));
            }
        }
    }
}

fn released(volume: &objects::Volume) -> bool {
    volume.status.phase == "Released" && volume.spec.persistent_volume_reclaim_policy == "Delete"
}

/// The pod, not over, uses the volume of this name.
fn uses(pod: &Pod, volume: &str, claims: &[objects::Claim]) -> bool {
    let over = pod.status.phase == "Succeeded" || pod.status.phase == "Failed";
    !over && claims.iter().any(|claim| claim.spec.volume_name == volume && refers(pod, &claim.metadata.name))
}

fn refers(pod: &Pod, claim: &str) -> bool {
    pod.spec.volumes.iter().any(|volume| volume.persistent_volume_claim.claim_name == claim)
}

/// What is there when everything rests fits together.
pub(super) fn right(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Rest = moment else { return None };
    let volumes = objects::volumes(world.store());
    let made = backend(world);
    for volume in &volumes {
        let plain = world.plain(&volume.metadata.name);
        let Some(made) = made.iter().find(|made| made.id == volume.spec.csi.volume_handle) else {
            // Retained when DeleteVolume had been sent: too late, for us as for upstream.
            if volume.status.phase == "Released" || world.memory().retained_late.contains(&volume.spec.csi.volume_handle) {
                continue;
            }
            return Some(format!("{plain} names a volume that is not there"));
        };
        if volumes.iter().filter(|other| other.spec.csi.volume_handle == made.id).count() > 1 {
            return Some(format!("two PersistentVolumes name the volume of {plain}"));
        }
        let says = volume.spec.capacity.get("storage").and_then(|size| csi_types::Quantity::parse(size).ok()?.bytes().ok());
        if says.is_none_or(|says| says.0 > made.capacity_bytes.unsigned_abs()) {
            return Some(format!("{plain} says it is larger than it is"));
        }
    }
    if world.intents_always() && made.len() > volumes.len() + world.memory().kept.len() {
        return Some(format!("{} volumes in the backend, {} PersistentVolumes", made.len(), volumes.len()));
    }
    None
}
