//! Each text is what kube-apiserver v1.36.1 answered; a diff of Go structs that it appends is left out.

use serde_json::{Value, json};

use crate::kinds::validation::testing::{Kind, NOT_KEY, NOT_LABEL_VALUE, NOT_SUBDOMAIN, accepted, invalid, merged};

const FROZEN: &str =
    "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
const CLASSES: &str = "storageclasses.storage.k8s.io";

fn kind() -> Kind {
    Kind::of("persistentvolumeclaims")
}

/// A good claim with its spec changed like this.
fn claim(spec: Value) -> Value {
    let good = json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    merged(&good, &json!({ "spec": spec }))
}

fn bound() -> Value {
    let mut stored = kind().stored(claim(json!({"storageClassName": "foo"})));
    stored["status"] = json!({"phase": "Bound", "capacity": {"storage": "1Gi"}});
    stored
}

#[test]
fn a_new_claim_gets_a_mode_a_phase_and_a_finalizer() {
    let object = accepted("create", kind().create(merged(&claim(json!({})), &json!({"status": {"phase": "Bound"}}))));
    assert_eq!(object["status"], json!({"phase": "Pending"}));
    assert_eq!(object["spec"]["volumeMode"], "Filesystem");
    assert_eq!(object["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    assert!(object["spec"].get("storageClassName").is_none());
}

#[test]
fn a_new_claim_is_refused_in_upstreams_words() {
    let cases = [
        (
            "modes and a size are needed",
            json!({"accessModes": null, "resources": null}),
            "[spec.accessModes: Required value: at least 1 access mode is required, spec.resources[storage]: Required value]".to_owned(),
        ),
        ("a size is not negative", json!({"resources": {"requests": {"storage": "-1"}}}), "spec.resources[storage]: Invalid value: \"-1\": must be greater than zero".to_owned()),
        ("a size is not zero", json!({"resources": {"requests": {"storage": "0"}}}), "spec.resources[storage]: Invalid value: \"0\": must be greater than zero".to_owned()),
        (
            "modes are known, and one stands alone",
            json!({"accessModes": ["Foo", "Foo", "ReadWriteOncePod", "ReadWriteOnce"]}),
            "[spec.accessModes: Unsupported value: \"Foo\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\", spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes]".to_owned(),
        ),
        (
            "classes and the mode have names",
            json!({"storageClassName": "A_", "volumeAttributesClassName": "B_", "volumeMode": "Foo"}),
            format!("[spec.storageClassName: Invalid value: \"A_\": {NOT_SUBDOMAIN}, spec.volumeMode: Unsupported value: \"Foo\": supported values: \"Block\", \"Filesystem\", spec.volumeAttributesClassName: Invalid value: \"B_\": {NOT_SUBDOMAIN}]"),
        ),
        ("an empty mode is one", json!({"volumeMode": ""}), "spec.volumeMode: Unsupported value: \"\": supported values: \"Block\", \"Filesystem\"".to_owned()),
        (
            "a selector selects",
            json!({"selector": {"matchLabels": {"a b": "c d"}, "matchExpressions": [{"key": "a b", "operator": "In"}, {"key": "a", "operator": "Exists", "values": ["x y"]}, {"key": "a", "operator": "Foo"}]}}),
            format!("[spec.selector.matchLabels: Invalid value: \"a b\": {NOT_KEY}, spec.selector.matchLabels: Invalid value: \"c d\": {NOT_LABEL_VALUE}, spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn', spec.selector.matchExpressions[0].key: Invalid value: \"a b\": {NOT_KEY}, spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist', spec.selector.matchExpressions[1].values[0]: Invalid value: \"x y\": {NOT_LABEL_VALUE}, spec.selector.matchExpressions[2].operator: Invalid value: \"Foo\": not a valid selector operator]"),
        ),
        (
            "a source of the core group is a claim",
            json!({"dataSourceRef": {"kind": "Foo"}}),
            "[spec.dataSource.name: Required value, spec.dataSource: Invalid value: \"Foo\": must be 'PersistentVolumeClaim' when referencing the default apiGroup, spec.dataSourceRef.name: Required value, spec.dataSourceRef: Invalid value: \"Foo\": must be 'PersistentVolumeClaim' when referencing the default apiGroup]".to_owned(),
        ),
        (
            "a source's group is a domain",
            json!({"dataSourceRef": {"kind": "Foo", "name": "a", "apiGroup": "A_b"}}),
            format!("[spec.dataSource.apiGroup: Invalid value: \"A_b\": {NOT_SUBDOMAIN}, spec.dataSourceRef.apiGroup: Invalid value: \"A_b\": {NOT_SUBDOMAIN}]"),
        ),
        (
            "both spellings of the source say the same",
            json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": "y"}, "dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "z"}}),
            "spec: Invalid value: {}: must match dataSourceRef".to_owned(),
        ),
    ];
    for (rule, spec, expected) in cases {
        invalid(rule, kind().create(claim(spec)), &expected);
    }
}

