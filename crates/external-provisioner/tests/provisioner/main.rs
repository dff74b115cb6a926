//! The provisioner between a real driver process's socket and an API in memory: what it does to both when either goes wrong.
#![allow(clippy::disallowed_methods, reason = "tests wait on the real clock, since sockets do not follow a paused one")]

mod intents;
mod world;

use cluster::kinds::Phase;
use fake_driver::{PluginCap, Rpc};
use serde_json::{Value, json};
use test_api::Fault;

use world::{ATTACHMENTS, CLAIMS, CSI_NODES, INTENTS, LEASES, NODES, SECRETS, VOLUMES, World};

const DATA: &str = "/api/v1/namespaces/team-a/persistentvolumeclaims/data";
/// What the watches of volumes and of claims have to tell.
const NEWS_OF_VOLUMES: &str = "WATCH /api/v1/persistentvolumes";
const NEWS_OF_CLAIMS: &str = "WATCH /api/v1/persistentvolumeclaims";

fn annotation<'a>(object: &'a Value, key: &str) -> &'a Value {
    &object["metadata"]["annotations"][key]
}

#[tokio::test]
async fn a_claim_becomes_a_volume_with_one_write_and_one_event() {
    let world = World::start("").await;
    world.claim("data", json!({})).await;
    world.until("the event", |world| world.api.events().len() == 1).await;
    let name = world.volume_name("data");
    assert_eq!(world.api.events(), [format!("ProvisioningSucceeded: Successfully provisioned volume {name}")]);
    let intents_read = format!("GET {LEASES}/{INTENTS}");
    let sent: Vec<_> = world.api.sent().into_iter().filter(|sent| !sent.starts_with(&intents_read)).collect();
    assert_eq!(sent, [format!("POST {LEASES}"), format!("POST {VOLUMES}")]);
    let (pv, made) = (world.volume("data").unwrap(), world.driver.volumes());
    assert_eq!((made.len(), &json!(made[0].id)), (1, &pv["spec"]["csi"]["volumeHandle"]));
    assert_eq!(json!(format!("pvc-{}", pv["spec"]["claimRef"]["uid"].as_str().unwrap())), pv["metadata"]["name"]);
    world.bind("data").await;
    assert_eq!(world.calls(Rpc::CreateVolume), 1);
}

