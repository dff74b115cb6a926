//! The order of calls to the driver, by what is true in the backend when a call leaves.

use fake_driver::{Request, Volume};

use super::{Moment, volume};
use crate::objects;
use crate::process::program;
use crate::world::{NODE, SYSTEM, World};

/// With two replicas, a call to the controller comes from the holder of the lease: never from one while the API says that the
/// other leads.
pub(super) fn only_leaders_call(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Sent { who, request } = moment else { return None };
    let changes = matches!(
        request,
        Request::CreateVolume(_)
            | Request::DeleteVolume(_)
            | Request::ControllerPublishVolume(_)
            | Request::ControllerUnpublishVolume(_)
    );
    if world.plan().shape.replicas < 2 || !changes {
        return None;
    }
    let program = program(who);
    let lease = |lease: &objects::Lease| {
        lease.metadata.namespace == SYSTEM && lease.spec.holder_identity.starts_with(&format!("{program}-"))
    };
    let holder = objects::leases(world.store()).into_iter().find(lease)?.spec.holder_identity;
    (holder != *who).then(|| format!("{who} calls {}, while {holder} leads", request.rpc().name()))
}

/// ControllerPublishVolume, then NodeStageVolume, then NodePublishVolume.
pub(super) fn up_in_order(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Sent { request, .. } = moment else { return None };
    let shape = world.plan().shape;
    let (id, needs_stage) = match request {
        Request::NodeStageVolume(request) => (&request.volume_id, false),
        Request::NodePublishVolume(request) => (&request.volume_id, shape.stage),
        _ => return None,
    };
    let Some(made) = volume(world, id) else { return Some(format!("{} of a volume that is not there", request.rpc().name())) };
    if shape.attach && !made.published.contains_key(NODE) {
        return Some(format!("{} of {}, which is not attached", request.rpc().name(), world.plain(&made.name)));
    }
    if needs_stage && !made.staged.iter().any(|staged| staged.node == NODE) {
        return Some(format!("NodePublishVolume of {}, which is not staged", world.plain(&made.name)));
    }
    None
}

/// NodeUnpublishVolume, then NodeUnstageVolume, then ControllerUnpublishVolume, then DeleteVolume.
pub(super) fn down_in_order(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Sent { request, .. } = moment else { return None };
    let here = |made: &Volume| made.targets.iter().any(|target| target.node == NODE);
    let staged = |made: &Volume| made.staged.iter().any(|staged| staged.node == NODE);
    let wrong = match request {
        Request::NodeUnstageVolume(request) => volume(world, &request.volume_id).filter(here).map(|made| (made, "published")),
        Request::ControllerUnpublishVolume(request) if !world.memory().out_of_service => {
            volume(world, &request.volume_id).filter(|made| here(made) || staged(made)).map(|made| (made, "published or staged"))
        }
        _ => None,
    };
    let (made, still) = wrong?;
    Some(format!("{} of {}, which is still {still}", request.rpc().name(), world.plain(&made.name)))
}

/// A volume for one pod is published for one.
pub(super) fn one_pod(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Applied { request: Request::NodePublishVolume(request), .. } = moment else { return None };
    let made = volume(world, &request.volume_id)?;
    let claim = objects::volumes(world.store()).into_iter().find(|named| named.spec.csi.volume_handle == made.id)?;
    let alone = claim.spec.access_modes == ["ReadWriteOncePod"];
    (alone && made.targets.len() > 1)
        .then(|| format!("{} is for one pod, and published {} times", world.plain(&made.name), made.targets.len()))
}
