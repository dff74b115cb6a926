use std::sync::Arc;

use csi_types::AccessMode;
use serde_json::json;

use super::*;
use crate::fixtures::{DRIVER, PV, UID, class, created, place, placed_view, view};
use crate::view::ClaimView;

fn object(created: &Created) -> serde_json::Value {
    serde_json::to_value(persistent_volume(created, &DRIVER.into(), "1-2-csi.example.com")).unwrap()
}

#[test]
fn the_object_is_complete_and_has_nothing_that_nobody_asked_for() {
    let want = json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {
            "name": PV,
            "finalizers": ["external-provisioner.volume.kubernetes.io/finalizer"],
            "annotations": {
                "pv.kubernetes.io/provisioned-by": DRIVER,
                "volume.kubernetes.io/provisioner-deletion-secret-name": "",
                "volume.kubernetes.io/provisioner-deletion-secret-namespace": "",
            },
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": "team-a", "name": "data", "uid": UID,
                "resourceVersion": "7",
            },
            "csi": {
                "driver": DRIVER,
                "volumeHandle": "vol-1",
                "volumeAttributes": {"storage.kubernetes.io/csiProvisionerIdentity": "1-2-csi.example.com"},
            },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": "fast",
        },
    });
    assert_eq!(object(&created(&view(), Bytes(0))), want);
}

#[test]
fn the_size_is_what_the_driver_made() {
    let object = object(&created(&view(), Bytes(3 << 30)));
    assert_eq!(object["spec"]["capacity"]["storage"], "3Gi");
}

#[test]
fn secrets_land_where_the_next_caller_looks_for_them() {
    let v = ClaimView {
        class: Some(class(&[("csi.storage.k8s.io/secret-name", "s"), ("csi.storage.k8s.io/secret-namespace", "ns")])),
        ..view()
    };
    let object = object(&created(&v, Bytes(0)));
    for field in ["controllerPublish", "nodeStage", "nodePublish", "controllerExpand", "nodeExpand"] {
        let field = format!("{field}SecretRef");
        assert_eq!(object["spec"]["csi"][&field], json!({"name": "s", "namespace": "ns"}), "{field}");
    }
    for key in ["provisioner-deletion", "controller-modify"] {
        assert_eq!(object["metadata"]["annotations"][format!("volume.kubernetes.io/{key}-secret-name")], "s", "{key}");
    }
}

#[test]
fn places_become_node_affinity_one_term_each() {
    let mut made = (*created(&placed_view(), Bytes(0))).clone();
    made.volume.accessible_topology = vec![place(&[("rack", "1"), ("zone", "b")]), place(&[])];
    let terms = json!([{"matchExpressions": [
        {"key": "rack", "operator": "In", "values": ["1"]},
        {"key": "zone", "operator": "In", "values": ["b"]},
    ]}]);
    assert_eq!(object(&made)["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"], terms);
    made.volume.accessible_topology = vec![place(&[])];
    assert_eq!(object(&made)["spec"].get("nodeAffinity"), None);
}

#[test]
fn a_driver_may_overwrite_the_identity_and_adds_its_context() {
    let mut made = (*created(&view(), Bytes(0))).clone();
    made.volume.context.insert(IDENTITY.to_owned(), "mine".to_owned());
    made.volume.context.insert("pool".to_owned(), "p".to_owned());
    let attributes = json!({IDENTITY: "mine", "pool": "p"});
    assert_eq!(object(&made)["spec"]["csi"]["volumeAttributes"], attributes);
}

#[test]
fn what_class_and_claim_say_is_copied() {
    let mut v = view();
    let class = v.class.as_mut().unwrap();
    class.mount_options = vec!["noatime".to_owned()];
    class.reclaim = Some(Reclaim::Retain);
    class.parameters.insert("csi.storage.k8s.io/fstype".to_owned(), "xfs".to_owned());
    let claim = v.claim.as_mut().unwrap();
    claim.volume_mode = Some(VolumeMode::Filesystem);
    claim.access_modes = vec![AccessMode::ReadOnlyMany];
    v.settings = Arc::new(crate::view::Settings { publish_readonly: true, ..crate::fixtures::settings() });
    let spec = &object(&created(&v, Bytes(0)))["spec"];
    assert_eq!(spec["mountOptions"], json!(["noatime"]));
    assert_eq!(spec["persistentVolumeReclaimPolicy"], "Retain");
    assert_eq!(spec["volumeMode"], "Filesystem");
    assert_eq!(spec["accessModes"], json!(["ReadOnlyMany"]));
    assert_eq!((&spec["csi"]["fsType"], &spec["csi"]["readOnly"]), (&json!("xfs"), &json!(true)));
}