#[tokio::test]
async fn a_call_without_an_answer_is_repeated_word_for_word_and_makes_one_volume() {
    let world = World::start("rules: [{rpc: CreateVolume, times: 1, late: 800ms}]").await;
    world.claim("data", json!({})).await;
    world.until("the first call", |world| world.calls(Rpc::CreateVolume) == 1).await;
    world.class(json!({"parameters": {"type": "changed meanwhile"}})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    let calls = world.driver.requests_of(Rpc::CreateVolume);
    assert_eq!(calls[0].json(), calls[1].json());
    assert_eq!(world.driver.volumes().len(), 1);
}

#[tokio::test]
async fn a_claim_deleted_while_its_call_runs_leaves_nothing_behind() {
    let world = World::start("rules: [{rpc: CreateVolume, times: 1, late: 800ms}]").await;
    world.claim("data", json!({})).await;
    world.until("the first call", |world| world.calls(Rpc::CreateVolume) == 1).await;
    world.api.remove(DATA).await;
    world.until("the volume's name in Kubernetes", |world| world.volume("data").is_some()).await;
    world.phase("data", "Released").await;
    world.until("the end of it", |world| world.volume("data").is_none()).await;
    assert_eq!(world.driver.volumes().len(), 0);
}

#[tokio::test]
async fn a_volume_that_is_too_small_is_deleted_again_and_asked_for_anew() {
    let world = World::start("rules: [{rpc: CreateVolume, times: 1, answer_capacity: 5}]").await;
    world.claim("data", json!({})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    assert_eq!((world.calls(Rpc::CreateVolume), world.calls(Rpc::DeleteVolume)), (2, 1));
    world.until("the event", |world| world.api.events().iter().any(|event| event.contains("with 5 instead of 1Gi"))).await;
}

#[tokio::test]
async fn a_lost_answer_to_saving_is_found_out_and_makes_no_second_volume() {
    let world = World::start("").await;
    world.api.fail(&format!("POST {VOLUMES}"), Fault::Unanswered, 1);
    world.api.fail(&format!("GET {VOLUMES}"), Fault::Refused(500), 1);
    world.api.hold(NEWS_OF_VOLUMES);
    world.claim("data", json!({})).await;
    world.until("success", |world| world.api.events().iter().any(|event| event.starts_with("ProvisioningSucceeded"))).await;
    assert_eq!((world.calls(Rpc::CreateVolume), world.driver.volumes().len()), (1, 1));
    assert_eq!(world.api.list(VOLUMES).len(), 1);
}

#[tokio::test]
async fn saving_is_tried_again_until_it_works_and_the_driver_is_not_asked_again() {
    let world = World::start("").await;
    world.api.fail(&format!("POST {VOLUMES}"), Fault::Refused(500), 3);
    world.claim("data", json!({})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    assert_eq!(world.calls(Rpc::CreateVolume), 1);
}

#[tokio::test]
async fn a_volume_of_that_name_that_is_somebody_elses_is_never_taken_for_saved() {
    let world = World::start("").await;
    // Not in the cache yet, so that the driver is asked first: the worst case.
    world.api.hold(NEWS_OF_VOLUMES);
    world.api.hold("POST /api/v1/persistentvolumes");
    world.claim("data", json!({})).await;
    let name = world.volume_name("data");
    let another = json!({"spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "csi": {"driver": "x", "volumeHandle": "y"},
        "claimRef": {"kind": "PersistentVolumeClaim", "namespace": "team-a", "name": "data", "uid": "another"},
    }});
    world.api.create(VOLUMES, &name, another).await;
    world.api.let_through("POST /api/v1/persistentvolumes");
    world.until("the refusal", |world| world.api.events().iter().any(|event| event.contains(&name))).await;
    world.api.let_through(NEWS_OF_VOLUMES);
    assert!(world.api.events().iter().all(|event| event.starts_with("ProvisioningFailed")), "{:?}", world.api.events());
    world.api.remove(&world.volume_path("data")).await;
    world.until("the volume", |world| !world.driver.volumes().is_empty() && world.volume("data").is_some()).await;
    world.until("success", |world| world.api.events().iter().any(|event| event.starts_with("ProvisioningSucceeded"))).await;
    assert_eq!(world.driver.volumes().len(), 1);
}

#[tokio::test]
async fn a_claim_that_only_the_cache_still_believes_in_leaves_nothing_behind() {
    let world = World::start("").await;
    world.claim("data", json!({})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    // Bound, used and deleted, all before the watch of claims tells. Upstream: issue 1469.
    world.api.hold(NEWS_OF_CLAIMS);
    world.bind("data").await;
    world.release("data").await;
    world.until("the second call", |world| world.calls(Rpc::CreateVolume) == 2).await;
    world.until("the second volume's name", |world| world.volume("data").is_some()).await;
    world.api.let_through(NEWS_OF_CLAIMS);
    world.until("the claim's end", |world| world.caches.claims.is_empty()).await;
    world.phase("data", "Released").await;
    world.until("the end of it", |world| world.volume("data").is_none()).await;
    assert_eq!((world.driver.volumes().len(), world.calls(Rpc::CreateVolume)), (0, 2));
}

#[tokio::test]
async fn an_impossible_request_is_not_sent_again_and_the_user_is_told() {
    let world = World::start("rules: [{rpc: CreateVolume, fault: {code: InvalidArgument, message: no such type}}]").await;
    world.claim("data", json!({})).await;
    world.until("the event", |world| world.api.events().iter().any(|event| event.contains("no such type"))).await;
    // A change that does not touch the request wakes the claim, and it rests again.
    world.api.edit(DATA, |claim| claim["status"]["accessModes"] = json!(["ReadWriteOnce"])).await;
    world.claim("other", json!({})).await;
    world.until("the other's event", |world| world.api.events().len() == 2).await;
    assert_eq!(world.calls(Rpc::CreateVolume), 2);
}

#[tokio::test]
async fn a_pod_is_given_back_when_its_node_has_no_room_and_nothing_else_of_the_claim_changes() {
    let script = "rules: [{rpc: CreateVolume, times: 1, fault: {code: ResourceExhausted}}]";
    let placed = [PluginCap::ControllerService, PluginCap::VolumeAccessibilityConstraints];
    let world = World::with(script, &["--strict-topology"], |driver| driver.plugin_caps(placed).topology([("zone", "a")])).await;
    world.class(json!({"volumeBindingMode": "WaitForFirstConsumer"})).await;
    for node in ["n1", "n2"] {
        let drivers = json!([{"name": world::DRIVER, "nodeID": node, "topologyKeys": ["zone"]}]);
        world.api.create(CSI_NODES, node, json!({"spec": {"drivers": drivers}})).await;
        world.api.create(NODES, node, json!({"metadata": {"labels": {"zone": "a"}}})).await;
    }
    world.claim("data", json!({"volume.kubernetes.io/selected-node": "n1", "mine": "kept"})).await;
    let key = "volume.kubernetes.io/selected-node";
    world.until("the pod's return", |world| annotation(&world.api.list(CLAIMS)[0], key).is_null()).await;
    assert_eq!(annotation(&world.api.list(CLAIMS)[0], "mine"), "kept");
    world.api.edit(DATA, |claim| claim["metadata"]["annotations"][key] = json!("n2")).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    let terms = &world.volume("data").unwrap()["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"];
    assert_eq!(terms[0]["matchExpressions"][0]["values"], json!(["a"]));
    let asked = world.driver.requests_of(Rpc::CreateVolume)[1].json();
    assert_eq!(asked["accessibility_requirements"]["requisite"], json!([{"segments": {"zone": "a"}}]));
}

#[tokio::test]
async fn a_missing_secret_is_named_and_its_values_are_seen_by_the_driver_alone() {
    let world = World::start("").await;
    let secret = json!({"parameters": {
        "csi.storage.k8s.io/provisioner-secret-name": "${pvc.annotations['example.com/secret']}",
        "csi.storage.k8s.io/provisioner-secret-namespace": "${pvc.namespace}",
    }});
    world.class(secret).await;
    world.claim("data", json!({"example.com/secret": "gold"})).await;
    world.until("the event", |world| world.api.events().iter().any(|event| event.contains("team-a/gold"))).await;
    world.api.create(SECRETS, "gold", json!({"data": {"password": "aHVudGVyMg=="}})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    world.bind("data").await;
    world.release("data").await;
    world.until("the end of it", |world| world.volume("data").is_none()).await;
    for rpc in [Rpc::CreateVolume, Rpc::DeleteVolume] {
        assert_eq!(world.driver.requests_of(rpc)[0].json()["secrets"], json!({"password": "hunter2"}));
    }
    assert!(!format!("{:?}", world.api.events()).contains("hunter2"));
}

#[tokio::test]
async fn a_released_volume_is_deleted_only_when_no_attachment_is_left() {
    let world = World::start("rules: [{rpc: DeleteVolume, times: 1, fault: {code: Internal, message: not now}}]").await;
    world.claim("data", json!({})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    world.bind("data").await;
    let attachment = json!({"spec": {"attacher": world::DRIVER, "nodeName": "n1", "source": {"persistentVolumeName": world.volume_name("data")}}});
    world.api.create(ATTACHMENTS, "va", attachment).await;
    world.release("data").await;
    // The provisioner has looked at the release once it has gone on to something that came after it.
    let released = |world: &World| {
        let seen = world.caches.volumes.get(&world.volume_name("data"));
        seen.is_some_and(|volume| volume.phase == Phase::Released)
    };
    world.until("the release is seen", released).await;
    world.claim("later", json!({})).await;
    world.until("the later volume", |world| world.volume("later").is_some()).await;
    assert_eq!(world.calls(Rpc::DeleteVolume), 0);
    world.api.remove(&format!("{ATTACHMENTS}/va")).await;
    world.until("the end of it", |world| world.volume("data").is_none()).await;
    let told = |event: &String| event.starts_with("VolumeFailedDelete") && event.contains("not now");
    world.until("the event", |world| world.api.events().iter().any(told)).await;
    assert_eq!(world.driver.volumes().len(), 1, "the later one");
}

#[tokio::test]
async fn a_volume_that_was_set_to_retain_a_moment_ago_is_not_deleted() {
    let world = World::start("").await;
    world.claim("data", json!({})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    world.bind("data").await;
    // What the administrator does comes between the look at the cache and the one at the object itself.
    world.api.hold("GET /api/v1/persistentvolumes");
    world.release("data").await;
    world.until("the look", |world| world.api.sent().contains(&format!("GET {}", world.volume_path("data")))).await;
    world.api.hold(NEWS_OF_VOLUMES);
    world.api.edit(&world.volume_path("data"), |pv| pv["spec"]["persistentVolumeReclaimPolicy"] = json!("Retain")).await;
    world.api.let_through("GET /api/v1/persistentvolumes");
    let left = json!(["kubernetes.io/pv-protection"]);
    world.until("our finalizer's end", |world| world.volume("data").unwrap()["metadata"]["finalizers"] == left).await;
    assert_eq!((world.calls(Rpc::DeleteVolume), world.driver.volumes().len()), (0, 1));
}

#[tokio::test]
async fn restarts_during_a_burst_leave_one_volume_per_claim() {
    let mut world = World::start("rules: [{rpc: CreateVolume, times: 10, late: 300ms}]").await;
    for n in 0..20 {
        world.claim(&format!("claim-{n}"), json!({})).await;
    }
    for calls in [3, 9, 15] {
        world.until("some calls", |world| world.calls(Rpc::CreateVolume) >= calls).await;
        world.restart().await;
    }
    world.until("all volumes", |world| world.api.list(VOLUMES).len() == 20).await;
    assert_eq!(world.driver.volumes().len(), 20);
    world.stop().await;
}
