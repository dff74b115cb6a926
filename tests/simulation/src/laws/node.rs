//! What the Node says, and what is true on it.

use fake_driver::Request;
use node_mounter::journal::{Record, Stage, decode};

use super::{Moment, backend};
use crate::objects;
use crate::world::{DRIVER, NODE, World};

/// What is staged or published on a node is in its `volumesInUse`, from before it is asked for until after it is undone: that is
/// what keeps it attached.
pub(super) fn in_use(world: &World, moment: &Moment<'_>) -> Option<String> {
    if !world.plan().shape.attach {
        return None;
    }
    let starting = match moment {
        Moment::Sent { request: Request::NodeStageVolume(request), .. } => Some(request.volume_id.clone()),
        Moment::Sent { request: Request::NodePublishVolume(request), .. } => Some(request.volume_id.clone()),
        Moment::Written { who: "mounter", key } if key.contains(" nodes/status ") => None,
        _ => return None,
    };
    let node = objects::nodes(world.store()).into_iter().find(|node| node.metadata.name == NODE)?;
    let reported = |id: &str| node.status.volumes_in_use.iter().any(|name| *name == format!("kubernetes.io/csi/{DRIVER}^{id}"));
    let held = |made: &fake_driver::Volume| {
        made.staged.iter().any(|staged| staged.node == NODE) || made.targets.iter().any(|target| target.node == NODE)
    };
    let mounted = backend(world).into_iter().filter(held).map(|made| made.id);
    let missing = starting.into_iter().chain(mounted).find(|id| !reported(id))?;
    Some(format!("{} is used on the node, and not in its volumesInUse", world.plain(&missing)))
}

/// What is done on the node is in its journal when it is asked for: so whatever dies then, somebody knows.
pub(super) fn journaled(world: &World, moment: &Moment<'_>) -> Option<String> {
    let Moment::Sent { request, .. } = moment else { return None };
    let (id, target, staged) = match request {
        Request::NodeStageVolume(r) => (&r.volume_id, None, true),
        Request::NodePublishVolume(r) => (&r.volume_id, Some(&r.target_path), false),
        Request::NodeUnpublishVolume(r) => (&r.volume_id, Some(&r.target_path), false),
        Request::NodeUnstageVolume(r) => (&r.volume_id, None, true),
        _ => return None,
    };
    let written = |record: &Record| {
        let stage = !staged || matches!(record.stage, Stage::Maybe | Stage::Yes);
        let publish = |target: &String| record.publishes.iter().any(|publish| publish.target.as_os_str() == target.as_str());
        record.handle.as_str() == id && stage && target.is_none_or(publish)
    };
    let known = world.journal().any(|(_, content)| decode(&content).is_ok_and(|(_, record)| written(&record)));
    (!known).then(|| format!("{} of {} is sent, and the journal does not say so", request.rpc().name(), world.plain(id)))
}

/// What is not as it should be of the objects that the mounter keeps: the Node and its CSINode name the driver, for as long as its
/// socket is there.
pub(super) fn unrest(world: &World) -> Vec<String> {
    let mut left = Vec::new();
    let Some(node) = objects::nodes(world.store()).into_iter().find(|node| node.metadata.name == NODE) else {
        return vec!["the Node is not there".to_owned()];
    };
    let csi_nodes = objects::csi_nodes(world.store());
    let csi_node = csi_nodes.iter().find(|csi_node| csi_node.metadata.name == NODE);
    if !csi_node.is_some_and(|csi_node| csi_node.spec.drivers.iter().flatten().any(|driver| driver.name == DRIVER)) {
        left.push("the CSINode does not name the driver".to_owned());
    }
    let owned =
        |csi_node: &objects::NodeDrivers| csi_node.metadata.owner_references.iter().any(|owner| owner.uid == node.metadata.uid);
    if !csi_node.is_some_and(owned) {
        left.push("the CSINode is not the Node's".to_owned());
    }
    if !node.metadata.annotations.get("csi.volume.kubernetes.io/nodeid").is_some_and(|ids| ids.contains(DRIVER)) {
        left.push("the Node does not say the driver's id".to_owned());
    }
    if world.plan().shape.attach {
        let attached = objects::attachments(world.store()).iter().filter(|attachment| attachment.status.attached).count();
        if node.status.volumes_attached.len() != attached {
            left.push(format!("{} volumes are attached, and the Node says {:?}", attached, node.status.volumes_attached));
        }
    }
    left
}
