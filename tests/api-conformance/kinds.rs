//! What is filled in and what is checked, kind by kind. Pods have a chapter of their own.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    d1_a_namespace_is_active_and_labelled,
    d2_a_claim_is_protected_and_pending,
    d2b_a_claims_class_is_absent_or_empty_as_sent,
    d3_a_claim_needs_modes_and_a_size,
    d3b_a_claims_size_is_positive,
    d4_access_modes_are_known,
    d4b_read_write_once_pod_stands_alone,
    d4c_volume_modes_are_known,
    d5_quantities_are_canonical,
    d5b_a_fractional_size_warns,
    d6_a_claims_source_is_said_twice,
    d6b_a_source_that_is_unknown_is_dropped,
    d6c_two_sources_that_differ_are_refused,
    d7_a_volume_is_protected_retained_and_pending,
    d8_a_volume_needs_modes_a_capacity_and_a_source,
    d8b_a_volume_has_one_source,
    d8c_a_csi_source_needs_a_driver_and_a_handle,
    d8d_reclaim_policies_are_known,
    d9_an_old_class_annotation_warns,
    d10_a_class_deletes_and_binds_at_once,
    d10b_a_class_needs_a_provisioner,
    d10c_a_class_knows_its_policies_and_modes,
    d11_a_csi_driver_attaches_persistent_volumes,
    d11b_tokens_without_a_place_warn,
    d11c_a_token_lasts_ten_minutes,
    d12_a_node_without_drivers_says_null,
    d12b_drivers_of_a_node_have_ids_and_stand_once,
    d13_a_capacity_names_its_class,
    d14_an_attachment_is_not_attached,
    d14b_an_attachment_needs_everything,
    d15_an_attributes_class_is_protected_and_has_parameters,
    d16_a_secret_is_opaque_and_its_texts_are_encoded,
    d16b_a_tls_secret_has_a_key_and_a_certificate,
    d16c_a_basic_auth_secret_has_its_keys,
    d17_keys_of_a_config_map_are_checked,
    d17b_a_key_is_text_or_bytes,
    d17c_a_config_map_has_a_size,
    d18_a_lease_may_be_empty,
    d18b_a_leases_numbers_are_checked,
    d19_a_node_is_not_ready_but_its_status_is_kept,
    d20_an_event_is_about_its_own_namespace,
    d20b_an_event_shows_its_empty_fields,
    d21_a_new_event_says_when_and_by_whom,
    d21b_an_event_is_readable_through_both_groups,
    d22_an_old_event_can_be_counted_up,
    d22b_what_a_new_event_says_stays_if_its_own_group_is_asked,
    d26_only_some_kinds_count_generations,
}

async fn d1_a_namespace_is_active_and_labelled(w: &World) {
    let name = w.name("");
    let made = w.post("/api/v1/namespaces", &json!({"metadata": {"name": name}})).await.made();
    assert_eq!(made["metadata"]["labels"], json!({"kubernetes.io/metadata.name": name}));
    assert_eq!((&made["spec"], &made["status"]), (&json!({"finalizers": ["kubernetes"]}), &json!({"phase": "Active"})));
}

async fn make(w: &World, plural: &str, body: &Value) -> Value {
    w.post(&w.core(plural).await, body).await.made()
}

