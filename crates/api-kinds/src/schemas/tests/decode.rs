//! Decoding whole kinds: what the real API server answered to these bodies.

use serde_json::{Value, json};

use crate::schema;

fn decoded(kind: &str, mut value: Value) -> Result<(Value, Vec<String>), String> {
    let unknown = schema(kind).expect(kind).decode(&mut value, kind).map_err(|err| err.to_string())?;
    Ok((value, unknown))
}

fn refused(kind: &str, value: Value) -> String {
    decoded(kind, value.clone()).expect_err(&value.to_string())
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_the_words_of_go() {
    let table = [
        (json!({"data": {"a": 1}}), "number into Go struct field ConfigMap.data of type string"),
        (json!({"data": {"a": {}}}), "object into Go struct field ConfigMap.data of type string"),
        (json!({"data": []}), "array into Go struct field ConfigMap.data of type map[string]string"),
        (json!({"data": "x"}), "string into Go struct field ConfigMap.data of type map[string]string"),
        (json!({"binaryData": {"a": 5}}), "number into Go struct field ConfigMap.binaryData of type []uint8"),
        (json!({"immutable": "x"}), "string into Go struct field ConfigMap.immutable of type bool"),
        (json!({"metadata": 5}), "number into Go struct field ConfigMap.metadata of type v1.ObjectMeta"),
        (json!({"metadata": {"name": 5}}), "number into Go struct field ObjectMeta.metadata.name of type string"),
        (json!({"metadata": {"uid": 5}}), "number into Go struct field ObjectMeta.metadata.uid of type types.UID"),
        (json!({"metadata": {"labels": {"a": 1}}}), "number into Go struct field ObjectMeta.metadata.labels of type string"),
        (
            json!({"metadata": {"ownerReferences": {}}}),
            "object into Go struct field ObjectMeta.metadata.ownerReferences of type []v1.OwnerReference",
        ),
        (
            json!({"metadata": {"generation": 1.5}}),
            "number 1.5 into Go struct field ObjectMeta.metadata.generation of type int64",
        ),
        (json!({"metadata": {"generation": "x"}}), "string into Go struct field ObjectMeta.metadata.generation of type int64"),
        (
            json!({"metadata": {"creationTimestamp": 5}}),
            "number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
        ),
        (json!({"metadata": {"finalizers": [1]}}), "number into Go struct field ObjectMeta.metadata.finalizers of type string"),
    ];
    for (body, words) in table {
        assert_eq!(refused("ConfigMap", body), format!("json: cannot unmarshal {words}"));
    }
}

#[test]
fn messages_name_the_struct_and_the_way_to_the_field() {
    let table = [
        (json!({"spec": 5}), "number into Go struct field Pod.spec of type v1.PodSpec"),
        (json!({"spec": {"containers": {}}}), "object into Go struct field PodSpec.spec.containers of type []v1.Container"),
        (json!({"spec": {"containers": [5]}}), "number into Go struct field PodSpec.spec.containers of type v1.Container"),
        (
            json!({"spec": {"containers": [{"ports": [{"containerPort": 5_000_000_000_i64}]}]}}),
            "number 5000000000 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        (
            json!({"spec": {"containers": [{"resources": {"limits": 5}}]}}),
            "number into Go struct field ResourceRequirements.spec.containers.resources.limits of type v1.ResourceList",
        ),
        (
            json!({"spec": {"containers": [{"imagePullPolicy": 5}]}}),
            "number into Go struct field Container.spec.containers.imagePullPolicy of type v1.PullPolicy",
        ),
        (
            json!({"spec": {"containers": [{"livenessProbe": {"httpGet": {"port": true}}}]}}),
            "bool into Go struct field HTTPGetAction.spec.containers.livenessProbe.ProbeHandler.httpGet.port of type int32",
        ),
        (
            json!({"spec": {"volumes": [{"emptyDir": {"medium": 5}}]}}),
            "number into Go struct field EmptyDirVolumeSource.spec.volumes.VolumeSource.emptyDir.medium of type v1.StorageMedium",
        ),
        (
            json!({"spec": {"volumes": [{"emptyDir": 5}]}}),
            "number into Go struct field Volume.spec.volumes.VolumeSource.emptyDir of type v1.EmptyDirVolumeSource",
        ),
        (json!({"spec": {"nodeSelector": {"a": 5}}}), "number into Go struct field PodSpec.spec.nodeSelector of type string"),
    ];
    for (body, words) in table {
        assert_eq!(refused("Pod", body), format!("json: cannot unmarshal {words}"));
    }
}

#[test]
fn a_text_that_cannot_be_parsed_is_told_before_a_wrong_type() {
    let body = json!({"metadata": {"creationTimestamp": "x"}, "data": {"a": 1}});
    assert!(refused("ConfigMap", body).starts_with("parsing time \"x\""));
    assert_eq!(refused("Secret", json!({"data": {"a": "!"}})), "illegal base64 data at input byte 0");
    let body = json!({"spec": {"containers": [{"resources": {"limits": {"cpu": "x"}}}]}});
    assert!(refused("Pod", body).starts_with("quantities must match the regular expression"));
    let body = json!({"spec": {"renewTime": "2026-01-01T00:00:00Z"}});
    assert!(refused("Lease", body).ends_with(r#"cannot parse "Z" as ".000000""#));
}

#[test]
fn of_unknown_subtrees_the_top_is_named() {
    let body = json!({
        "foo": {"a": 1},
        "metadata": {"bar": {"x": 1}, "ownerReferences": [{"a": 1}]},
        "spec": {"volumes": [{"name": "a", "emptyDir": {"foo": 5}}], "zz": 1},
    });
    let (value, mut unknown) = decoded("Pod", body).expect("a pod");
    unknown.sort();
    let expected = ["foo", "metadata.bar", "metadata.ownerReferences[0].a", "spec.volumes[0].emptyDir.foo", "spec.zz"];
    assert_eq!(unknown, expected);
    assert_eq!(value["spec"]["volumes"], json!([{"name": "a", "emptyDir": {}}]));
    assert!(value.get("foo").is_none());
}

#[test]
fn nulls_and_empty_values_go_as_they_go_in_go() {
    let body = json!({
        "metadata": {"name": "a", "labels": {}, "annotations": null, "creationTimestamp": null, "generation": 0},
        "data": {"a": null}, "binaryData": null, "immutable": false,
    });
    let (value, unknown) = decoded("ConfigMap", body).expect("a config map");
    assert_eq!(value, json!({"metadata": {"name": "a"}, "data": {"a": ""}, "immutable": false}));
    assert!(unknown.is_empty());
}

#[test]
fn what_go_always_writes_is_there() {
    let (event, _) = decoded("Event", json!({"metadata": {"name": "a"}})).expect("an event");
    let empty = json!({
        "metadata": {"name": "a"}, "involvedObject": {}, "source": {}, "firstTimestamp": null, "lastTimestamp": null,
        "eventTime": null, "reportingComponent": "", "reportingInstance": "",
    });
    assert_eq!(event, empty);

    let (node, _) =
        decoded("Node", json!({"metadata": {"name": "a"}, "status": {"conditions": [{"type": "a"}]}})).expect("a node");
    assert_eq!(node["status"]["daemonEndpoints"], json!({"kubeletEndpoint": {"Port": 0}}));
    assert_eq!(node["status"]["nodeInfo"]["kernelVersion"], "");
    assert_eq!(node["status"]["conditions"][0]["lastHeartbeatTime"], Value::Null);
    assert_eq!(node["spec"], json!({}));

    let (csi_node, _) = decoded("CSINode", json!({"metadata": {}, "spec": {"drivers": [{"name": "a"}]}})).expect("a CSINode");
    assert_eq!(csi_node["spec"]["drivers"], json!([{"name": "a", "nodeID": "", "topologyKeys": null}]));
    let (csi_node, _) = decoded("CSINode", json!({"spec": {"drivers": []}})).expect("a CSINode");
    assert_eq!(csi_node["spec"], json!({"drivers": null}));

    let claim = json!({"spec": {"dataSource": {"kind": "PersistentVolumeClaim", "name": "a"}}});
    let (claim, _) = decoded("PersistentVolumeClaim", claim).expect("a claim");
    assert_eq!(claim["spec"]["dataSource"], json!({"apiGroup": null, "kind": "PersistentVolumeClaim", "name": "a"}));
    assert_eq!(claim["spec"]["resources"], json!({}));
    let claim = json!({"spec": {"dataSource": {"apiGroup": "", "kind": "PersistentVolumeClaim", "name": "a"}}});
    let (claim, _) = decoded("PersistentVolumeClaim", claim).expect("a claim");
    assert_eq!(claim["spec"]["dataSource"]["apiGroup"], "");
}

#[test]
fn decoding_twice_changes_nothing() {
    let body = json!({
        "metadata": {"name": "a", "managedFields": [{"manager": "m", "fieldsV1": {"f:data": {}}}]},
        "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": 1.5, "memory": "1024Mi"}}}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    });
    let (once, _) = decoded("Pod", body).expect("a pod");
    assert_eq!(once["spec"]["containers"][0]["resources"]["limits"], json!({"cpu": "1500m", "memory": "1Gi"}));
    assert_eq!(decoded("Pod", once.clone()).expect("a pod").0, once);
}

