//! Claims, the pods that use them, and the volumes they are given.

use fake_driver::Request;

use super::{Moment, backend, names};
use crate::objects;
use crate::world::World;

/// The claim of a volume that is published for a pod that is there is there too.
pub(super) fn in_use_stays(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Written { key, .. } = moment else { return None };
    if !key.contains(" persistentvolumeclaims") {
        return None;
    }
    let (claims, pods) = (objects::claims(world.store()), objects::pods(world.store()));
    let there = |uid: &str| claims.iter().any(|claim| claim.metadata.uid == uid);
    for made in backend(world) {
        // One that was freed has been given to another claim than the one it was made for.
        let given = names(world, &made.id).into_iter().map(|volume| volume.spec.claim_ref.uid).find(|uid| !uid.is_empty());
        let made_for = || made.name.strip_prefix("pvc-").map(str::to_owned);
        let Some(uid) = given.or_else(made_for).filter(|uid| !there(uid)) else { continue };
        let of = |pod: &&objects::Pod| made.targets.iter().any(|target| target.path.contains(&pod.metadata.uid));
        if let Some(pod) = pods.iter().find(of) {
            let (volume, pod) = (world.plain(&made.name), &pod.metadata.name);
            return Some(format!("the claim of {volume} (uid {uid}) is gone while pod {pod} uses it"));
        }
    }
    None
}

/// Of two claims one gets a volume: a PersistentVolume that was given to one is never given to another while it is there, and no two
/// claims are bound to it.
pub(super) fn one_claim(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Written { who, key, .. } = moment else { return None };
    if !key.contains(" persistentvolume") {
        return None;
    }
    for volume in objects::volumes(world.store()) {
        let (uid, claim) = (volume.metadata.uid, volume.spec.claim_ref.uid);
        if claim.is_empty() {
            world.memory().given.remove(&uid);
            continue;
        }
        let before = world.memory().given.insert(uid, claim.clone());
        if before.is_some_and(|before| before != claim) {
            return Some(format!("{who} gives {} to another claim", world.plain(&volume.metadata.name)));
        }
    }
    let bound = objects::claims(world.store()).into_iter().filter(|claim| claim.status.phase == "Bound");
    let mut named = std::collections::BTreeMap::new();
    for claim in bound {
        let name = claim.metadata.name.clone();
        if let Some(other) = named.insert(claim.spec.volume_name.clone(), claim.metadata.name) {
            return Some(format!("claims {other} and {name} are bound to {}", world.plain(&claim.spec.volume_name)));
        }
    }
    None
}

/// The volume of a claim that is there and is to stay is not deleted, and none that an administrator retains: as far as who deletes
/// it had read. Between its last look and its call nobody can help.
pub(super) fn keeps_its_volume(world: &World, moment: &Moment<'_>) -> Option<String> {
    if let Moment::Looked { who, key } = moment {
        let name = key.rsplit_once(" persistentvolumes ")?.1;
        let mut named = objects::volumes(world.store()).into_iter().filter(|volume| world.plain(&volume.metadata.name) == name);
        // Which of two, a claim's and its successor's, was read, the key does not say.
        let (Some(seen), None) = (named.next(), named.next()) else { return None };
        world.memory().looked.insert(((*who).to_owned(), seen.metadata.uid), seen.spec.persistent_volume_reclaim_policy);
        return None;
    }
    let Moment::Sent { who, request: Request::DeleteVolume(request) } = moment else { return None };
    for volume in names(world, &request.volume_id) {
        let (name, plain) = (&volume.metadata.name, world.plain(&volume.metadata.name));
        let lives = |claim: &objects::Claim| {
            claim.metadata.uid == volume.spec.claim_ref.uid && claim.spec.volume_name == *name && !claim.deleting()
        };
        if objects::claims(world.store()).iter().any(lives) {
            return Some(format!("{who} deletes the volume of {plain}, whose claim is there"));
        }
        let looked = world.memory().looked.get(&((*who).to_owned(), volume.metadata.uid.clone())).cloned();
        if looked.is_some_and(|policy| policy != "Delete") {
            return Some(format!("{who} deletes the volume of {plain}, and has read that it is to be retained"));
        }
    }
    None
}
