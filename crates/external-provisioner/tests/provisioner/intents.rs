//! What was asked of the driver is known to the next process, wherever this one dies.

use cluster::intents::ANNOTATION;
use fake_driver::Rpc;
use serde_json::{Value, json};
use test_api::Fault;

use crate::world::{CLAIMS, CLASSES, INTENTS, LEASES, SECRETS, VOLUMES, World};

const DATA: &str = "/api/v1/namespaces/team-a/persistentvolumeclaims/data";
const LATE: &str = "rules: [{rpc: CreateVolume, times: 1, late: 300ms}]";

/// A claim whose call is under way, and whose provisioner has just died of it.
async fn dead_while_asking(script: &str) -> World {
    let mut world = World::start(script).await;
    world.claim("data", json!({})).await;
    world.until("the first call", |world| world.calls(Rpc::CreateVolume) == 1).await;
    world.kill();
    world
}

#[tokio::test]
async fn a_claim_deleted_while_its_provisioner_is_dead_leaves_nothing_behind_issue_486() {
    let mut world = dead_while_asking(LATE).await;
    assert_eq!(world.intents().len(), 1, "written down before the call");
    world.api.remove(DATA).await;
    world.restart().await;
    world.until_nothing_is_left().await;
    let calls = world.driver.requests_of(Rpc::CreateVolume);
    assert_eq!((calls.len(), calls[0].json()), (2, calls[1].json()), "word for word, to learn the volume's id");
}

#[tokio::test]
async fn a_provisioner_that_dies_between_the_answer_and_the_volumes_name_leaves_nothing_behind() {
    let mut world = World::start("").await;
    world.api.hold(&format!("POST {VOLUMES}"));
    world.claim("data", json!({})).await;
    world.until("the attempt to save it", |world| world.api.sent().contains(&format!("POST {VOLUMES}"))).await;
    world.kill();
    world.api.remove(DATA).await;
    world.restart().await;
    world.api.let_through(&format!("POST {VOLUMES}"));
    world.until_nothing_is_left().await;
}

#[tokio::test]
async fn what_the_namespace_the_class_and_the_secret_were_does_not_matter_and_a_secret_is_waited_for() {
    let mut world = World::start(LATE).await;
    let secret = json!({"parameters": {
        "csi.storage.k8s.io/provisioner-secret-name": "gold",
        "csi.storage.k8s.io/provisioner-secret-namespace": "vault",
    }});
    let folder = SECRETS.replace("team-a", "vault");
    world.class(secret).await;
    world.api.create(&folder, "gold", json!({"data": {"password": "aHVudGVyMg=="}})).await;
    world.claim("data", json!({})).await;
    world.until("the first call", |world| world.calls(Rpc::CreateVolume) == 1).await;
    world.kill();
    assert!(world.intents().values().all(|text| !text.contains("hunter2") && !text.contains("aHVudGVyMg")));
    world.api.remove(DATA).await;
    world.api.delete("/api/v1/namespaces/team-a").await;
    world.api.delete(&format!("{CLASSES}/fast")).await;
    world.api.delete(&format!("{folder}/gold")).await;
    world.restart().await;
    world
        .until("the question for the secret", |world| {
            world.api.sent().iter().filter(|sent| **sent == format!("GET {folder}/gold")).count() >= 3
        })
        .await;
    assert_eq!((world.calls(Rpc::CreateVolume), world.intents().len()), (1, 1), "it waits");
    world.api.create(&folder, "gold", json!({"data": {"password": "aHVudGVyMg=="}})).await;
    world.until_nothing_is_left().await;
    let calls = world.driver.requests_of(Rpc::CreateVolume);
    assert_eq!(calls[1].json()["secrets"], json!({"password": "hunter2"}));
}

#[tokio::test]
async fn a_volume_that_is_to_be_retained_is_saved_and_kept() {
    let mut world = World::start(LATE).await;
    world.class(json!({"reclaimPolicy": "Retain"})).await;
    world.claim("data", json!({})).await;
    world.until("the first call", |world| world.calls(Rpc::CreateVolume) == 1).await;
    world.kill();
    world.api.remove(DATA).await;
    world.restart().await;
    world.until("the volume's name", |world| world.volume("data").is_some() && world.intents().is_empty()).await;
    world.phase("data", "Released").await;
    world.claim("later", json!({})).await;
    world.until("the later one", |world| world.volume("later").is_some()).await;
    assert_eq!((world.calls(Rpc::DeleteVolume), world.driver.volumes().len()), (0, 2));
}

#[tokio::test]
async fn a_claim_that_is_still_there_gets_the_volume_that_was_asked_for_first() {
    let mut world = dead_while_asking(LATE).await;
    world.class(json!({"parameters": {"type": "changed meanwhile"}})).await;
    world.restart().await;
    world.until("the volume", |world| world.volume("data").is_some() && world.intents().is_empty()).await;
    let calls = world.driver.requests_of(Rpc::CreateVolume);
    assert_eq!((calls[0].json(), world.driver.volumes().len()), (calls[1].json(), 1));
}