#[test]
fn apply_checks_with_words_of_its_own() {
    let check = |kind: &str, value: Value| schema(kind).expect(kind).check_typed(&value).expect_err(&value.to_string());
    let table = [
        (json!({"foo": 1}), ".foo: field not declared in schema"),
        (json!({"data": {"a": 1}}), ".data.a: expected string, got &value.valueUnstructured{Value:1}"),
        (
            json!({"data": {"a": {"x": 1}}}),
            r#".data.a: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"x":1}}"#,
        ),
        (
            json!({"data": {"a": [1, "x"]}}),
            r#".data.a: expected string, got &value.valueUnstructured{Value:[]interface {}{1, "x"}}"#,
        ),
        (json!({"data": 5}), ".data: expected map, got &{5}"),
        (json!({"data": [1]}), ".data: expected map, got &{[1]}"),
        (json!({"immutable": "x"}), ".immutable: expected boolean, got &{x}"),
        (json!({"metadata": {"generation": "x"}}), ".metadata.generation: expected numeric (int or float), got string"),
        (json!({"metadata": {"finalizers": ["a", "a"]}}), r#".metadata.finalizers: duplicate entries for key [="a"]"#),
        (
            json!({"metadata": {"finalizers": [1]}}),
            ".metadata.finalizers[=1]: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (json!({"metadata": {"finalizers": {}}}), ".metadata.finalizers: expected list, got &{map[]}"),
        (
            json!({"metadata": {"ownerReferences": [null]}}),
            ".metadata.ownerReferences: element 0: associative list with keys may not have a null element",
        ),
        (
            json!({"data": {"a": 1}, "immutable": 5, "zz": 5}),
            "errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:1}\n  .immutable: expected boolean, got &{5}\n  .zz: field not declared in schema",
        ),
    ];
    for (value, words) in table {
        assert_eq!(check("ConfigMap", value), words);
    }
    let containers = |value: Value| check("Pod", json!({"spec": {"containers": value}}));
    assert_eq!(containers(json!([{"name": "x"}, {"name": "x"}])), r#".spec.containers: duplicate entries for key [name="x"]"#);
    assert_eq!(
        containers(json!([{"name": "x", "ports": [{"containerPort": 80, "foo": 1}]}])),
        r#".spec.containers[name="x"].ports[containerPort=80,protocol="TCP"].foo: field not declared in schema"#
    );
    assert_eq!(
        containers(json!([{"name": "x", "resources": {"limits": {"cpu": {}}}}])),
        r#".spec.containers[name="x"].resources.limits.cpu: expected any scalar, got &{map[]}"#
    );
    assert_eq!(
        check("Pod", json!({"spec": {"tolerations": [{"foo": 1}]}})),
        ".spec.tolerations[0].foo: field not declared in schema"
    );
    let fine = json!({"data": {"a": null}, "metadata": {"ownerReferences": [{}]}});
    assert_eq!(schema("ConfigMap").expect("a schema").check_typed(&fine), Ok(()));
}
