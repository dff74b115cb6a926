//! Each text is what kube-apiserver v1.36.1 answered.

use serde_json::{Value, json};

use crate::kinds::validation::testing::{Kind, NOT_SUBDOMAIN, accepted, invalid};

fn kind() -> Kind {
    Kind::of("volumeattachments")
}

/// An attachment of this source.
fn of(source: Value) -> Value {
    json!({"spec": {"attacher": "a", "nodeName": "n", "source": source}})
}

#[test]
fn a_new_attachment_is_not_attached() {
    let mut object = of(json!({"persistentVolumeName": "pv"}));
    object["status"] = json!({"attached": true});
    assert_eq!(accepted("create", kind().create(object))["status"], json!({"attached": false}));
}

#[test]
fn a_new_attachment_is_refused_in_upstreams_words() {
    let spec = "spec.source.inlineVolumeSpec";
    let inline = json!({"claimRef": {}, "capacity": {"storage": "1"}, "persistentVolumeReclaimPolicy": "Delete", "nodeAffinity": {}, "storageClassName": "x", "volumeMode": "Block", "hostPath": {"path": "/x"}});
    let no = "may not be specified in the context of inline volumes";
    let cases = [
        (
            "everything is needed",
            json!({"spec": {}}),
            format!(
                "[spec.attacher: Required value, spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName, spec.nodeName: Invalid value: \"\": {NOT_SUBDOMAIN}]"
            ),
        ),
        (
            "one source",
            of(json!({"persistentVolumeName": "x", "inlineVolumeSpec": {}})),
            "spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName".to_owned(),
        ),
        (
            "names are names",
            json!({"spec": {"attacher": "A_", "nodeName": "N", "source": {"persistentVolumeName": ""}}}),
            format!(
                "[spec.attacher: Invalid value: \"A_\": {NOT_SUBDOMAIN}, spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName, spec.nodeName: Invalid value: \"N\": {NOT_SUBDOMAIN}, spec.source.persistentVolumeName: Invalid value: \"\": {NOT_SUBDOMAIN}]"
            ),
        ),
        (
            "a volume's name is one",
            of(json!({"persistentVolumeName": "A_"})),
            format!("spec.source.persistentVolumeName: Invalid value: \"A_\": {NOT_SUBDOMAIN}"),
        ),
        (
            "an inline volume is a driver's, and nobody's",
            of(json!({"inlineVolumeSpec": inline})),
            format!(
                "[{spec}.claimRef: Forbidden: {no}, {spec}.capacity: Forbidden: {no}, {spec}.csi: Required value: has to be specified in the context of inline volumes, {spec}.accessModes: Required value, {spec}.persistentVolumeReclaimPolicy: Forbidden: may only be Retain in the context of inline volumes, {spec}.nodeAffinity: Forbidden: {no}, {spec}.storageClassName: Forbidden: {no}, {spec}.volumeMode: Forbidden: may not specify volumeMode other than Filesystem in the context of inline volumes]"
            ),
        ),
    ];
    for (rule, object, expected) in cases {
        invalid(rule, kind().create(object), &expected);
    }
    let inline = json!({"accessModes": ["ReadWriteOnce"], "csi": {"driver": "d", "volumeHandle": "h"}});
    accepted("an inline volume", kind().create(of(json!({"inlineVolumeSpec": inline}))));
}

#[test]
fn what_is_attached_stays() {
    let stored = kind().stored(of(json!({"persistentVolumeName": "pv"})));
    invalid(
        "another node",
        kind().change(&stored, json!({"spec": {"nodeName": "m"}})),
        "spec: Invalid value: {\"Attacher\":\"a\",\"Source\":{\"PersistentVolumeName\":\"pv\",\"InlineVolumeSpec\":null},\"NodeName\":\"m\"}: field is immutable",
    );
    let marked = json!({"metadata": {"finalizers": ["x.io/y"]}, "status": {"attached": true}});
    let object = accepted("a finalizer", kind().change(&stored, marked));
    assert_eq!((&object["metadata"]["finalizers"], &object["status"]["attached"]), (&json!(["x.io/y"]), &json!(false)));
}

#[test]
fn status_is_checked_and_is_all_that_its_door_writes() {
    let stored = kind().stored(of(json!({"persistentVolumeName": "pv"})));
    let long = "x".repeat(1025);
    let bad = json!({"attached": true, "attachError": {"message": long, "errorCode": -1}, "detachError": {"message": long}, "attachmentMetadata": {"a": "x".repeat(262_144)}});
    invalid(
        "too much",
        kind().change_status(&stored, json!({"metadata": {"labels": {"a b": "c"}, "finalizers": ["foo"]}, "status": bad})),
        "[status.attachmentMetadata: Too long: may not be more than 262144 bytes, status.attachError.message: Too long: may not be more than 262144 bytes, status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive, status.detachError.message: Too long: may not be more than 262144 bytes]",
    );
    let good = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"nodeName": "m"}, "status": {"attachError": {"message": "x".repeat(1024)}}});
    let object = accepted("enough", kind().change_status(&stored, good));
    assert_eq!((&object["metadata"], &object["spec"]), (&stored["metadata"], &stored["spec"]));
    assert_eq!(object["status"]["attachError"]["time"], Value::Null);
}
