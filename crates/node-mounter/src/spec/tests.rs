use serde_json::json;

use super::*;
use crate::pod::used;
use crate::testing::{pod, volume};

fn claim(parts: serde_json::Value) -> PersistentVolumeClaim {
    let mut claim = json!({
        "metadata": {"name": "claim-1", "namespace": "ns", "uid": "claim-uid"},
        "spec": {"volumeName": "pv-1"}, "status": {"phase": "Bound"},
    });
    for (key, value) in parts.as_object().expect("parts") {
        claim[key] = value.clone();
    }
    serde_json::from_value(claim).expect("a claim")
}

fn mounting_pod() -> Pod {
    pod(json!({"spec": {
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "claim-1", "readOnly": true}}],
        "containers": [{"name": "c", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
    }}))
}

fn resolved(pv: &Volume) -> Result<Spec, Unresolved> {
    of_volume(pv, "ns/claim-1", "claim-uid", &used(&mounting_pod())[0])
}

#[test]
fn a_bound_claim_leads_to_its_volume() {
    assert_eq!(bound_volume(&claim(json!({})), None), Ok("pv-1".to_owned()));
}

#[test]
fn a_claim_that_is_not_bound_leads_nowhere() {
    let pending = claim(json!({"status": {"phase": "Pending"}}));
    assert!(matches!(bound_volume(&pending, None), Err(Unresolved::NotBound { .. })));
    assert!(matches!(bound_volume(&claim(json!({"spec": {}})), None), Err(Unresolved::NotBound { .. })));
}

