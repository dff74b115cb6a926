//! What users, administrators and fate do to the world: the steps of a plan, and at the end what they do so that it can come to rest.
//! For them nothing goes wrong.

mod node;

use std::time::Duration;

use serde_json::{Value, json};
use test_api::ask;

use crate::objects;
use crate::plan::{Act, Step};
use crate::trace::What;
use crate::world::{DRIVER, NAMESPACE, SECRET, SYSTEM, World};

const JSON: &str = "application/json";
/// Volumes of the last are retained.
const CLASSES: [&str; 3] = ["fast", "wait", "keep"];
const MERGE: &str = "application/merge-patch+json";

/// What is there before anybody comes.
pub(crate) async fn prepare(world: &World) {
    for name in ["default", SYSTEM, "kube-node-lease", NAMESPACE] {
        post(world, "/api/v1/namespaces", json!({"metadata": {"name": name}})).await;
    }
    node::create_driver(world).await;
    for class in CLASSES {
        create_class(world, class, 0).await;
    }
    create_secret(world).await;
}

/// Everything of the plan, at its time. Ends early when a law is broken.
pub(crate) async fn steps(world: &World) {
    let steps = world.plan().steps.clone();
    for step in steps {
        let now = world.ctx().now().0;
        world.ctx().sleep(Duration::from_millis(step.at).saturating_sub(now)).await;
        if world.is_broken() {
            return;
        }
        act(world, &step.act).await;
    }
    let calm = world.plan().calm();
    world.ctx().sleep(calm.saturating_sub(world.ctx().now().0)).await;
}

/// From here on nothing goes wrong, what is needed to finish is there, and who wanted everything gone deletes it.
pub(crate) async fn calm(world: &World) {
    world.tell("world", What::Did("from here on nothing goes wrong".to_owned()));
    for class in CLASSES {
        create_class(world, class, 0).await;
    }
    create_secret(world).await;
    node::mend(world).await;
    if !world.plan().shape.clear {
        return;
    }
    world.tell("user", What::Did("deletes everything".to_owned()));
    for pod in objects::pods(world.store()) {
        delete(world, &pod_path(&pod.metadata.name)).await;
    }
    for claim in objects::claims(world.store()) {
        delete(world, &claim_path(&claim.metadata.name)).await;
    }
    let own = world.clone();
    world.ctx().spawn("administrator", async move { give_up_retained(&own).await });
    let own = world.clone();
    world.ctx().spawn("administrator", async move { node::look_after_journal(&own).await });
}

/// An administrator deletes retained volumes that are released, or that nobody has taken again. What they hold stays in the backend, and is meant to.
async fn give_up_retained(world: &World) {
    loop {
        for volume in objects::volumes(world.store()) {
            let retained = volume.spec.persistent_volume_reclaim_policy == "Retain";
            let over = matches!(&*volume.status.phase, "Released" | "Available");
            if retained && over && !volume.deleting() {
                keeps(world, &volume, true);
                delete(world, &volume_path(&volume.metadata.name)).await;
            }
        }
        world.ctx().sleep(Duration::from_secs(2)).await;
    }
}

