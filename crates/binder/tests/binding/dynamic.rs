//! Volumes that are made for their claims.

use serde_json::{Value, json};

use crate::world::{HOST, annotation, of_claim, of_pod, of_volume, run};

const ASKED: &str = "volume.kubernetes.io/storage-provisioner";
const SELECTED: &str = "volume.kubernetes.io/selected-node";
const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

fn is_asked(claim: &Value) -> bool {
    *annotation(claim, ASKED) == "d"
}

#[test]
fn the_provisioner_is_asked_and_its_volume_bound() {
    run(async |world| {
        world.class("sc", "d", false).await;
        world.claim("c", "1Gi", json!({"storageClassName": "sc"})).await;
        let claim = world.until(&of_claim("c"), "handed over", is_asked).await;
        assert_eq!(*annotation(&claim, "volume.beta.kubernetes.io/storage-provisioner"), "d");
        let why = "Waiting for a volume to be created either by the external provisioner 'd' or manually by the system \
                   administrator. If volume creation is delayed, please verify that the provisioner is running and correctly \
                   registered.";
        world.until_said("c", "persistentvolume-controller", "ExternalProvisioning", why).await;
        let name = world.provision("c").await;
        assert_eq!(world.until_bound("c").await, name);
        let volume = world.get(&of_volume(&name)).await;
        assert_eq!(*annotation(&volume, "pv.kubernetes.io/bound-by-controller"), Value::Null, "its maker chose the claim");
        world.delete(&of_claim("c")).await;
        world.until(&of_volume(&name), "released", |volume| volume["status"]["phase"] == "Released").await;
    });
}

#[test]
fn a_class_that_is_not_there_is_named_and_waited_for() {
    run(async |world| {
        world.claim("c", "1Gi", json!({"storageClassName": "sc"})).await;
        let why = "storageclass.storage.k8s.io \"sc\" not found";
        world.until_said("c", "persistentvolume-controller", "ProvisioningFailed", why).await;
        world.class("sc", "d", false).await;
        world.until(&of_claim("c"), "handed over", is_asked).await;
    });
}

#[test]
fn a_class_that_becomes_the_default_is_given_to_claims_that_name_none() {
    run(async |world| {
        world.claim("none", "1Gi", json!({})).await;
        world.claim("empty", "1Gi", json!({"storageClassName": ""})).await;
        world.sleep(5).await;
        world.class("sc", "d", false).await;
        world.patch("/apis/storage.k8s.io/v1/storageclasses/sc", json!({"metadata": {"annotations": {DEFAULT: "true"}}})).await;
        let claim = world.until(&of_claim("none"), "handed over", is_asked).await;
        assert_eq!(claim["spec"]["storageClassName"], "sc");
        world.sleep(5).await;
        assert_eq!(world.get(&of_claim("empty")).await["spec"]["storageClassName"], "");
    });
}

#[test]
fn a_claim_that_waits_for_its_consumer_is_provisioned_where_the_pod_is_put() {
    run(async |world| {
        world.class("sc", "d", true).await;
        world.claim("c", "1Gi", json!({"storageClassName": "sc"})).await;
        let waits = "waiting for first consumer to be created before binding";
        world.until_said("c", "persistentvolume-controller", "WaitForFirstConsumer", waits).await;
        assert!(!is_asked(&world.get(&of_claim("c")).await));
        world.pod("p", &["c"], json!({})).await;
        let claim = world.until(&of_claim("c"), "handed over", is_asked).await;
        assert_eq!(*annotation(&claim, SELECTED), HOST);
        world.sleep(5).await;
        assert_eq!(world.get(&of_pod("p")).await["spec"]["nodeName"], Value::Null, "not before its volume is there");
        world.provision("c").await;
        world.until_bound("c").await;
        world.until_placed("p").await;
        world.until_said("p", "default-scheduler", "Scheduled", "Successfully assigned default/p to host").await;
    });
}

#[test]
fn a_claim_that_waits_for_its_consumer_gets_a_volume_that_exists() {
    run(async |world| {
        world.class("local", "kubernetes.io/no-provisioner", true).await;
        world.volume("large", "9Gi", json!({"storageClassName": "local"})).await;
        world.volume("small", "2Gi", json!({"storageClassName": "local"})).await;
        world.claim("c", "1Gi", json!({"storageClassName": "local"})).await;
        world.sleep(5).await;
        assert_eq!(world.get(&of_claim("c")).await["status"]["phase"], "Pending");
        world.pod("p", &["c"], json!({})).await;
        assert_eq!(world.until_bound("c").await, "small");
        world.until_placed("p").await;
    });
}