#[test]
fn a_source_is_written_in_both_spellings_or_in_none() {
    let core = json!({"apiGroup": null, "kind": "PersistentVolumeClaim", "name": "y"});
    let other = json!({"apiGroup": "x.io", "kind": "Foo", "name": "y"});
    let snapshot = json!({"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "y"});
    let cases = [
        ("a claim", json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": "y"}}), Some(&core)),
        ("a snapshot", json!({"dataSource": snapshot}), Some(&snapshot)),
        ("QUIRK: anything else is dropped", json!({"dataSource": {"kind": "Foo", "name": "y"}}), None),
        ("anything as a reference", json!({"dataSourceRef": other}), Some(&other)),
        (
            "other namespaces are dropped",
            json!({"dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "y", "namespace": "B"}}),
            None,
        ),
        (
            "but not what else is said",
            json!({"dataSource": {"kind": "PersistentVolumeClaim", "name": "y"}, "dataSourceRef": {"kind": "PersistentVolumeClaim", "name": "y", "namespace": "B"}}),
            Some(&core),
        ),
    ];
    for (rule, spec, expected) in cases {
        let object = accepted(rule, kind().create(claim(spec)));
        for field in ["dataSource", "dataSourceRef"] {
            assert_eq!(object["spec"].get(field), expected, "{rule}");
        }
    }
    let stored = kind().stored(claim(json!({"dataSourceRef": other})));
    let same = json!({"spec": {"dataSourceRef": null}});
    assert_eq!(accepted("an older client leaves the reference out", kind().change(&stored, same)), stored);
}

#[test]
fn a_claim_without_a_class_gets_the_newest_default() {
    let class = |name: &str, created: &str, annotation: &str| {
        (CLASSES, json!({"metadata": {"name": name, "creationTimestamp": created, "annotations": {annotation: "true"}}}))
    };
    const GA: &str = "storageclass.kubernetes.io/is-default-class";
    let mut kind = kind();
    assert_eq!(accepted("no default", kind.create(claim(json!({}))))["spec"].get("storageClassName"), None);
    kind.world.0 = vec![
        class("old", "2025-01-01T00:00:00Z", GA),
        class("newer-b", "2026-01-01T00:00:00Z", "storageclass.beta.kubernetes.io/is-default-class"),
        class("newer-a", "2026-01-01T00:00:00Z", GA),
        class("newest", "2027-01-01T00:00:00Z", "other"),
    ];
    let cases = [
        ("none named", json!({}), json!("newer-a")),
        ("null", json!({"storageClassName": Value::Null, "volumeName": "v"}), json!("newer-a")),
        ("explicitly none", json!({"storageClassName": ""}), json!("")),
        ("one named", json!({"storageClassName": "x"}), json!("x")),
    ];
    for (rule, spec, expected) in cases {
        assert_eq!(accepted(rule, kind.create(claim(spec)))["spec"]["storageClassName"], expected, "{rule}");
    }
    let annotated = merged(&claim(json!({})), &json!({"metadata": {"annotations": {super::CLASS_ANNOTATION: "x"}}}));
    assert_eq!(kind.create(annotated).unwrap().object["spec"].get("storageClassName"), None);
}

#[test]
fn what_is_odd_about_a_claim_is_said() {
    let spec = json!({"resources": {"requests": {"storage": "1500m"}, "limits": {"storage": "100m"}}});
    let odd = merged(&claim(spec), &json!({"metadata": {"annotations": {super::CLASS_ANNOTATION: "x"}}}));
    assert_eq!(
        kind().create(odd).unwrap().warnings,
        [
            "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use \"storageClassName\" attribute instead",
            "spec.resources.requests[storage]: fractional byte value \"1500m\" is invalid, must be an integer",
            "spec.resources.limits[storage]: fractional byte value \"100m\" is invalid, must be an integer",
        ]
    );
}

#[test]
fn the_spec_of_an_unbound_claim_is_kept() {
    let stored = kind().stored(claim(json!({"storageClassName": "foo"})));
    let cases = [
        ("its size up", json!({"resources": {"requests": {"storage": "2Gi"}}}), FROZEN.to_owned()),
        ("its size down", json!({"resources": {"requests": {"storage": "1Mi"}}}), FROZEN.to_owned()),
        ("its class", json!({"storageClassName": "x"}), FROZEN.to_owned()),
        ("that it has a class", json!({"storageClassName": null}), FROZEN.to_owned()),
        ("that it selects nothing", json!({"selector": {"matchLabels": {}}}), FROZEN.to_owned()),
        ("its attributes class", json!({"volumeAttributesClassName": "gold"}), FROZEN.to_owned()),
        (
            "its mode",
            json!({"volumeMode": "Block"}),
            format!("[{FROZEN}, volumeMode: Invalid value: \"Block\": field is immutable]"),
        ),
    ];
    for (rule, spec, expected) in cases {
        invalid(rule, kind().change(&stored, json!({ "spec": spec })), &expected);
    }
    let respelled = json!({"spec": {"resources": {"requests": {"storage": "1073741824"}}}});
    accepted("another spelling of its size", kind().change(&stored, respelled));
    let unchanged = [
        json!({"spec": {"volumeMode": null}}),
        json!({"spec": {"dataSource": {"kind": "Foo", "name": "y"}}}),
        json!({"status": {"phase": "Bound"}}),
    ];
    for change in unchanged {
        assert_eq!(accepted("nothing changes", kind().change(&stored, change)), stored);
    }
    let named = accepted("a volume is named once", kind().change(&stored, json!({"spec": {"volumeName": "y"}})));
    invalid("and no other", kind().change(&named, json!({"spec": {"volumeName": "z"}})), FROZEN);
}

#[test]
fn a_class_is_given_once_or_moved_from_its_annotation() {
    let annotation = |class: Value| json!({"metadata": {"annotations": {super::CLASS_ANNOTATION: class}}});
    let none = kind().stored(claim(json!({})));
    accepted("from none to one", kind().change(&none, json!({"spec": {"storageClassName": "x"}})));
    let path = "metadata.annotations.volume.beta.kubernetes.io/storage-class";
    invalid(
        "no annotation is added",
        kind().change(&none, annotation("y".into())),
        &format!("{path}: Invalid value: \"y\": field is immutable"),
    );
    let old = kind().stored(merged(&claim(json!({})), &annotation("x".into())));
    let mut without = merged(&old, &json!({"spec": {"storageClassName": "x"}}));
    without["metadata"]["annotations"] = json!({});
    accepted("moved", kind().update(&old, without));
    invalid("not to another", kind().change(&old, json!({"spec": {"storageClassName": "y"}})), FROZEN);
}

#[test]
fn a_bound_claim_grows_where_its_class_says_so() {
    let grow = json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}});
    let refused = |kind: &Kind, rule: &str| {
        let status = kind.change(&bound(), grow.clone()).expect_err(rule);
        assert_eq!(status.code, 403, "{rule}");
        assert_eq!(
            status.message,
            "persistentvolumeclaims \"x\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
            "{rule}"
        );
    };
    let mut kind = kind();
    refused(&kind, "no such class");
    kind.world.0 = vec![(CLASSES, json!({"metadata": {"name": "foo"}}))];
    refused(&kind, "a class that says nothing");
    kind.world.0 = vec![(CLASSES, json!({"metadata": {"name": "foo"}, "allowVolumeExpansion": true}))];
    accepted("a class that lets volumes grow", kind.change(&bound(), grow.clone()));
    kind.world.0.clear();
    let worse = merged(&grow, &json!({"metadata": {"finalizers": ["foo"]}}));
    let finalizer =
        "metadata.finalizers[0]: Invalid value: \"foo\": name is neither a standard finalizer name nor is it fully qualified";
    invalid("what is wrong is said first", kind.change(&bound(), worse), finalizer);
}

#[test]
fn a_bound_claim_shrinks_to_no_less_than_it_has() {
    let small = "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity";
    let ask = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
    invalid("less than it has", kind().change(&bound(), ask("1Mi")), small);
    let mut growing = bound();
    growing["spec"]["resources"]["requests"]["storage"] = "3Gi".into();
    accepted("still more than it has", kind().change(&growing, ask("2Gi")));
    invalid("QUIRK: as much as it has", kind().change(&growing, ask("1Gi")), small);
    let nothing = json!({"spec": {"resources": {"requests": null}}});
    invalid(
        "nothing at all",
        kind().change(&bound(), nothing),
        &format!("[spec.resources[storage]: Required value, {FROZEN}, {small}]"),
    );
    invalid("other resources stay", kind().change(&bound(), json!({"spec": {"resources": {"requests": {"cpu": "1"}}}})), FROZEN);
}

#[test]
fn an_attributes_class_that_is_applied_is_not_taken_away() {
    let class = |name: Value| json!({"spec": {"volumeAttributesClassName": name}});
    let named = merged(&bound(), &class("gold".into()));
    accepted("before it is applied", kind().change(&named, class(Value::Null)));
    let applied = merged(&named, &json!({"status": {"currentVolumeAttributesClassName": "gold"}}));
    accepted("another one", kind().change(&applied, class("silver".into())));
    let field = "spec.volumeAttributesClassName: Forbidden: update to";
    let why = "is forbidden when status.currentVolumeAttributesClassName is not nil";
    invalid("none", kind().change(&applied, class(Value::Null)), &format!("{field} nil {why}"));
    invalid("an empty one", kind().change(&applied, class("".into())), &format!("{field} empty string {why}"));
}

#[test]
fn the_status_of_a_claim_is_checked() {
    let stored = kind().stored(claim(json!({})));
    let status = json!({"phase": "Bound", "capacity": {"storage": "-1500m"}, "allocatedResources": {"a b": "1", "cpu": "1", "storage": "-1", "x.io/y": "1"}, "allocatedResourceStatuses": {"cpu": "Foo", "storage": "NodeResizePending"}});
    invalid(
        "amounts, keys and states",
        kind().change_status(&stored, json!({ "status": status })),
        &format!(
            "[status.capacity[storage]: Invalid value: -2: must be a valid resource quantity, status.allocatedResourceStatuses: Unsupported value: \"cpu\": supported values: \"storage\", status.allocatedResourceStatuses: Unsupported value: \"cpu\": supported values: \"ControllerResizeInProgress\", \"ControllerResizeInfeasible\", \"NodeResizeInProgress\", \"NodeResizeInfeasible\", \"NodeResizePending\", status.allocatedResources: Invalid value: \"a b\": {NOT_KEY}, status.allocatedResources: Unsupported value: \"cpu\": supported values: \"storage\", status.allocatedResources[storage]: Invalid value: -1: must be a valid resource quantity]"
        ),
    );
    let condition = json!({"status": {"conditions": [{"type": "Resizing", "status": "True"}]}});
    let object = accepted("a condition", kind().change_status(&stored, condition));
    assert_eq!(
        object["status"]["conditions"],
        json!([{"type": "Resizing", "status": "True", "lastProbeTime": null, "lastTransitionTime": null}])
    );
    let object = accepted(
        "spec stays, metadata does not",
        kind().change_status(&stored, json!({"spec": {"volumeName": "y"}, "metadata": {"annotations": {"a": "b"}}})),
    );
    assert_eq!(object["spec"], stored["spec"]);
    assert_eq!(object["metadata"]["annotations"], json!({"a": "b"}));
}
