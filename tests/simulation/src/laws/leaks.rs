//! Volumes of the backend, and who knows of them.

use fake_driver::Request;

use super::{Moment, backend, names, volume};
use crate::objects;
use crate::world::World;

/// At every moment each volume of the backend is named by a PersistentVolume or by an intent.
pub(super) fn named(world: &World, moment: &Moment<'_>) -> Option<String> {
    let due = match moment {
        Moment::Applied { request, .. } => matches!(request, Request::CreateVolume(_)),
        Moment::Written { key, .. } => key.contains("leases longshore-intents-") || key.contains(" persistentvolumes"),
        _ => false,
    };
    if !due || !world.intents_always() {
        return None;
    }
    let (volumes, intents, kept) =
        (objects::volumes(world.store()), objects::intents(world.store()), world.memory().kept.clone());
    let known = |made: &fake_driver::Volume| {
        let intended = made.name.strip_prefix("pvc-").is_some_and(|uid| intents.contains_key(uid));
        intended || kept.contains(&made.id) || volumes.iter().any(|volume| volume.spec.csi.volume_handle == made.id)
    };
    let leaked = backend(world).into_iter().find(|made| !known(made))?;
    Some(format!("{} is in the backend, and neither a PersistentVolume nor an intent names it", world.plain(&leaked.name)))
}

/// CreateVolume leaves only after its intent is durable, unless nobody may write any.
pub(super) fn intent_before_create(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Sent { request: Request::CreateVolume(request), .. } = moment else { return None };
    if !world.intents_always() {
        return None;
    }
    let uid = request.name.strip_prefix("pvc-").unwrap_or(&request.name);
    let written = objects::intents(world.store()).contains_key(uid);
    (!written).then(|| format!("CreateVolume of {} is sent, and nothing says so", world.plain(&request.name)))
}

/// What is attached or mounted is not deleted.
///
/// Of a driver that does not attach, only a pod's object says that its volume is mounted. A pod that was deleted by force says so no
/// longer, and an unstage may come after the object of the last pod has gone, as with a kubelet: what nobody is told of, nobody can
/// wait for. There the law is that no volume is deleted that is published for a pod that is there.
pub(super) fn deleted_in_use(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Sent { request: Request::DeleteVolume(request), .. } = moment else { return None };
    let made = volume(world, &request.volume_id)?;
    let pods = objects::pods(world.store());
    let used = match world.plan().shape.attach {
        true => !made.published.is_empty() || !made.staged.is_empty() || !made.targets.is_empty(),
        false => made.targets.iter().any(|target| pods.iter().any(|pod| target.path.contains(&pod.metadata.uid))),
    };
    used.then(|| format!("DeleteVolume of {}, which is attached or mounted", world.plain(&made.name)))
}

/// A volume that a PersistentVolume names is there, until that is released or on its way out.
pub(super) fn missing(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Applied { request: Request::DeleteVolume(request), .. } = moment else { return None };
    let wanted =
        |named: &objects::Volume| named.status.phase != "Released" && named.status.phase != "Failed" && !named.deleting();
    if world.memory().retained_late.contains(&request.volume_id) {
        return None;
    }
    let named = names(world, &request.volume_id).into_iter().find(wanted)?;
    Some(format!("the backend's volume of {} is deleted, and its PersistentVolume goes on", world.plain(&named.metadata.name)))
}
