//! Each text is what kube-apiserver v1.36.1 answered; a diff of Go structs that it appends is left out.

use serde_json::{Value, json};

use crate::kinds::validation::testing::{Kind, NOT_KEY, NOT_LABEL_VALUE, NOT_SUBDOMAIN, NOW, accepted, invalid, merged};

fn kind() -> Kind {
    Kind::of("persistentvolumes")
}

/// A good volume with its spec changed like this.
fn volume(spec: Value) -> Value {
    let good = json!({"spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "csi": {"driver": "d", "volumeHandle": "h"}}});
    merged(&good, &json!({ "spec": spec }))
}

/// The same with another source.
fn on(source: Value) -> Value {
    merged(&volume(source), &json!({"spec": {"csi": null}}))
}

fn reachable_from(zone: &str) -> Value {
    let expression = json!({"key": zone, "operator": "In", "values": ["a"]});
    json!({"nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}})
}

const BETA: &str = "failure-domain.beta.kubernetes.io/zone";

#[test]
fn a_new_volume_gets_a_policy_a_mode_a_phase_and_a_finalizer() {
    let object = accepted("create", kind().create(merged(&volume(json!({})), &json!({"status": {"phase": "Bound"}}))));
    assert_eq!(object["status"], json!({"phase": "Pending", "lastPhaseTransitionTime": NOW}));
    assert_eq!(
        (&object["spec"]["persistentVolumeReclaimPolicy"], &object["spec"]["volumeMode"]),
        (&json!("Retain"), &json!("Filesystem"))
    );
    assert_eq!(object["metadata"]["finalizers"], json!(["kubernetes.io/pv-protection"]));
}

#[test]
fn sources_have_defaults() {
    let cases = [
        ("hostPath", json!({"path": "/x"}), json!({"path": "/x", "type": ""})),
        (
            "iscsi",
            json!({"targetPortal": "1", "iqn": "iqn.2001-01.com.x:y"}),
            json!({"targetPortal": "1", "iqn": "iqn.2001-01.com.x:y", "iscsiInterface": "default"}),
        ),
        (
            "azureDisk",
            json!({"diskName": "a", "diskURI": "https://b"}),
            json!({"diskName": "a", "diskURI": "https://b", "cachingMode": "ReadWrite", "fsType": "ext4", "readOnly": false, "kind": "Shared"}),
        ),
    ];
    for (source, sent, expected) in cases {
        let object = accepted(source, kind().create(on(json!({source: sent}))));
        assert_eq!(object["spec"][source], expected, "{source}");
    }
}

#[test]
fn a_new_volume_is_refused_in_upstreams_words() {
    let local = "may not be 'recycle' for a hostPath mount of '/'";
    let cases = [
        (
            "modes, a size and a source are needed",
            json!({"spec": {}}),
            "[spec.accessModes: Required value, spec.capacity: Required value, spec.capacity: Unsupported value: null: supported values: \"storage\", spec: Required value: must specify a volume type]".to_owned(),
        ),
        (
            "one source, but for flexVolume",
            volume(json!({"hostPath": {"path": "/x"}, "flexVolume": {}})),
            "[spec.flexVolume.driver: Required value, spec.csi: Forbidden: may not specify more than 1 volume type]".to_owned(),
        ),
        (
            "the size is the storage, and more than nothing",
            volume(json!({"capacity": {"storage": "-1500m", "cpu": "1"}})),
            "[spec.capacity: Unsupported value: {\"cpu\":\"1\",\"storage\":\"-1500m\"}: supported values: \"storage\", spec.capacity[storage]: Invalid value: -2: must be a valid resource quantity, spec.capacity[storage]: Invalid value: \"-1500m\": must be greater than zero]".to_owned(),
        ),
        (
            "policy, class, mode and attributes class have values",
            volume(json!({"persistentVolumeReclaimPolicy": "Foo", "volumeMode": "Foo", "storageClassName": "A_", "volumeAttributesClassName": ""})),
            format!("[spec.persistentVolumeReclaimPolicy: Unsupported value: \"Foo\": supported values: \"Delete\", \"Recycle\", \"Retain\", spec.storageClassName: Invalid value: \"A_\": {NOT_SUBDOMAIN}, spec.volumeMode: Unsupported value: \"Foo\": supported values: \"Block\", \"Filesystem\", spec.volumeAttributesClassName: Required value: an empty string is disallowed]"),
        ),
        ("an affinity requires something", volume(json!({"nodeAffinity": {"preferred": 1}})), "spec.nodeAffinity.required: Required value: must specify required node constraints".to_owned()),
        (
            "and has terms",
            volume(json!({"nodeAffinity": {"required": {"nodeSelectorTerms": []}}})),
            "spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term".to_owned(),
        ),
        (
            "a local volume is on some nodes",
            on(json!({"local": {"path": "../x"}})),
            "[spec.local.path: Invalid value: \"../x\": must not contain '..', spec.nodeAffinity: Required value: Local volume requires node affinity]".to_owned(),
        ),
        (
            "a host's path goes down, and has a type",
            on(json!({"hostPath": {"path": "/a/../b", "type": "Foo"}})),
            "[spec.hostPath.path: Invalid value: \"/a/../b\": must not contain '..', spec.hostPath.type: Unsupported value: \"Foo\": supported values: \"\", \"BlockDevice\", \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"]".to_owned(),
        ),
        ("a host's path is said", on(json!({"hostPath": {"type": ""}})), "spec.hostPath.path: Required value".to_owned()),
        (
            "a whole host is not wiped",
            on(json!({"hostPath": {"path": "/./"}, "persistentVolumeReclaimPolicy": "Recycle"})),
            format!("spec.persistentVolumeReclaimPolicy: Forbidden: {local}"),
        ),
        (
            "NFS has a server and a path",
            on(json!({"nfs": {"readOnly": true}})),
            "[spec.nfs.server: Required value, spec.nfs.path: Required value, spec.nfs.path: Invalid value: \"\": must be an absolute path]".to_owned(),
        ),
        ("NFS paths are absolute", on(json!({"nfs": {"server": "s", "path": "x"}})), "spec.nfs.path: Invalid value: \"x\": must be an absolute path".to_owned()),
        ("QUIRK: a disk by another name", on(json!({"gcePersistentDisk": {"readOnly": true}})), "spec.persistentDisk.pdName: Required value".to_owned()),
        ("Ceph has monitors", on(json!({"cephfs": {"readOnly": true}})), "spec.cephfs.monitors: Required value".to_owned()),
        (
            "attributes are a driver's",
            on(json!({"hostPath": {"path": "/x"}, "volumeAttributesClassName": "a"})),
            "spec.csi: Required value: has to be specified when using volumeAttributesClassName".to_owned(),
        ),
        (
            "a driver takes no mount options from an annotation",
            merged(&volume(json!({})), &json!({"metadata": {"annotations": {super::MOUNT_OPTIONS: "x"}}})),
            "metadata.annotations.volume.beta.kubernetes.io/mount-options: Forbidden: may not specify mount options for this volume type".to_owned(),
        ),
    ];
    for (rule, object, expected) in cases {
        invalid(rule, kind().create(object), &expected);
    }
}

#[test]
fn a_driver_has_a_name_a_handle_and_whole_secrets_but_for_staging() {
    let name = format!("A_{}", "b".repeat(70));
    let csi = json!({"driver": name, "nodePublishSecretRef": {"a": 1}, "nodeStageSecretRef": {"a": 1}, "controllerPublishSecretRef": {"name": "A_", "namespace": "a.b"}});
    let expected = format!(
        "[spec.csi.driver: Too long: may not be more than 63 bytes, spec.csi.driver: Invalid value: \"{name}\": {NOT_SUBDOMAIN}, spec.csi.volumeHandle: Required value, spec.csi.controllerPublishSecretRef.name: Invalid value: \"A_\": {NOT_SUBDOMAIN}, spec.csi.controllerPublishSecretRef.namespace: Invalid value: \"a.b\": must not contain dots, spec.csi.nodePublishSecretRef.name: Required value, spec.csi.nodePublishSecretRef.namespace: Required value]"
    );
    let mut object = volume(json!({}));
    object["spec"]["csi"] = csi;
    invalid("csi", kind().create(object), &expected);
}

#[test]
fn node_selectors_are_checked_term_by_term() {
    let terms = json!([{
        "matchExpressions": [
            {"key": "a b", "operator": "In"},
            {"key": "a", "operator": "Gt", "values": ["1", "2"]},
            {"key": "a", "operator": "Foo", "values": ["x y"]},
            {"key": "a", "operator": "Exists", "values": ["1"]},
        ],
        "matchFields": [
            {"key": "foo", "operator": "Exists"},
            {"key": "metadata.name", "operator": "In", "values": ["A_"]},
            {"key": "metadata.name", "operator": "In"},
        ],
    }]);
    let term = "spec.nodeAffinity.required.nodeSelectorTerms[0]";
    let expected = [
        format!("{term}.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'"),
        format!("{term}.matchExpressions[0].key: Invalid value: \"a b\": {NOT_KEY}"),
        format!(
            "{term}.matchExpressions[1].values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"
        ),
        format!("{term}.matchExpressions[2].operator: Invalid value: \"Foo\": not a valid selector operator"),
        format!("{term}.matchExpressions[2].values[0]: Invalid value: \"x y\": {NOT_LABEL_VALUE}"),
        format!(
            "{term}.matchExpressions[3].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        ),
        format!("{term}.matchFields[0].operator: Invalid value: \"Exists\": not a valid selector operator"),
        format!("{term}.matchFields[0].key: Invalid value: \"foo\": not a valid field selector key"),
        format!("{term}.matchFields[1].values[0]: Invalid value: \"A_\": {NOT_SUBDOMAIN}"),
        format!(
            "{term}.matchFields[2].values: Required value: must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        ),
    ];
    let spec = json!({"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}});
    invalid("terms", kind().create(volume(spec)), &format!("[{}]", expected.join(", ")));
}

#[test]
fn what_is_odd_about_a_volume_is_said() {
    let annotations =
        json!({"metadata": {"annotations": {super::MOUNT_OPTIONS: "x", "volume.beta.kubernetes.io/storage-class": "y"}}});
    let nfs = merged(&on(json!({"nfs": {"path": "/x", "server": "s"}})), &annotations);
    assert_eq!(
        kind().create(nfs).unwrap().warnings,
        [
            "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use \"storageClassName\" attribute instead",
            "metadata.annotations[volume.beta.kubernetes.io/mount-options]: deprecated since v1.31; use \"mountOptions\" attribute instead",
        ]
    );
    let spec = merged(&reachable_from(BETA), &json!({"persistentVolumeReclaimPolicy": "Recycle"}));
    assert_eq!(
        kind().create(volume(spec)).unwrap().warnings,
        [
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
            "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
        ]
    );
    let rbd = kind().create(on(json!({"rbd": {"monitors": ["a"], "image": "b"}}))).unwrap();
    assert_eq!(rbd.warnings, ["spec.rbd: deprecated in v1.28, non-functional in v1.31+"]);
}

#[test]
fn where_the_data_is_and_who_reaches_it_stays() {
    let source = "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation";
    let affinity = "nodeAffinity: Invalid value:";
    let why = "field is immutable, except for updating from beta label to GA";
    let stored = kind().stored(volume(merged(&reachable_from(BETA), &json!({"volumeAttributesClassName": "g"}))));
    let secret = json!({"name": "a", "namespace": "b"});
    let and_field = json!([{"matchExpressions": [{"key": BETA, "operator": "In", "values": ["a"]}, {"key": "q", "operator": "Exists"}], "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["x"]}]}]);
    let cases = [
        ("its handle", json!({"csi": {"volumeHandle": "z"}}), source.to_owned()),
        ("its secrets", json!({"csi": {"nodeExpandSecretRef": secret}}), source.to_owned()),
        ("its mode", json!({"volumeMode": "Block"}), "volumeMode: Invalid value: \"Block\": field is immutable".to_owned()),
        ("that some nodes reach it", json!({"nodeAffinity": null}), format!("{affinity} null: {why}")),
        (
            "which nodes reach it",
            json!({"nodeAffinity": {"required": {"nodeSelectorTerms": and_field}}}),
            format!(
                "{affinity} {{\"Required\":{{\"NodeSelectorTerms\":[{{\"MatchExpressions\":[{{\"Key\":\"{BETA}\",\"Operator\":\"In\",\"Values\":[\"a\"]}},{{\"Key\":\"q\",\"Operator\":\"Exists\",\"Values\":null}}],\"MatchFields\":[{{\"Key\":\"metadata.name\",\"Operator\":\"In\",\"Values\":[\"x\"]}}]}}]}}}}: {why}"
            ),
        ),
        (
            "that it has an attributes class",
            json!({"volumeAttributesClassName": null}),
            "spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden".to_owned(),
        ),
    ];
    for (rule, spec, expected) in cases {
        invalid(rule, kind().change(&stored, json!({ "spec": spec })), &expected);
    }
    accepted("a label's name of today", kind().change(&stored, json!({"spec": reachable_from("topology.kubernetes.io/zone")})));
    let open = kind().stored(volume(json!({})));
    accepted("an affinity is given once", kind().change(&open, json!({"spec": reachable_from("zone")})));
    let expand = json!({"spec": {"csi": {"controllerExpandSecretRef": secret}}});
    let given = accepted("so is the secret for expansion", kind().change(&open, expand));
    let other = json!({"spec": {"csi": {"controllerExpandSecretRef": {"name": "c"}}}});
    invalid("and no other", kind().change(&given, other), source);
    let rest = json!({"capacity": {"storage": "2Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "x", "persistentVolumeReclaimPolicy": "Delete", "mountOptions": ["a"], "claimRef": {"name": "x", "namespace": "y"}, "volumeAttributesClassName": "h"});
    accepted("everything else changes", kind().change(&open, json!({ "spec": rest })));
}

#[test]
fn a_change_of_phase_has_a_time() {
    const THEN: &str = "2020-01-01T00:00:00Z";
    let mut stored = kind().stored(volume(json!({})));
    stored["status"]["lastPhaseTransitionTime"] = THEN.into();
    let cases = [
        ("the phase changes", json!({"phase": "Bound"}), NOW),
        ("and the time is not known", json!({"phase": "Bound", "lastPhaseTransitionTime": null}), NOW),
        (
            "the writer knows",
            json!({"phase": "Bound", "lastPhaseTransitionTime": "2021-01-01T00:00:00Z"}),
            "2021-01-01T00:00:00Z",
        ),
        ("the phase stays", json!({"message": "x", "lastPhaseTransitionTime": null}), THEN),
    ];
    for (rule, status, expected) in cases {
        let object = accepted(rule, kind().change_status(&stored, json!({ "status": status })));
        assert_eq!(object["status"]["lastPhaseTransitionTime"], expected, "{rule}");
    }
    let meta = json!({"metadata": {"labels": {"a b": "c"}, "finalizers": ["foo"]}, "spec": {"storageClassName": "A_"}});
    invalid(
        "metadata is written, and checked",
        kind().change_status(&stored, meta),
        &format!(
            "[metadata.labels: Invalid value: \"a b\": {NOT_KEY}, metadata.finalizers[0]: Invalid value: \"foo\": name is neither a standard finalizer name nor is it fully qualified]"
        ),
    );
    assert_eq!(accepted("status is not", kind().change(&stored, json!({"status": {"phase": "Bound"}}))), stored);
}
