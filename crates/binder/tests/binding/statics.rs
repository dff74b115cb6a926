//! Volumes that exist before their claims.

use serde_json::{Value, json};

use crate::world::{annotation, of_claim, of_volume, run};

#[test]
fn a_claim_gets_the_smallest_volume_that_is_large_enough() {
    run(async |world| {
        for (name, size) in [("large", "5Gi"), ("right", "2Gi"), ("small", "1Gi")] {
            world.volume(name, size, json!({})).await;
        }
        world.claim("c", "2Gi", json!({})).await;
        assert_eq!(world.until_bound("c").await, "right");
        let claim = world.get(&of_claim("c")).await;
        assert_eq!(claim["status"]["capacity"]["storage"], "2Gi");
        assert_eq!(claim["status"]["accessModes"], json!(["ReadWriteOnce"]));
        assert_eq!(*annotation(&claim, "pv.kubernetes.io/bind-completed"), "yes");
        assert_eq!(*annotation(&claim, "pv.kubernetes.io/bound-by-controller"), "yes");
        let volume = world.get(&of_volume("right")).await;
        assert_eq!(*annotation(&volume, "pv.kubernetes.io/bound-by-controller"), "yes");
        assert_eq!(volume["spec"]["claimRef"]["kind"], "PersistentVolumeClaim");
        assert_eq!(world.get(&of_volume("large")).await["status"]["phase"], "Available");
    });
}

#[test]
fn a_volume_that_comes_later_is_bound_at_once() {
    run(async |world| {
        world.claim("c", "1Gi", json!({})).await;
        let why = "no persistent volumes available for this claim and no storage class is set";
        world.until_said("c", "persistentvolume-controller", "FailedBinding", why).await;
        assert_eq!(world.get(&of_claim("c")).await["status"]["phase"], "Pending");
        let before = world.ctx.now();
        world.volume("v", "1Gi", json!({})).await;
        assert_eq!(world.until_bound("c").await, "v");
        assert!(world.ctx.now().since(before).as_secs() < 5, "it was not left to a resync");
    });
}

#[test]
fn a_volume_can_be_given_to_a_claim_from_either_side_or_both() {
    run(async |world| {
        let reference = json!({"namespace": "default", "name": "a"});
        world.volume("for-a", "1Gi", json!({"claimRef": reference, "storageClassName": "other"})).await;
        world.volume("asked-for", "1Gi", json!({})).await;
        world.volume("both", "1Mi", json!({"claimRef": {"namespace": "default", "name": "c"}})).await;
        world.volume("plain", "1Gi", json!({})).await;
        world.claim("a", "1Gi", json!({})).await;
        world.claim("b", "1Gi", json!({"volumeName": "asked-for"})).await;
        world.claim("c", "1Gi", json!({"volumeName": "both"})).await;
        assert_eq!(world.until_bound("a").await, "for-a");
        assert_eq!(world.until_bound("b").await, "asked-for");
        assert_eq!(world.until_bound("c").await, "both");
        let by = "pv.kubernetes.io/bound-by-controller";
        assert_eq!(*annotation(&world.get(&of_volume("for-a")).await, by), Value::Null);
        assert_eq!(*annotation(&world.get(&of_claim("a")).await, by), "yes");
        assert_eq!(*annotation(&world.get(&of_volume("asked-for")).await, by), "yes");
        assert_eq!(*annotation(&world.get(&of_claim("b")).await, by), Value::Null);
    });
}

#[test]
fn a_claim_that_names_a_volume_is_bound_the_moment_it_is_made() {
    run(async |world| {
        world.claim("c", "1Gi", json!({"volumeName": "later"})).await;
        world.until(&of_claim("c"), "pending", |claim| claim["status"]["phase"] == "Pending").await;
        world.sleep(60).await;
        let before = world.ctx.now();
        world.volume("later", "1Gi", json!({})).await;
        world.until_bound("c").await;
        assert!(world.ctx.now().since(before).as_secs() < 5, "it was not left to a resync");
    });
}