#[test]
fn a_claim_being_deleted_counts_as_long_as_it_is_protected() {
    let meta = |finalizers: &[&str]| json!({"metadata": {"name": "claim-1", "namespace": "ns", "deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers}});
    assert!(bound_volume(&claim(meta(&["kubernetes.io/pvc-protection"])), None).is_ok());
    assert!(matches!(bound_volume(&claim(meta(&[])), None), Err(Unresolved::ClaimGoing { .. })));
}

#[test]
fn an_ephemeral_claim_must_be_the_pods_own() {
    let owned = |uid: &str| {
        let owner = json!([{"apiVersion": "v1", "kind": "Pod", "name": "pod-1", "uid": uid, "controller": true}]);
        claim(json!({"metadata": {"name": "pod-1-data", "namespace": "ns", "ownerReferences": owner}}))
    };
    assert!(bound_volume(&owned("uid-1"), Some("uid-1")).is_ok());
    assert!(matches!(bound_volume(&owned("uid-0"), Some("uid-1")), Err(Unresolved::NotThisPods { .. })));
    assert!(matches!(bound_volume(&claim(json!({})), Some("uid-1")), Err(Unresolved::NotThisPods { .. })));
}

#[test]
fn a_volume_that_is_somebody_elses_is_refused() {
    let pv = volume(json!({"spec": {"claimRef": {"uid": "another"}}}));
    assert!(matches!(resolved(&pv), Err(Unresolved::OtherClaim { .. })));
}

#[test]
fn the_mode_of_the_volume_and_of_its_use_must_agree() {
    let block = volume(json!({"spec": {"volumeMode": "Block"}}));
    assert!(matches!(resolved(&block), Err(Unresolved::WrongMode { used_in: "volumeMounts", .. })));
}

#[test]
fn read_only_comes_from_the_pods_reference_alone() {
    let spec = resolved(&volume(json!({"spec": {"csi": {"readOnly": false}}}))).expect("resolved");
    assert!(spec.read_only);
    let mut pod = mounting_pod();
    pod.volumes[0].source = PodVolumeSource::Claim { name: "claim-1".into(), read_only: false };
    let pv = volume(json!({"spec": {"csi": {"readOnly": true}}}));
    let spec = of_volume(&pv, "ns/claim-1", "claim-uid", &used(&pod)[0]).expect("resolved");
    assert!(!spec.read_only);
}

#[test]
fn the_first_access_mode_counts_and_none_means_read_write_once() {
    let mode = |modes: serde_json::Value, many| {
        let pv = volume(json!({"spec": {"accessModes": modes}}));
        resolved(&pv).expect("resolved").capability(many, None).access_mode
    };
    for (modes, many, expected) in [
        (json!(["ReadWriteOnce"]), false, CsiAccessMode::SingleNodeWriter),
        (json!(["ReadWriteOncePod"]), false, CsiAccessMode::SingleNodeWriter),
        (json!(["ReadOnlyMany", "ReadWriteOnce"]), false, CsiAccessMode::MultiNodeReaderOnly),
        (json!(["ReadWriteMany"]), true, CsiAccessMode::MultiNodeMultiWriter),
        (json!(["ReadWriteOnce", "ReadWriteMany"]), true, CsiAccessMode::SingleNodeMultiWriter),
        (json!(["ReadWriteOncePod"]), true, CsiAccessMode::SingleNodeSingleWriter),
        (json!([]), false, CsiAccessMode::SingleNodeWriter),
    ] {
        assert_eq!(mode(modes.clone(), many), expected, "{modes}, {many}");
    }
}

#[test]
fn the_group_goes_along_only_where_the_driver_takes_it_and_never_for_a_device() {
    let spec = resolved(&volume(json!({"spec": {"mountOptions": ["noatime", "discard"]}}))).expect("resolved");
    let AccessType::Mount { mount_flags, volume_mount_group, .. } = spec.capability(false, Some(2000)).access_type else {
        panic!("a filesystem");
    };
    assert_eq!((mount_flags, volume_mount_group), (vec!["noatime".to_owned(), "discard".to_owned()], "2000".to_owned()));
    let block = Spec { mode: VolumeMode::Block, ..spec };
    assert_eq!(block.capability(false, Some(2000)).access_type, AccessType::Block);
}

#[test]
fn a_block_volume_may_not_have_the_name_of_a_fixed_folder() {
    let pv = volume(json!({"metadata": {"name": "staging"}, "spec": {"volumeMode": "Block"}}));
    let mut pod = mounting_pod();
    pod.containers[0].mounts = Box::new([]);
    pod.containers[0].devices = Box::new([cluster::kinds::Device { name: "data".into(), device_path: "/dev/x".into() }]);
    let refused = of_volume(&pv, "ns/claim-1", "claim-uid", &used(&pod)[0]);
    assert!(matches!(refused, Err(Unresolved::BadName { .. })));
}

#[test]
fn an_inline_volume_is_the_pods_own() {
    let pod = pod(json!({"spec": {
        "volumes": [{"name": "tmp", "csi": {"driver": "d.example.com", "volumeAttributes": {"k": "v"}, "nodePublishSecretRef": {"name": "s"}}}],
        "containers": [{"name": "c", "volumeMounts": [{"name": "tmp", "mountPath": "/t"}]}],
    }}));
    let spec = of_inline(&pod, &used(&pod)[0]).expect("inline").expect("resolved");
    assert_eq!(spec.key.as_str(), "kubernetes.io/csi/uid-1-tmp");
    assert_eq!(spec.publish_secret, Some(SecretRef { namespace: "ns".into(), name: "s".into() }));
    assert!(spec.inline && spec.stage_secret.is_none());
}

#[test]
fn an_access_mode_that_kubernetes_cannot_say_is_the_annotations() {
    let with = |mode: &str| resolved(&volume(json!({"metadata": {"annotations": {(csi_types::ACCESS_MODE_ANNOTATION): mode}}})));
    let spec = with("MULTI_NODE_SINGLE_WRITER").expect("resolved");
    for single_node_multi_writer in [false, true] {
        assert_eq!(spec.capability(single_node_multi_writer, None).access_mode, CsiAccessMode::MultiNodeSingleWriter);
    }
    let why = with("multi-node-single-writer").expect_err("no name of CSI's").to_string();
    assert!(why.contains("pv-1") && why.contains("multi-node-single-writer"), "{why}");
}
