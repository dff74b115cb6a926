//! What the Node says, and what is true on it.

use fake_driver::Request;

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