#[test]
fn a_named_volume_that_does_not_fit_is_refused_with_the_reason() {
    run(async |world| {
        world.volume("v", "1Gi", json!({})).await;
        world.claim("c", "2Gi", json!({"volumeName": "v"})).await;
        let why = "Cannot bind to requested volume \"v\": requested PV is too small";
        world.until_said("c", "persistentvolume-controller", "VolumeMismatch", why).await;
    });
}

#[test]
fn of_two_claims_for_one_volume_one_gets_it() {
    run(async |world| {
        world.claim("a", "1Gi", json!({})).await;
        world.claim("b", "1Gi", json!({})).await;
        world.volume("v", "1Gi", json!({})).await;
        world.until(&of_volume("v"), "bound", |volume| volume["status"]["phase"] == "Bound").await;
        world.sleep(30).await;
        let bound = |claim: &Value| claim["status"]["phase"] == "Bound";
        let both = [world.get(&of_claim("a")).await, world.get(&of_claim("b")).await];
        assert_eq!(both.iter().filter(|claim| bound(claim)).count(), 1);
    });
}

#[test]
fn a_selector_chooses_among_volumes() {
    run(async |world| {
        world.volume("a", "1Gi", json!({})).await;
        world.volume("b", "2Gi", json!({})).await;
        world.patch(&of_volume("b"), json!({"metadata": {"labels": {"tier": "gold"}}})).await;
        world.claim("c", "1Gi", json!({"selector": {"matchLabels": {"tier": "gold"}}})).await;
        assert_eq!(world.until_bound("c").await, "b");
    });
}

#[test]
fn a_released_volume_is_kept_from_a_claim_of_the_same_name_until_somebody_frees_it() {
    run(async |world| {
        world.volume("v", "1Gi", json!({})).await;
        world.claim("c", "1Gi", json!({})).await;
        world.until_bound("c").await;
        world.delete(&of_claim("c")).await;
        world.until(&of_volume("v"), "released", |volume| volume["status"]["phase"] == "Released").await;
        world.claim("c", "1Gi", json!({})).await;
        world.sleep(30).await;
        assert_eq!(world.get(&of_claim("c")).await["status"]["phase"], "Pending");
        world.patch(&of_volume("v"), json!({"spec": {"claimRef": null}})).await;
        assert_eq!(world.until_bound("c").await, "v");
    });
}

#[test]
fn a_bound_claim_whose_volume_goes_is_lost_and_bound_again_when_it_comes_back() {
    run(async |world| {
        world.volume("v", "1Gi", json!({})).await;
        world.claim("c", "1Gi", json!({})).await;
        world.until_bound("c").await;
        world.delete(&of_volume("v")).await;
        world.sleep(30).await;
        assert_ne!(world.get(&of_volume("v")).await, Value::Null, "a volume in use is protected");
        world.patch(&of_volume("v"), json!({"metadata": {"finalizers": null}})).await;
        let why = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
        world.until_said("c", "persistentvolume-controller", "ClaimLost", why).await;
        let lost = world.get(&of_claim("c")).await;
        assert_eq!((&lost["status"]["phase"], &lost["spec"]["volumeName"]), (&json!("Lost"), &json!("v")));
        world.volume("v", "1Gi", json!({})).await;
        assert_eq!(world.until_bound("c").await, "v");
    });
}

#[test]
fn an_emptied_claim_ref_is_written_again_while_the_claim_lives() {
    run(async |world| {
        world.volume("v", "1Gi", json!({})).await;
        let claim = world.claim("c", "1Gi", json!({})).await;
        world.until_bound("c").await;
        world.patch(&of_volume("v"), json!({"spec": {"claimRef": null}})).await;
        let uid = &claim["metadata"]["uid"];
        let whole = |volume: &Value| volume["spec"]["claimRef"]["uid"] == *uid && volume["status"]["phase"] == "Bound";
        world.until(&of_volume("v"), "its claim's again", whole).await;
    });
}