async fn d2_a_claim_is_protected_and_pending(w: &World) {
    let mut body = claim("x");
    body["status"] = json!({"phase": "Bound"});
    let made = make(w, "persistentvolumeclaims", &body).await;
    assert_eq!(made["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    assert_eq!((&made["spec"]["volumeMode"], &made["status"]), (&json!("Filesystem"), &json!({"phase": "Pending"})));
}

async fn d2b_a_claims_class_is_absent_or_empty_as_sent(w: &World) {
    let mut body = claim("empty");
    body["spec"]["storageClassName"] = "".into();
    assert_eq!(make(w, "persistentvolumeclaims", &body).await["spec"]["storageClassName"], "");
}

/// Posts into a namespaced core collection.
async fn post(w: &World, plural: &str, body: &Value) -> Reply {
    w.post(&w.core(plural).await, body).await
}

async fn d3_a_claim_needs_modes_and_a_size(w: &World) {
    let errors = [
        ("spec.accessModes", "Required", "Required value: at least 1 access mode is required"),
        ("spec.resources[storage]", "Required", "Required value"),
    ];
    let body = json!({"metadata": {"name": "x"}, "spec": {}});
    post(w, "persistentvolumeclaims", &body).await.invalid("PersistentVolumeClaim", "x", &errors);
}

async fn d3b_a_claims_size_is_positive(w: &World) {
    let mut body = claim("x");
    body["spec"]["resources"]["requests"]["storage"] = "0".into();
    let errors = [("spec.resources[storage]", "Invalid", "Invalid value: \"0\": must be greater than zero")];
    post(w, "persistentvolumeclaims", &body).await.invalid("PersistentVolumeClaim", "x", &errors);
}

async fn d4_access_modes_are_known(w: &World) {
    let mut body = claim("x");
    body["spec"]["accessModes"] = json!(["Foo"]);
    let message = "Unsupported value: \"Foo\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"";
    let errors = [("spec.accessModes", "NotSupported", message)];
    post(w, "persistentvolumeclaims", &body).await.invalid("PersistentVolumeClaim", "x", &errors);
}

async fn d4b_read_write_once_pod_stands_alone(w: &World) {
    let mut body = claim("x");
    body["spec"]["accessModes"] = json!(["ReadWriteOncePod", "ReadOnlyMany"]);
    let message = "Forbidden: may not use ReadWriteOncePod with other access modes";
    let errors = [("spec.accessModes", "Forbidden", message)];
    post(w, "persistentvolumeclaims", &body).await.invalid("PersistentVolumeClaim", "x", &errors);
}

async fn d4c_volume_modes_are_known(w: &World) {
    let mut body = claim("x");
    body["spec"]["volumeMode"] = "Foo".into();
    let message = "Unsupported value: \"Foo\": supported values: \"Block\", \"Filesystem\"";
    let errors = [("spec.volumeMode", "NotSupported", message)];
    post(w, "persistentvolumeclaims", &body).await.invalid("PersistentVolumeClaim", "x", &errors);
}

async fn d5_quantities_are_canonical(w: &World) {
    let sizes =
        [(json!("1024Mi"), "1Gi"), (json!("1.5Gi"), "1536Mi"), (json!(1_073_741_824), "1073741824"), (json!("1000k"), "1M")];
    for (index, (sent, stored)) in sizes.into_iter().enumerate() {
        let mut body = claim(&format!("x{index}"));
        body["spec"]["resources"]["requests"]["storage"] = sent;
        let made = make(w, "persistentvolumeclaims", &body).await;
        assert_eq!(made["spec"]["resources"]["requests"]["storage"], stored);
    }
}

async fn d5b_a_fractional_size_warns(w: &World) {
    let mut body = claim("x");
    body["spec"]["resources"]["requests"]["storage"] = "1500m".into();
    let reply = post(w, "persistentvolumeclaims", &body).await;
    assert_eq!(reply.made()["spec"]["resources"]["requests"]["storage"], "1500m");
    let warning = "spec.resources.requests[storage]: fractional byte value \"1500m\" is invalid, must be an integer";
    assert_eq!(reply.warnings(), [warning]);
}

async fn d6_a_claims_source_is_said_twice(w: &World) {
    let mut body = claim("x");
    body["spec"]["dataSource"] = json!({"kind": "PersistentVolumeClaim", "name": "y"});
    let made = make(w, "persistentvolumeclaims", &body).await;
    let expected = json!({"apiGroup": null, "kind": "PersistentVolumeClaim", "name": "y"});
    assert_eq!((&made["spec"]["dataSource"], &made["spec"]["dataSourceRef"]), (&expected, &expected));
    let mut body = claim("z");
    let source = json!({"apiGroup": "conf.example", "kind": "Foo", "name": "y"});
    body["spec"]["dataSourceRef"] = source.clone();
    let made = make(w, "persistentvolumeclaims", &body).await;
    assert_eq!((&made["spec"]["dataSource"], &made["spec"]["dataSourceRef"]), (&source, &source));
}

async fn d6b_a_source_that_is_unknown_is_dropped(w: &World) {
    let mut body = claim("x");
    body["spec"]["dataSource"] = json!({"apiGroup": "conf.example", "kind": "Foo", "name": "y"});
    let made = make(w, "persistentvolumeclaims", &body).await;
    assert_eq!((made["spec"].get("dataSource"), made["spec"].get("dataSourceRef")), (None, None));
}

async fn d6c_two_sources_that_differ_are_refused(w: &World) {
    let mut body = claim("x");
    body["spec"]["dataSource"] = json!({"kind": "PersistentVolumeClaim", "name": "y"});
    body["spec"]["dataSourceRef"] = json!({"kind": "PersistentVolumeClaim", "name": "z"});
    let reply = post(w, "persistentvolumeclaims", &body).await;
    reply.refused_with(
        422,
        "Invalid",
        &["PersistentVolumeClaim \"x\" is invalid: spec: Invalid value: ", "must match dataSourceRef"],
    );
}

async fn post_volume(w: &World, body: &Value) -> Reply {
    w.post("/api/v1/persistentvolumes", body).await
}

async fn d7_a_volume_is_protected_retained_and_pending(w: &World) {
    let mut body = volume(&w.name(""));
    body["status"] = json!({"phase": "Bound"});
    let made = post_volume(w, &body).await.made();
    assert_eq!(made["metadata"]["finalizers"], json!(["kubernetes.io/pv-protection"]));
    includes(&made["spec"], &json!({"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"}));
    let time = &made["metadata"]["creationTimestamp"];
    assert_eq!(made["status"]["phase"], "Pending");
    assert!(made["status"]["lastPhaseTransitionTime"].as_str() >= time.as_str(), "{made}");
    let mut body = volume(&w.name("host"));
    body["spec"].as_object_mut().expect("a map").remove("csi");
    body["spec"]["hostPath"] = json!({"path": "/x"});
    assert_eq!(post_volume(w, &body).await.made()["spec"]["hostPath"], json!({"path": "/x", "type": ""}));
}

async fn d8_a_volume_needs_modes_a_capacity_and_a_source(w: &World) {
    let name = w.name("");
    let errors = [
        ("spec.accessModes", "Required", "Required value"),
        ("spec.capacity", "Required", "Required value"),
        ("spec.capacity", "NotSupported", "Unsupported value: null: supported values: \"storage\""),
        ("spec", "Required", "Required value: must specify a volume type"),
    ];
    post_volume(w, &json!({"metadata": {"name": name}, "spec": {}})).await.invalid("PersistentVolume", &name, &errors);
}

async fn d8b_a_volume_has_one_source(w: &World) {
    let mut body = volume(&w.name(""));
    body["spec"]["hostPath"] = json!({"path": "/x"});
    let errors = [("spec.csi", "Forbidden", "Forbidden: may not specify more than 1 volume type")];
    post_volume(w, &body).await.invalid("PersistentVolume", &w.name(""), &errors);
}

async fn d8c_a_csi_source_needs_a_driver_and_a_handle(w: &World) {
    let mut body = volume(&w.name(""));
    body["spec"]["csi"] = json!({"driver": "", "volumeHandle": ""});
    let reply = post_volume(w, &body).await;
    reply.invalid_with("spec.csi.driver", "Required", "Required value");
    reply.invalid_with("spec.csi.volumeHandle", "Required", "Required value");
}

async fn d8d_reclaim_policies_are_known(w: &World) {
    let mut body = volume(&w.name(""));
    body["spec"]["persistentVolumeReclaimPolicy"] = "Foo".into();
    let message = "Unsupported value: \"Foo\": supported values: \"Delete\", \"Recycle\", \"Retain\"";
    let errors = [("spec.persistentVolumeReclaimPolicy", "NotSupported", message)];
    post_volume(w, &body).await.invalid("PersistentVolume", &w.name(""), &errors);
}

async fn d9_an_old_class_annotation_warns(w: &World) {
    let mut body = volume(&w.name(""));
    body["metadata"]["annotations"] = json!({"volume.beta.kubernetes.io/storage-class": "x"});
    let warnings = post_volume(w, &body).await.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("deprecated since v1.8; use \"storageClassName\" attribute instead"), "{warnings:?}");
}

async fn post_stored(w: &World, plural: &str, body: &Value) -> Reply {
    w.post(&format!("{STORAGE}/{plural}"), body).await
}

async fn d10_a_class_deletes_and_binds_at_once(w: &World) {
    let made = post_stored(w, "storageclasses", &storage_class(&w.name(""))).await.made();
    includes(&made, &json!({"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}));
    assert_eq!(made.get("allowVolumeExpansion"), None);
}

async fn d10b_a_class_needs_a_provisioner(w: &World) {
    let name = w.name("");
    let reply = post_stored(w, "storageclasses", &json!({"metadata": {"name": name}})).await;
    reply.invalid("StorageClass.storage.k8s.io", &name, &[("provisioner", "Required", "Required value")]);
}

async fn d10c_a_class_knows_its_policies_and_modes(w: &World) {
    let mut body = storage_class(&w.name(""));
    body["reclaimPolicy"] = "Foo".into();
    body["volumeBindingMode"] = "Foo".into();
    let errors = [
        ("reclaimPolicy", "NotSupported", "Unsupported value: \"Foo\": supported values: \"Delete\", \"Retain\""),
        (
            "volumeBindingMode",
            "NotSupported",
            "Unsupported value: \"Foo\": supported values: \"Immediate\", \"WaitForFirstConsumer\"",
        ),
    ];
    post_stored(w, "storageclasses", &body).await.invalid("StorageClass.storage.k8s.io", &w.name(""), &errors);
}

async fn d11_a_csi_driver_attaches_persistent_volumes(w: &World) {
    let made = post_stored(w, "csidrivers", &csi_driver(&w.name(""))).await.made();
    let expected = json!({
        "attachRequired": true, "podInfoOnMount": false, "volumeLifecycleModes": ["Persistent"], "storageCapacity": false,
        "fsGroupPolicy": "ReadWriteOnceWithFSType", "requiresRepublish": false, "seLinuxMount": false,
    });
    assert_eq!(made["spec"], expected);
    assert_eq!(made["metadata"].get("generation"), None);
}

async fn d11b_tokens_without_a_place_warn(w: &World) {
    let mut body = csi_driver(&w.name(""));
    body["spec"]["tokenRequests"] = json!([{"audience": "a"}]);
    let warning = "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";
    assert_eq!(post_stored(w, "csidrivers", &body).await.warnings(), [warning]);
}

async fn d11c_a_token_lasts_ten_minutes(w: &World) {
    let mut body = csi_driver(&w.name(""));
    body["spec"]["tokenRequests"] = json!([{"audience": "a", "expirationSeconds": 5}]);
    let reply = post_stored(w, "csidrivers", &body).await;
    reply.refused_with(422, "Invalid", &["expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes"]);
}

async fn d12_a_node_without_drivers_says_null(w: &World) {
    let name = w.name("");
    let made = post_stored(w, "csinodes", &json!({"metadata": {"name": name}, "spec": {"drivers": []}})).await.made();
    assert_eq!(made["spec"], json!({"drivers": null}));
    let mut body = csi_node(&w.name("two"));
    body["spec"]["drivers"] = json!([{"name": "d.example", "nodeID": "n"}]);
    let made = post_stored(w, "csinodes", &body).await.made();
    assert_eq!(made["spec"]["drivers"], json!([{"name": "d.example", "nodeID": "n", "topologyKeys": null}]));
}

async fn d12b_drivers_of_a_node_have_ids_and_stand_once(w: &World) {
    let mut body = csi_node(&w.name(""));
    body["spec"]["drivers"] = json!([{"name": "d", "nodeID": "n"}, {"name": "d", "nodeID": ""}]);
    let reply = post_stored(w, "csinodes", &body).await;
    reply.invalid_with("spec.drivers[1].nodeID", "Required", "Required value");
    reply.invalid_with("spec.drivers[1].name", "Duplicate", "Duplicate value: \"d\"");
}

async fn d13_a_capacity_names_its_class(w: &World) {
    let collection = w.group("storage.k8s.io/v1", "csistoragecapacities").await;
    let made =
        w.post(&collection, &json!({"metadata": {"name": "x"}, "storageClassName": "c", "capacity": "1024Mi"})).await.made();
    assert_eq!(made["capacity"], "1Gi");
    let reply = w.post(&collection, &json!({"metadata": {"name": "y"}, "storageClassName": "Bad_Name"})).await;
    reply.invalid_with(
        "storageClassName",
        "Invalid",
        "Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of",
    );
}

async fn d14_an_attachment_is_not_attached(w: &World) {
    let mut body = attachment(&w.name(""));
    body["status"] = json!({"attached": true});
    let made = post_stored(w, "volumeattachments", &body).await.made();
    assert_eq!(made["status"], json!({"attached": false}));
}

async fn d14b_an_attachment_needs_everything(w: &World) {
    let reply = post_stored(w, "volumeattachments", &json!({"metadata": {"name": w.name("")}, "spec": {"source": {}}})).await;
    reply.invalid_with("spec.attacher", "Required", "Required value");
    reply.invalid_with(
        "spec.source",
        "Required",
        "Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName",
    );
    reply.invalid_with("spec.nodeName", "Invalid", "Invalid value: \"\": ");
}

async fn d15_an_attributes_class_is_protected_and_has_parameters(w: &World) {
    let made = post_stored(w, "volumeattributesclasses", &attributes_class(&w.name(""))).await.made();
    assert_eq!(made["metadata"]["finalizers"], json!(["kubernetes.io/vac-protection"]));
    let reply = post_stored(w, "volumeattributesclasses", &json!({"metadata": {"name": w.name("bad")}})).await;
    reply.invalid_with("driverName", "Required", "Required value");
    reply.invalid_with("parameters", "Required", "Required value: must contain at least one key/value pair");
}

async fn d16_a_secret_is_opaque_and_its_texts_are_encoded(w: &World) {
    let made = make(w, "secrets", &secret("x")).await;
    includes(&made, &json!({"type": "Opaque", "data": {"a": "MQ=="}}));
    assert_eq!(made.get("stringData"), None);
}

async fn d16b_a_tls_secret_has_a_key_and_a_certificate(w: &World) {
    let reply = post(w, "secrets", &json!({"metadata": {"name": "x"}, "type": "kubernetes.io/tls"})).await;
    let errors = [("data[tls.crt]", "Required", "Required value"), ("data[tls.key]", "Required", "Required value")];
    reply.invalid("Secret", "x", &errors);
}

async fn d16c_a_basic_auth_secret_has_its_keys(w: &World) {
    let reply = post(w, "secrets", &json!({"metadata": {"name": "x"}, "type": "kubernetes.io/basic-auth"})).await;
    let errors = [("data[username]", "Required", "Required value"), ("data[password]", "Required", "Required value")];
    reply.invalid("Secret", "x", &errors);
}

async fn d17_keys_of_a_config_map_are_checked(w: &World) {
    let reply = post(w, "configmaps", &json!({"metadata": {"name": "x"}, "data": {"a b": "1"}})).await;
    let message = "Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    reply.invalid("ConfigMap", "x", &[("data[a b]", "Invalid", message)]);
}

async fn d17b_a_key_is_text_or_bytes(w: &World) {
    let reply = post(w, "configmaps", &json!({"metadata": {"name": "x"}, "data": {"a": "1"}, "binaryData": {"a": "MQ=="}})).await;
    let message = "Invalid value: \"a\": duplicate of key present in binaryData";
    reply.invalid("ConfigMap", "x", &[("data[a]", "Invalid", message)]);
}

async fn d17c_a_config_map_has_a_size(w: &World) {
    let reply = post(w, "configmaps", &json!({"metadata": {"name": "x"}, "data": {"a": "x".repeat(1_048_577)}})).await;
    reply.invalid("ConfigMap", "x", &[("[]", "TooLong", "Too long: may not be more than 1048576 bytes")]);
}

async fn d18_a_lease_may_be_empty(w: &World) {
    let made = w.post(&w.group(LEASES, "leases").await, &json!({"metadata": {"name": "x"}, "spec": {}})).await.made();
    assert_eq!(made["spec"], json!({}));
}

async fn d18b_a_leases_numbers_are_checked(w: &World) {
    let mut body = lease("x");
    body["spec"]["leaseDurationSeconds"] = 0.into();
    body["spec"]["leaseTransitions"] = (-1).into();
    let errors = [
        ("spec.leaseDurationSeconds", "Invalid", "Invalid value: 0: must be greater than 0"),
        ("spec.leaseTransitions", "Invalid", "Invalid value: -1: must be greater than or equal to 0"),
    ];
    w.post(&w.group(LEASES, "leases").await, &body).await.invalid("Lease.coordination.k8s.io", "x", &errors);
}

async fn d19_a_node_is_not_ready_but_its_status_is_kept(w: &World) {
    let mut body = node(&w.name(""));
    body["status"] = json!({"conditions": [{"type": "Ready", "status": "True"}]});
    let made = w.post("/api/v1/nodes", &body).await.made();
    let taint = json!({"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"});
    assert_eq!(made["spec"]["taints"], json!([taint]));
    let condition = json!({"type": "Ready", "status": "True", "lastHeartbeatTime": null, "lastTransitionTime": null});
    assert_eq!(made["status"]["conditions"], json!([condition]));
    assert_eq!(made["status"]["daemonEndpoints"], json!({"kubeletEndpoint": {"Port": 0}}));
    includes(&made["status"]["nodeInfo"], &json!({"machineID": "", "kubeletVersion": "", "architecture": ""}));
}

async fn d20_an_event_is_about_its_own_namespace(w: &World) {
    let message = "Invalid value: \"other\": does not match event.namespace";
    let reply = post(w, "events", &event("x", "other")).await;
    reply.invalid("Event", "x", &[("involvedObject.namespace", "Invalid", message)]);
}

async fn d20b_an_event_shows_its_empty_fields(w: &World) {
    let made = make(w, "events", &event("x", w.namespace().await)).await;
    let expected = json!({
        "source": {}, "firstTimestamp": null, "lastTimestamp": null, "eventTime": null, "reportingComponent": "",
        "reportingInstance": "",
    });
    includes(&made, &expected);
}

async fn new_event(w: &World, name: &str) -> Value {
    json!({
        "metadata": {"name": name}, "eventTime": "2026-01-01T00:00:00.000000Z", "reportingController": "conf.example/c",
        "reportingInstance": "i", "action": "Act", "reason": "Reason", "type": "Normal", "note": "n",
        "regarding": {"kind": "ConfigMap", "namespace": w.namespace().await, "name": "x"},
    })
}

async fn d21_a_new_event_says_when_and_by_whom(w: &World) {
    let collection = w.group("events.k8s.io/v1", "events").await;
    let mut body = new_event(w, "x").await;
    body.as_object_mut().expect("a map").remove("eventTime");
    w.post(&collection, &body).await.invalid_with("eventTime", "Required", "Required value");
    for key in ["reportingController", "reportingInstance", "action", "reason"] {
        let mut body = new_event(w, "x").await;
        body.as_object_mut().expect("a map").remove(key);
        w.post(&collection, &body).await.invalid_with(key, "Required", "Required value");
    }
    w.post(&collection, &new_event(w, "x").await).await.made();
}

async fn d21b_an_event_is_readable_through_both_groups(w: &World) {
    w.post(&w.group("events.k8s.io/v1", "events").await, &new_event(w, "x").await).await.made();
    let found = w.get(&format!("{}/x", w.core("events").await)).await.ok();
    includes(&found, &json!({"message": "n", "reportingComponent": "conf.example/c", "involvedObject": {"name": "x"}}));
    make(w, "events", &event("y", w.namespace().await)).await;
    let found = w.get(&format!("{}/y", w.group("events.k8s.io/v1", "events").await)).await.ok();
    includes(
        &found,
        &json!({"apiVersion": "events.k8s.io/v1", "note": "m", "regarding": {"name": "p1"}, "deprecatedSource": {}}),
    );
}

async fn d22_an_old_event_can_be_counted_up(w: &World) {
    make(w, "events", &event("x", w.namespace().await)).await;
    let path = format!("{}/x", w.core("events").await);
    let found = w.merge(&path, &json!({"count": 2, "message": "again"})).await.ok();
    includes(&found, &json!({"count": 2, "message": "again"}));
}

async fn d22b_what_a_new_event_says_stays_if_its_own_group_is_asked(w: &World) {
    let collection = w.group("events.k8s.io/v1", "events").await;
    w.post(&collection, &new_event(w, "y").await).await.made();
    let reply = w.merge(&format!("{collection}/y"), &json!({"note": "x"})).await;
    reply.invalid_with("message", "Invalid", "Invalid value: \"x\": field is immutable");
    w.merge(&format!("{collection}/y"), &json!({"metadata": {"labels": {"a": "1"}}})).await.ok();
    // The core group lets its old clients change what they want.
    let found = w.merge(&format!("{}/y", w.core("events").await), &json!({"message": "x"})).await.ok();
    assert_eq!(found["message"], "x");
}

async fn d26_only_some_kinds_count_generations(w: &World) {
    assert_eq!(make(w, "pods", &pod("x")).await["metadata"]["generation"], 1);
    for (plural, body) in [("persistentvolumeclaims", claim("x")), ("configmaps", config_map("x")), ("secrets", secret("x"))] {
        assert_eq!(make(w, plural, &body).await["metadata"].get("generation"), None, "{plural}");
    }
    let made = post_stored(w, "volumeattachments", &attachment(&w.name(""))).await.made();
    assert_eq!(made["metadata"].get("generation"), None);
    let path = format!("{STORAGE}/csidrivers/{}", w.name(""));
    post_stored(w, "csidrivers", &csi_driver(&w.name(""))).await.made();
    let changed = w.merge(&path, &json!({"spec": {"podInfoOnMount": true}})).await.ok();
    assert_eq!(changed["metadata"]["generation"], 1);
}