async fn act(world: &World, act: &Act) {
    let did = |text: String| world.tell("user", What::Did(text));
    match act {
        Act::CreateClaim { name, class, mode, block } => {
            did(format!("makes claim {name} of class {class}, {mode}"));
            create_claim(world, name, class, mode, *block).await;
        }
        Act::CreatePod { name, claims } => {
            did(format!("makes pod {name} with {}", claims.join(", ")));
            create_pod(world, name, claims).await;
        }
        Act::DeletePod { name } => {
            did(format!("deletes pod {name}"));
            delete(world, &pod_path(name)).await;
        }
        Act::ForceDeletePod { name } => {
            did(format!("deletes pod {name} by force"));
            let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0});
            ask(&world.api(), "DELETE", &pod_path(name), JSON, options).await;
        }
        Act::EndPod { name } => {
            did(format!("pod {name} has ended"));
            patch(world, &format!("{}/status", pod_path(name)), json!({"status": {"phase": "Succeeded"}})).await;
        }
        Act::DeleteClaim { name } => {
            did(format!("deletes claim {name}"));
            delete(world, &claim_path(name)).await;
        }
        Act::DeleteVolume { claim } => {
            did(format!("deletes the volume of claim {claim}"));
            for volume in volumes_of(world, claim) {
                keeps(world, &volume, volume.spec.persistent_volume_reclaim_policy == "Retain");
                delete(world, &volume_path(&volume.metadata.name)).await;
            }
        }
        Act::Retain { claim } => {
            did(format!("retains the volume of claim {claim}"));
            for volume in volumes_of(world, claim) {
                let spec = json!({"spec": {"persistentVolumeReclaimPolicy": "Retain"}});
                keeps(world, &volume, volume.deleting());
                if volume.status.phase == "Released" {
                    world.memory().retained_late.insert(volume.spec.csi.volume_handle.clone());
                }
                patch(world, &volume_path(&volume.metadata.name), spec).await;
            }
        }
        Act::FreeVolume { claim } => {
            did(format!("frees the volume of claim {claim}"));
            let may = |volume: &objects::Volume| {
                volume.status.phase == "Released" && volume.spec.persistent_volume_reclaim_policy == "Retain"
            };
            for volume in volumes_of(world, claim).into_iter().filter(may) {
                world.memory().given.remove(&volume.metadata.uid);
                patch(world, &volume_path(&volume.metadata.name), json!({"spec": {"claimRef": null}})).await;
            }
        }
        Act::ReplaceClaim { name } => {
            did(format!("deletes claim {name} and makes it again"));
            let before = objects::claims(world.store()).into_iter().find(|claim| claim.metadata.name == *name);
            delete(world, &claim_path(name)).await;
            let class = before.map_or_else(|| "fast".to_owned(), |claim| claim.spec.storage_class_name);
            create_claim(world, name, &class, "ReadWriteOnce", is_block(world, name)).await;
        }
        Act::DeleteClass { name } => {
            did(format!("deletes class {name}"));
            delete(world, &class_path(name)).await;
        }
        Act::CreateClass { name, variant } => {
            did(format!("makes class {name}, variant {variant}"));
            create_class(world, name, *variant).await;
        }
        Act::DeleteSecret => {
            did("deletes the secret".to_owned());
            delete(world, "/api/v1/namespaces/kube-system/secrets/backend").await;
        }
        Act::CreateSecret => {
            did("makes the secret".to_owned());
            create_secret(world).await;
        }
        Act::DeleteNode
        | Act::OutOfService { .. }
        | Act::OverwriteNodeIds
        | Act::DeleteDriver
        | Act::CreateDriver
        | Act::Socket { .. }
        | Act::LoseFiles { .. }
        | Act::KillMounts
        | Act::Reboot
        | Act::DamageJournal { .. }
        | Act::FillDisk { .. } => node::act(world, act).await,
        fate => strike(world, fate).await,
    }
}

/// What nobody does, and happens.
async fn strike(world: &World, act: &Act) {
    let did = |text: String| world.tell("fate", What::Did(text));
    let ms = |ms: &u64| Duration::from_millis(*ms);
    match act {
        Act::Kill { process } => world.kill(process, "by the plan"),
        Act::KillAfterTurns { process, turns } => {
            if let Some(slot) = world.slots().get(process.as_str()) {
                slot.ctx.kill_at_poll(slot.ctx.polls() + turns);
            }
        }
        Act::Freeze { process, ms: time } => {
            let Some(ctx) = world.slots().get(process.as_str()).map(|slot| slot.ctx.clone()) else { return };
            let (own, process, time) = (world.clone(), process.clone(), ms(time));
            own.tell(&process, What::Frozen);
            ctx.freeze();
            world.ctx().spawn("thaw", async move {
                own.ctx().sleep(time).await;
                own.tell(&process, What::Thawed);
                ctx.thaw();
            });
        }
        Act::ApiDown { ms: time } => {
            did("nobody reaches the API".to_owned());
            world.api_down(ms(time));
        }
        Act::DriverDown { ms: time } => {
            did("the driver is down".to_owned());
            let (own, time) = (world.clone(), ms(time));
            own.plugin(true).stop();
            own.plugin(false).stop();
            world.ctx().spawn("driver starts", async move {
                own.ctx().sleep(time).await;
                own.plugin(true).start();
                own.plugin(false).start();
            });
        }
        Act::Compact => {
            did("the API forgets the past".to_owned());
            world.store().compact();
        }
        Act::ForbidIntents { ms: time } => {
            did("nobody may write intents".to_owned());
            world.forbid_intents(ms(time));
        }
        _ => {}
    }
}

