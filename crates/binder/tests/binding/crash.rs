//! The process dies, anywhere; the next one finishes what it finds.

use serde_json::{Value, json};

use crate::world::{World, of_claim, of_pod, prepared};

/// A claim for a volume that exists, one that waits for its pod, and the pod that wants both.
async fn objects(world: &World) {
    world.class("local", "kubernetes.io/no-provisioner", true).await;
    world.volume("now", "1Gi", json!({})).await;
    world.volume("later", "1Gi", json!({"storageClassName": "local"})).await;
    world.volume("spare", "2Gi", json!({"storageClassName": "local"})).await;
    world.claim("now", "1Gi", json!({"storageClassName": ""})).await;
    world.claim("later", "1Gi", json!({"storageClassName": "local"})).await;
    world.pod("p", &["now", "later"], json!({})).await;
}

/// Starts a binder that dies after so many writes, then one that lives. Whether the first died before it was done.
fn die_after(writes: u64) -> bool {
    let mut died = false;
    prepared(async |world| {
        objects(world).await;
        world.start_doomed(writes).await;
        world.sleep(5).await;
        died = world.is_dead();
        world.stop().await;
        world.start().await;
        assert_eq!(world.until_bound("now").await, "now", "dead after {writes} writes");
        assert_eq!(world.until_bound("later").await, "later", "dead after {writes} writes");
        world.until_placed("p").await;
        let spare = world.get("/api/v1/persistentvolumes/spare").await;
        assert_eq!(spare["spec"]["claimRef"], Value::Null, "dead after {writes} writes");
        world.stop().await;
    });
    died
}

#[test]
fn after_whichever_write_the_process_dies_the_next_one_binds_and_places_the_same() {
    let lives = (1..).take_while(|writes| die_after(*writes)).count();
    assert!(lives >= 12, "two bindings of four writes each, three phases and a placement: {lives} writes");
}

#[test]
fn a_process_that_dies_after_every_write_gets_there_all_the_same() {
    prepared(async |world| {
        objects(world).await;
        let done = async |world: &World| world.get(&of_pod("p")).await["spec"]["nodeName"] != Value::Null;
        for _ in 0..200 {
            if done(world).await {
                break;
            }
            world.start_doomed(1).await;
            world.sleep(5).await;
            world.stop().await;
        }
        assert!(done(world).await);
        for claim in ["now", "later"] {
            assert_eq!(world.get(&of_claim(claim)).await["status"]["phase"], "Bound");
        }
    });
}