#[tokio::test]
async fn an_intent_whose_volume_has_a_name_is_crossed_out_without_a_call() {
    let mut world = World::start("").await;
    // Nothing is crossed out any more.
    world.api.hold(&format!("PUT {LEASES}"));
    world.claim("data", json!({})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    world.kill();
    world.api.let_through(&format!("PUT {LEASES}"));
    assert_eq!(world.intents().len(), 1);
    world.restart().await;
    world.until("its end", |world| world.intents().is_empty()).await;
    assert_eq!((world.calls(Rpc::CreateVolume), world.driver.volumes().len()), (1, 1));
}

#[tokio::test]
async fn a_refusal_ends_an_intent_and_a_call_without_an_answer_does_not() {
    let refused = "rules: [{rpc: CreateVolume, times: 2, fault: {code: Internal}}, {rpc: CreateVolume, hang: true}]";
    let world = World::start("rules: [{rpc: CreateVolume, fault: {code: InvalidArgument}}]").await;
    world.claim("data", json!({})).await;
    world.until("the refusal", |world| world.calls(Rpc::CreateVolume) == 1 && world.intents().is_empty()).await;
    let world = World::start(refused).await;
    world.claim("data", json!({})).await;
    world.until("some calls", |world| world.calls(Rpc::CreateVolume) >= 4).await;
    assert_eq!(world.intents().len(), 1);
}

#[tokio::test]
async fn without_rights_on_leases_it_works_as_upstream_does() {
    let mut world = World::start("").await;
    world.stop().await;
    world.api.fail("/leases", Fault::Refused(403), u32::MAX);
    world.restart().await;
    let mut asked = Vec::new();
    for claim in ["one", "two"] {
        world.claim(claim, json!({})).await;
        world.until("the volume", |world| world.volume(claim).is_some()).await;
        asked.push(world.api.sent().iter().filter(|sent| sent.contains("/leases")).count());
    }
    assert_eq!(asked[0], asked[1], "it is not tried for each claim: {:?}", world.api.sent());
}

#[tokio::test]
async fn without_an_api_that_takes_the_intent_nothing_is_asked_of_the_driver() {
    let world = World::start("").await;
    world.api.fail(&format!("POST {LEASES}"), Fault::Refused(500), 2);
    world.api.fail(&format!("POST {LEASES}"), Fault::Unanswered, 1);
    world.claim("data", json!({})).await;
    world.until("the attempts", |world| world.api.sent().iter().filter(|sent| sent.contains("/leases")).count() >= 4).await;
    world.until("the volume", |world| world.volume("data").is_some() && world.intents().is_empty()).await;
    assert_eq!(world.calls(Rpc::CreateVolume), 1);
}

#[tokio::test]
async fn switched_off_nothing_is_written_down() {
    let world = World::with("", &["--feature-gates=WriteAheadIntents=false"], |driver| driver).await;
    world.claim("data", json!({})).await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    assert!(world.api.sent().iter().all(|sent| !sent.contains("/leases")), "{:?}", world.api.sent());
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_left_alone_and_its_claim_is_provisioned_all_the_same() {
    let mut world = World::start("").await;
    world.stop().await;
    world.claim("data", json!({})).await;
    let uid = world.api.get(DATA).unwrap()["metadata"]["uid"].as_str().unwrap().to_owned();
    let bad = format!(r#"{{"format":1,"records":{{"{uid}":{{"v":9}}}}}}"#);
    let lease: Value = json!({"metadata": {"annotations": {ANNOTATION: bad}}});
    world.api.create(LEASES, INTENTS, lease).await;
    world.restart().await;
    world.until("the volume", |world| world.volume("data").is_some()).await;
    let lease = world.api.get(&format!("{LEASES}/{INTENTS}")).expect("there");
    assert_eq!(lease["metadata"]["annotations"][ANNOTATION], bad);
}

#[tokio::test]
async fn wherever_it_dies_of_its_own_writes_and_calls_nothing_is_left_of_claims_that_are_deleted_meanwhile() {
    // The nth request that changes something, or the nth call, is the last thing it does.
    let mut rounds = 0;
    for delete in [true, false] {
        for last in 0.. {
            let mut world = World::start("").await;
            let boundary = move |world: &World| {
                let writes = world.api.sent().iter().filter(|sent| !sent.starts_with("GET")).count();
                writes + world.calls(Rpc::CreateVolume) > last
            };
            for claim in ["one", "two"] {
                world.claim(claim, json!({})).await;
            }
            let saved = |world: &World| world.api.list(VOLUMES).len() == 2;
            world.until("its death", |world| boundary(world) || saved(world)).await;
            let over = !boundary(&world);
            world.kill();
            if delete {
                for claim in ["one", "two"] {
                    world.api.remove(&format!("{CLAIMS}/{claim}")).await;
                }
            }
            world.restart().await;
            if delete {
                // One whose call had not been sent is not made; of the others nothing is left.
                world.until_nothing_is_left().await;
            } else {
                world.until("both volumes", saved).await;
                assert_eq!(world.driver.volumes().len(), 2);
            }
            rounds += 1;
            if over {
                break;
            }
        }
    }
    assert!(rounds >= 10, "{rounds}");
}