async fn create_claim(world: &World, name: &str, class: &str, mode: &str, block: bool) {
    let claim = json!({
        "metadata": {"name": name},
        "spec": {
            "storageClassName": class, "accessModes": [mode], "volumeMode": if block { "Block" } else { "Filesystem" },
            "resources": {"requests": {"storage": "1Gi"}},
        },
    });
    let path = format!("/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims");
    let made = post(world, &path, claim).await;
    if let Some(uid) = made["metadata"]["uid"].as_str() {
        world.call(format!("pvc-{uid}"), format!("pv:{name}"));
    }
}

/// Whether claims of this name are devices, also those that are not made yet.
fn is_block(world: &World, claim: &str) -> bool {
    let is = |step: &Step| matches!(&step.act, Act::CreateClaim { name, block: true, .. } if name == claim);
    world.plan().steps.iter().any(is)
}

async fn create_pod(world: &World, name: &str, claims: &[String]) {
    let volumes: Vec<Value> =
        claims.iter().map(|claim| json!({"name": claim, "persistentVolumeClaim": {"claimName": claim}})).collect();
    let (devices, mounts): (Vec<&String>, Vec<&String>) = claims.iter().partition(|claim| is_block(world, claim));
    let mounts: Vec<Value> = mounts.iter().map(|claim| json!({"name": claim, "mountPath": format!("/{claim}")})).collect();
    let devices: Vec<Value> = devices.iter().map(|claim| json!({"name": claim, "devicePath": format!("/dev/{claim}")})).collect();
    let pod = json!({
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "main", "image": "none", "volumeMounts": mounts, "volumeDevices": devices}],
            "volumes": volumes,
        },
    });
    post(world, &format!("/api/v1/namespaces/{NAMESPACE}/pods"), pod).await;
}

/// A class that is there stays as it is.
async fn create_class(world: &World, name: &str, variant: u8) {
    let mut parameters = json!({"type": format!("t{variant}")});
    if world.plan().shape.secrets {
        for purpose in ["provisioner", "controller-publish", "node-stage", "node-publish"] {
            parameters[format!("csi.storage.k8s.io/{purpose}-secret-name")] = json!("backend");
            parameters[format!("csi.storage.k8s.io/{purpose}-secret-namespace")] = json!(SYSTEM);
        }
    }
    let class = json!({
        "metadata": {"name": name}, "provisioner": DRIVER, "parameters": parameters,
        "reclaimPolicy": if name == "keep" { "Retain" } else { "Delete" },
        "volumeBindingMode": if name == "wait" { "WaitForFirstConsumer" } else { "Immediate" },
    });
    post(world, "/apis/storage.k8s.io/v1/storageclasses", class).await;
}

async fn create_secret(world: &World) {
    let secret = json!({"metadata": {"name": "backend"}, "stringData": {"password": format!("{SECRET}backend")}});
    post(world, &format!("/api/v1/namespaces/{SYSTEM}/secrets"), secret).await;
}

/// A PersistentVolume that is both retained and deleted leaves what it names in the backend, and is meant to.
fn keeps(world: &World, volume: &objects::Volume, both: bool) {
    if both {
        world.memory().kept.insert(volume.spec.csi.volume_handle.clone());
    }
}

fn volumes_of(world: &World, claim: &str) -> Vec<objects::Volume> {
    let volumes = objects::volumes(world.store()).into_iter();
    volumes.filter(|volume| volume.spec.claim_ref.name == claim).collect()
}

fn pod_path(name: &str) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}")
}

fn claim_path(name: &str) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims/{name}")
}

fn volume_path(name: &str) -> String {
    format!("/api/v1/persistentvolumes/{name}")
}

fn class_path(name: &str) -> String {
    format!("/apis/storage.k8s.io/v1/storageclasses/{name}")
}

/// What is there already, or is gone already, is no concern.
async fn post(world: &World, path: &str, object: Value) -> Value {
    ask(&world.api(), "POST", path, JSON, object).await.1
}

async fn patch(world: &World, path: &str, change: Value) {
    ask(&world.api(), "PATCH", path, MERGE, change).await;
}

async fn delete(world: &World, path: &str) {
    ask(&world.api(), "DELETE", path, JSON, Value::Null).await;
}
