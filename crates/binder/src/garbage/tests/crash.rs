//! Killed at any poll, the controllers finish what they began when they start again: nothing they need is in their memory.

use std::sync::Arc;
use std::time::Duration;

use kube::api::DeleteParams;
use rt::Ctx;
use rt::disk::MemoryDisk;
use serde_json::json;
use tokio::sync::Notify;

use crate::garbage::world::{World, claim, owned_by, pod, volume};

const NS: &str = "team-a";

/// What users, an attacher and a mounter do, without looking at what comes of it.
async fn script(world: &World) {
    let managed = json!({"metadata": {"annotations": {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}}});
    world.create("Node", "", "n1", managed).await;
    let mut bound = claim("pv-1");
    bound["status"] = json!({"phase": "Bound"});
    let uid = world.create("PersistentVolumeClaim", NS, "data", bound).await;
    world.create("PersistentVolume", "", "pv-1", volume("h", "data", &uid)).await;
    let template = json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let volumes = json!([
        {"name": "d", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}},
    ]);
    world.create("Pod", NS, "web-0", pod("n1", volumes)).await;
    let owner = world.create("ConfigMap", NS, "owner", json!({})).await;
    let child = world.create("ConfigMap", NS, "child", owned_by(&[("ConfigMap", "owner", &owner)])).await;
    world.create("Secret", NS, "grandchild", owned_by(&[("ConfigMap", "child", &child)])).await;
    let orphaned = world.create("ConfigMap", NS, "orphaned", json!({})).await;
    world.create("Secret", NS, "orphan", owned_by(&[("ConfigMap", "orphaned", &orphaned)])).await;
    world.ctx.sleep(Duration::from_millis(50)).await;
    for attachment in world.list("VolumeAttachment", "").await {
        let name = attachment["metadata"]["name"].as_str().expect("a name");
        world.patch_status("VolumeAttachment", "", name, json!({"status": {"attached": true}})).await;
    }
    world.delete("ConfigMap", NS, "owner", DeleteParams::foreground()).await;
    world.delete("ConfigMap", NS, "orphaned", DeleteParams::orphan()).await;
    world.ctx.sleep(Duration::from_millis(50)).await;
    world.delete("Pod", NS, "web-0", DeleteParams::default().grace_period(0)).await;
    world.ctx.sleep(Duration::from_millis(50)).await;
}

async fn run(kill_at: u64) -> u64 {
    let disk = || Arc::new(MemoryDisk::default());
    let mut world = World::on(Ctx::seeded(1, disk())).await;
    let process = Ctx::seeded(2, disk());
    process.kill_at_poll(kill_at);
    world.start_in(process.clone(), Arc::default());
    script(&world).await;
    let polls = process.polls();
    process.kill();
    assert_eq!(process.panicked(), None);
    world.start_in(Ctx::seeded(3, disk()), Arc::new(Notify::new()));
    for (kind, name) in [("ConfigMap", "child"), ("ConfigMap", "owner"), ("ConfigMap", "orphaned"), ("Secret", "grandchild")] {
        world.gone(kind, NS, name).await;
    }
    world.gone("PersistentVolumeClaim", NS, "web-0-scratch").await;
    world.eventually("it is detached", || async { world.list("VolumeAttachment", "").await.is_empty() }).await;
    let orphan = world.get("Secret", NS, "orphan").await.expect("an orphan stays");
    assert!(orphan["metadata"]["ownerReferences"].is_null());
    world.delete("Namespace", "", NS, DeleteParams::default()).await;
    world.gone("Namespace", "", NS).await;
    let node = world.get("Node", "", "n1").await.expect("a node");
    assert_eq!(node["status"]["volumesAttached"].as_array().map_or(0, Vec::len), 0);
    polls
}

#[test]
fn a_kill_at_any_poll_is_made_good_by_the_next_start() {
    let once = |kill_at| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(run(kill_at))
    };
    let polls = once(u64::MAX);
    assert!(polls > 100, "{polls} polls");
    for kill_at in (1..polls).step_by((polls / 60).max(1) as usize) {
        once(kill_at);
    }
}
