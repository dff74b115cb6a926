//! Claims that pods use.

use super::{Moment, backend};
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
        let Some(uid) = made.name.strip_prefix("pvc-").filter(|uid| !there(uid)) else { continue };
        let of = |pod: &&objects::Pod| made.targets.iter().any(|target| target.path.contains(&pod.metadata.uid));
        if let Some(pod) = pods.iter().find(of) {
            let (claim, pod) = (world.plain(&format!("pvc-{uid}")), &pod.metadata.name);
            return Some(format!("the claim of {claim} is gone while pod {pod} uses it"));
        }
    }
    None
}