#[test]
fn one_pod_can_want_volumes_that_exist_and_volumes_that_do_not() {
    run(async |world| {
        world.class("sc", "d", true).await;
        world.volume("v", "1Gi", json!({"storageClassName": "sc"})).await;
        world.claim("small", "1Gi", json!({"storageClassName": "sc"})).await;
        world.claim("large", "5Gi", json!({"storageClassName": "sc"})).await;
        world.pod("p", &["large", "small"], json!({})).await;
        assert_eq!(world.until_bound("small").await, "v");
        world.until(&of_claim("large"), "handed over", is_asked).await;
        let name = world.provision("large").await;
        assert_eq!(world.until_bound("large").await, name);
        world.until_placed("p").await;
    });
}

#[test]
fn a_provisioner_that_cannot_is_asked_again_after_a_pause() {
    run(async |world| {
        world.class("sc", "d", true).await;
        world.claim("c", "1Gi", json!({"storageClassName": "sc"})).await;
        world.pod("p", &["c"], json!({})).await;
        world.until(&of_claim("c"), "handed over", is_asked).await;
        world.patch(&of_claim("c"), json!({"metadata": {"annotations": {SELECTED: null}}})).await;
        let why = "running PreBind plugin \"VolumeBinding\": binding volumes: provisioning failed for PVC \"c\"";
        world.until_said("p", "default-scheduler", "FailedScheduling", why).await;
        world.until(&of_claim("c"), "asked again", |claim| *annotation(claim, SELECTED) == HOST).await;
        world.provision("c").await;
        world.until_placed("p").await;
    });
}

#[test]
fn a_pod_that_was_made_with_its_node_in_it_is_a_consumer() {
    run(async |world| {
        world.class("sc", "d", true).await;
        world.claim("c", "1Gi", json!({"storageClassName": "sc"})).await;
        world.pod("p", &["c"], json!({"nodeName": HOST})).await;
        world.until(&of_claim("c"), "handed over", is_asked).await;
        world.provision("c").await;
        world.until_bound("c").await;
    });
}

#[test]
fn a_second_volume_that_was_made_for_a_claim_is_released_to_be_deleted() {
    run(async |world| {
        world.class("sc", "d", false).await;
        world.claim("c", "1Gi", json!({"storageClassName": "sc"})).await;
        world.until(&of_claim("c"), "handed over", is_asked).await;
        let first = world.provision("c").await;
        world.until_bound("c").await;
        let mut second = world.get(&of_volume(&first)).await;
        second["metadata"] = json!({"name": "second", "annotations": {"pv.kubernetes.io/provisioned-by": "d"}});
        world.create("/api/v1/persistentvolumes", second).await;
        world.until(&of_volume("second"), "released", |volume| volume["status"]["phase"] == "Released").await;
        assert_eq!(world.until_bound("c").await, first);
    });
}

#[test]
fn a_volume_of_the_wrong_mode_is_told_on_both() {
    run(async |world| {
        world.class("sc", "d", false).await;
        let claim = world.claim("c", "1Gi", json!({"storageClassName": "sc", "volumeMode": "Block"})).await;
        let reference = json!({"namespace": "default", "name": "c", "uid": claim["metadata"]["uid"]});
        world.volume("v", "1Gi", json!({"claimRef": reference, "storageClassName": "sc"})).await;
        let of_both = "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"c\" due to incompatible volumeMode.";
        world.until_said("v", "persistentvolume-controller", "VolumeMismatch", of_both).await;
        let of_both = "Cannot bind PersistentVolume \"v\" to requested PersistentVolumeClaim due to incompatible volumeMode.";
        world.until_said("c", "persistentvolume-controller", "VolumeMismatch", of_both).await;
    });
}

#[test]
fn a_bound_claim_that_is_to_grow_is_told_whom_it_waits_for() {
    run(async |world| {
        world.class("sc", "d", false).await;
        world.patch("/apis/storage.k8s.io/v1/storageclasses/sc", json!({"allowVolumeExpansion": true})).await;
        world.claim("c", "1Gi", json!({"storageClassName": "sc"})).await;
        world.until(&of_claim("c"), "handed over", is_asked).await;
        world.provision("c").await;
        world.until_bound("c").await;
        world.patch(&of_claim("c"), json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}})).await;
        let why = "waiting for an external controller to expand this PVC";
        world.until_said("c", "volume_expand", "ExternalExpanding", why).await;
        assert_eq!(world.get(&of_claim("c")).await["status"]["capacity"]["storage"], "1Gi", "the rest is the resizer's");
    });
}
