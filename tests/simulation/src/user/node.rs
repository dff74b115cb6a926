//! What happens to the node: its object, its machine, its disk, and the driver's half on it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{delete, patch, post};
use crate::plan::{Act, Damage};
use crate::trace::What;
use crate::world::{DRIVER, NODE, SOCKET, World};

const NODE_IDS: &str = "csi.volume.kubernetes.io/nodeid";

/// What everything there needs to work.
pub(super) async fn mend(world: &World) {
    world.machine().disk.set_full(false);
    create_driver(world).await;
    if world.sockets().is_empty() {
        world.sockets().insert(SOCKET.to_owned(), 1);
    }
    patch(world, &node(), json!({"spec": {"taints": Value::Null}})).await;
}

/// One that is there stays as it is.
pub(super) async fn create_driver(world: &World) {
    let shape = world.plan().shape;
    let spec = json!({"attachRequired": shape.attach, "fsGroupPolicy": "File", "requiresRepublish": shape.republish});
    post(world, "/apis/storage.k8s.io/v1/csidrivers", json!({"metadata": {"name": DRIVER}, "spec": spec})).await;
}

pub(super) async fn act(world: &World, act: &Act) {
    let user = |text: &str| world.tell("user", What::Did(text.to_owned()));
    let fate = |text: &str| world.tell("fate", What::Did(text.to_owned()));
    match act {
        Act::DeleteNode => {
            user("deletes the node");
            delete(world, &node()).await;
        }
        Act::OutOfService { ms } => {
            user("says that the node is out of service");
            out_of_service(world, Duration::from_millis(*ms)).await;
        }
        Act::OverwriteNodeIds => {
            user("overwrites the ids on the node");
            let ids = json!({ "other.example.com": "other-1" }).to_string();
            patch(world, &node(), json!({"metadata": {"annotations": {NODE_IDS: ids}}})).await;
        }
        Act::DeleteDriver => {
            user("deletes the CSIDriver");
            delete(world, &format!("/apis/storage.k8s.io/v1/csidrivers/{DRIVER}")).await;
        }
        Act::CreateDriver => {
            user("makes the CSIDriver");
            create_driver(world).await;
        }
        Act::Socket { name, made: Some(made) } => {
            fate(&format!("makes the socket {name}"));
            world.sockets().insert(name.clone(), *made);
        }
        Act::Socket { name, made: None } => {
            fate(&format!("takes the socket {name} away"));
            world.sockets().remove(name);
        }
        Act::Reboot => {
            fate("the node's machine starts anew");
            world.kill("mounter", "its machine starts anew");
            let machine = world.machine();
            machine.kernel.filesystems().iter().for_each(|target| _ = machine.disk.revive(target));
            world.reboot();
        }
        Act::DamageJournal { how } => {
            fate(&format!("the journal is {how:?}"));
            world.kill("mounter", "its disk is damaged");
            damage(world, *how);
        }
        Act::LoseFiles { named } => {
            fate(&format!("every {named} is lost"));
            let disk = world.machine().disk;
            let lost = disk.files().into_iter().filter(|(path, _)| path.ends_with(named));
            lost.for_each(|(path, _)| disk.take(&path));
        }
        Act::KillMounts => {
            fate("every mounted filesystem is dead");
            let machine = world.machine();
            machine.kernel.filesystems().iter().for_each(|target| machine.disk.kill(target));
        }
        Act::FillDisk { ms } => {
            fate("the node's disk is full");
            let (own, disk, time) = (world.clone(), world.machine().disk, Duration::from_millis(*ms));
            disk.set_full(true);
            world.ctx().spawn("disk", async move {
                own.ctx().sleep(time).await;
                disk.set_full(false);
            });
        }
        _ => {}
    }
}

async fn out_of_service(world: &World, time: Duration) {
    world.memory().out_of_service = true;
    let taint = json!([{"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}]);
    patch(world, &node(), json!({"spec": {"taints": taint}})).await;
    let own = world.clone();
    world.ctx().spawn("back in service", async move {
        own.ctx().sleep(time).await;
        own.tell("user", What::Did("takes the node back into service".to_owned()));
        patch(&own, &node(), json!({"spec": {"taints": Value::Null}})).await;
    });
}

/// Every record of the journal, by what the seed says of it.
fn damage(world: &World, how: Damage) {
    let disk = world.machine().disk;
    for (path, mut content) in world.journal() {
        let drawn = world.ctx().draw("damage");
        let at = drawn as usize % content.len().max(1);
        match how {
            Damage::Truncated => content.truncate(at),
            Damage::BitFlipped => content.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (drawn >> 32 & 7)),
            Damage::Deleted => {
                disk.take(&path);
                continue;
            }
        }
        disk.put(path, content);
    }
}

/// An administrator reads in node-mounter's log that a record cannot be read, looks for what is mounted on the node, finds
/// nothing, and takes the file away.
pub(super) async fn look_after_journal(world: &World) {
    loop {
        world.ctx().sleep(Duration::from_secs(300)).await;
        let unreadable = || world.journal().filter(|(path, _)| path.to_string_lossy().contains(".unreadable-"));
        let mounted = world.backend().volumes().any(|volume| !volume.staged.is_empty() || !volume.targets.is_empty());
        if mounted || unreadable().next().is_none() {
            continue;
        }
        world.tell("administrator", What::Did("takes away records that cannot be read".to_owned()));
        let disk = world.machine().disk;
        unreadable().for_each(|(path, _)| disk.take(&path));
        world.kill("mounter", "an administrator restarts it");
    }
}

fn node() -> String {
    format!("/api/v1/nodes/{NODE}")
}
