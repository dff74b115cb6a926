//! Whole objects put back: what may change, and whose version counts.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    g1_a_stale_version_is_a_conflict,
    g1b_a_version_of_the_future_is_a_conflict,
    g1c_a_conflict_names_the_group,
    g2_some_kinds_change_without_a_version,
    g2b_zero_is_no_version,
    g2c_some_kinds_must_say_their_version,
    g3_a_version_is_a_number,
    g4_the_same_content_is_no_write,
    g4b_what_is_no_write_is_no_event,
    g5_the_name_is_the_one_in_the_path,
    g5b_the_name_is_required,
    g5c_the_namespace_is_the_one_in_the_path,
    g6_another_uid_is_another_object,
    g7_the_time_of_creation_and_the_uid_stay,
    g7b_the_prefix_of_a_name_may_change,
    g7c_a_put_does_not_delete,
    g9_a_dry_run_changes_nothing,
    g10_a_volumes_source_cannot_change,
    g10b_a_volumes_mode_cannot_change,
    g10c_a_volumes_nodes_are_said_once,
    g11_most_of_a_volume_can_change,
    g12_an_unbound_claim_cannot_change,
    g12b_a_claims_mode_cannot_change,
    g12c_a_claim_may_name_its_volume_once,
    g13_a_claim_grows_only_if_its_class_lets_it,
    g13b_a_bound_claim_grows_if_its_class_lets_it,
    g13c_an_unbound_claim_does_not_grow,
    g14_a_claim_does_not_shrink_below_what_it_has,
    g14b_a_claim_that_grew_may_be_taken_back,
    g14c_a_claim_is_not_taken_back_to_what_it_has,
    g15_a_bound_claim_may_change_its_attributes_class,
    g16_what_a_class_provisions_cannot_change,
    g16b_the_rest_of_a_class_can_change,
    g17_a_secret_keeps_its_type,
    g17b_immutable_data_cannot_change,
    g17c_what_is_immutable_stays_so,
    g17d_metadata_is_never_immutable,
    g18_how_a_driver_attaches_cannot_change,
    g18b_the_modes_of_a_driver_cannot_change,
    g18c_the_rest_of_a_driver_can_change_and_counts_as_a_generation,
    g19_a_driver_of_a_node_cannot_change,
    g19b_drivers_of_a_node_come_and_go,
    g20_an_attachment_cannot_change,
    g20b_an_attributes_class_cannot_change,
    g20c_a_capacity_keeps_its_place,
    g20d_a_capacity_changes_its_size,
    g21d_a_deadline_and_more_tolerations_can_be_given,
    g21e_a_toleration_cannot_be_taken_away,
    g21f_a_pod_gets_its_node_by_a_binding_alone,
    g23_status_is_not_put_with_the_rest,
    g23b_status_is_not_patched_with_the_rest,
    g23c_nothing_else_is_written_with_the_status,
    g24_labels_go_with_the_status_of_some_kinds,
    g24b_labels_do_not_go_with_the_status_of_an_attachment,
    g24c_labels_do_not_go_with_the_status_of_a_custom_kind,
    g26_a_volumes_phase_has_a_time,
    g26b_states_of_a_resize_are_known,
    g26c_only_storage_is_allocated,
    g26d_times_of_a_condition_may_be_null,
    g26e_a_pods_address_is_the_first_of_its_addresses,
}

/// The object with another value at a dotted path.
fn set(object: &Value, path: &str, value: Value) -> Value {
    let mut changed = object.clone();
    path.split('.').fold(&mut changed, |place, key| &mut place[key]).clone_from(&value);
    changed
}

/// The object without its resourceVersion.
fn whichever(object: &Value) -> Value {
    let mut object = object.clone();
    object["metadata"].as_object_mut().expect("metadata").remove("resourceVersion");
    object
}

/// Makes it in a collection, and says where it is.
async fn make(w: &World, collection: &str, body: &Value) -> (String, Value) {
    let made = w.post(collection, body).await.made();
    (format!("{collection}/{}", made["metadata"]["name"].as_str().expect("a name")), made)
}

/// As [`make`], in the behaviour's namespace.
async fn make_core(w: &World, plural: &str, body: &Value) -> (String, Value) {
    make(w, &w.core(plural).await, body).await
}

async fn make_volume(w: &World) -> (String, Value) {
    make(w, "/api/v1/persistentvolumes", &volume(&w.name(""))).await
}

async fn make_stored(w: &World, plural: &str, body: &Value) -> (String, Value) {
    make(w, &format!("{STORAGE}/{plural}"), body).await
}

/// Puts the object with another value at a path, whatever its version is now.
async fn put(w: &World, (path, made): &(String, Value), place: &str, value: Value) -> Reply {
    w.put(path, &whichever(&set(made, place, value))).await
}

async fn g1_a_stale_version_is_a_conflict(w: &World) {
    let (path, made) = w.config_map("x").await;
    w.put(&path, &set(&made, "data.a", json!("2"))).await.ok();
    w.put(&path, &set(&made, "data.a", json!("3"))).await.modified_meanwhile("configmaps", "x");
    w.put(&path, &made).await.modified_meanwhile("configmaps", "x");
}

async fn g1b_a_version_of_the_future_is_a_conflict(w: &World) {
    let (path, made) = w.config_map("x").await;
    let body = set(&made, "metadata.resourceVersion", json!("999999999999"));
    w.put(&path, &body).await.modified_meanwhile("configmaps", "x");
}

async fn g1c_a_conflict_names_the_group(w: &World) {
    let (path, made) = make(w, &w.group(LEASES, "leases").await, &lease("x")).await;
    let body = set(&made, "metadata.resourceVersion", json!("1"));
    w.put(&path, &body).await.modified_meanwhile("leases.coordination.k8s.io", "x");
}

async fn g2_some_kinds_change_without_a_version(w: &World) {
    let (name, namespace) = (w.name(""), w.namespace().await.to_owned());
    let made = [
        w.config_map("x").await,
        make_core(w, "secrets", &secret("x")).await,
        make_core(w, "serviceaccounts", &json!({"metadata": {"name": "x"}})).await,
        make_core(w, "persistentvolumeclaims", &claim("x")).await,
        make_core(w, "pods", &pod("x")).await,
        make_core(w, "events", &event("x", &namespace)).await,
        make_volume(w).await,
        make(w, "/api/v1/nodes", &node(&name)).await,
        make_stored(w, "storageclasses", &storage_class(&name)).await,
        make_stored(w, "volumeattributesclasses", &attributes_class(&name)).await,
    ];
    for object in &made {
        let found = put(w, object, "metadata.annotations", json!({"a": "1"})).await.ok();
        assert_eq!(found["metadata"]["annotations"]["a"], "1", "{}", object.0);
    }
}

async fn g2b_zero_is_no_version(w: &World) {
    let (path, made) = w.config_map("x").await;
    let body = set(&set(&made, "metadata.resourceVersion", json!("0")), "data.a", json!("2"));
    assert_eq!(w.put(&path, &body).await.ok()["data"]["a"], "2");
}

async fn g2c_some_kinds_must_say_their_version(w: &World) {
    let name = w.name("");
    let capacity = json!({"metadata": {"name": "x"}, "storageClassName": "conf-none"});
    let made = [
        ("leases.coordination.k8s.io", make(w, &w.group(LEASES, "leases").await, &lease("x")).await),
        ("csidrivers.storage.k8s.io", make_stored(w, "csidrivers", &csi_driver(&name)).await),
        ("csinodes.storage.k8s.io", make_stored(w, "csinodes", &csi_node(&name)).await),
        ("volumeattachments.storage.k8s.io", make_stored(w, "volumeattachments", &attachment(&name)).await),
        (
            "csistoragecapacities.storage.k8s.io",
            make(w, &w.group("storage.k8s.io/v1", "csistoragecapacities").await, &capacity).await,
        ),
    ];
    let error = ("metadata.resourceVersion", "Invalid", "Invalid value: 0: must be specified for an update");
    for (resource, (path, made)) in &made {
        let name = made["metadata"]["name"].as_str().expect("a name");
        w.put(path, &whichever(made)).await.invalid(resource, name, &[error]);
        w.put(path, &set(made, "metadata.resourceVersion", json!("0"))).await.invalid(resource, name, &[error]);
    }
}

async fn g3_a_version_is_a_number(w: &World) {
    let (path, made) = w.config_map("x").await;
    let reply = w.put(&path, &set(&made, "metadata.resourceVersion", json!("abc"))).await;
    reply.refused(500, "", "strconv.ParseUint: parsing \"abc\": invalid syntax");
}

async fn g4_the_same_content_is_no_write(w: &World) {
    let (path, made) = w.config_map("x").await;
    assert_eq!(w.put(&path, &made).await.ok(), made);
    assert_eq!(w.put(&path, &whichever(&made)).await.ok(), made);
    assert_eq!(w.put(&path, &config_map("x")).await.ok(), made);
    assert_eq!(w.merge(&path, &json!({"data": {"a": "1"}})).await.ok(), made);
}

async fn g4b_what_is_no_write_is_no_event(w: &World) {
    let (path, made) = w.config_map("x").await;
    let mut watch = w
        .watch(&format!(
            "{}?watch=1&fieldSelector=metadata.name%3Dx&resourceVersion={}",
            w.core("configmaps").await,
            version(&made)
        ))
        .await;
    w.put(&path, &made).await.ok();
    let changed = w.put(&path, &set(&made, "data.a", json!("2"))).await.ok();
    assert_eq!(watch.expect_of("MODIFIED", "x").await["metadata"], changed["metadata"]);
}

async fn g5_the_name_is_the_one_in_the_path(w: &World) {
    let (path, made) = w.config_map("u").await;
    let reply = w.put(&path, &set(&made, "metadata.name", json!("v"))).await;
    reply.bad_request("the name of the object (v) does not match the name on the URL (u)");
}

async fn g5b_the_name_is_required(w: &World) {
    let (path, made) = w.config_map("u").await;
    let reply = w.put(&path, &set(&made, "metadata.name", json!(""))).await;
    reply.bad_request("the name of the object (u based on URL) was undeterminable: name must be provided");
}

async fn g5c_the_namespace_is_the_one_in_the_path(w: &World) {
    let (path, made) = w.config_map("u").await;
    let reply = w.put(&path, &set(&made, "metadata.namespace", json!("other"))).await;
    reply.bad_request("the namespace of the provided object does not match the namespace sent on the request");
}

async fn g6_another_uid_is_another_object(w: &World) {
    let (path, made) = w.config_map("u").await;
    let reply = w.put(&path, &set(&made, "metadata.uid", json!("other"))).await;
    let message = format!(
        "Operation cannot be fulfilled on configmaps \"u\": StorageError: invalid object, Code: 4, Key: /registry/configmaps/{}/u, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: other, UID in object meta: {}",
        w.namespace().await,
        made["metadata"]["uid"].as_str().expect("a uid"),
    );
    let details = reply.refused(409, "Conflict", &message);
    assert_eq!(details, json!({"name": "u", "kind": "configmaps"}));
}

async fn g7_the_time_of_creation_and_the_uid_stay(w: &World) {
    let (path, made) = w.config_map("x").await;
    let mut body = set(&made, "metadata.creationTimestamp", json!("2001-01-01T00:00:00Z"));
    body["metadata"].as_object_mut().expect("metadata").remove("uid");
    assert_eq!(w.put(&path, &body).await.ok(), made);
}

async fn g7b_the_prefix_of_a_name_may_change(w: &World) {
    let (path, made) = w.config_map("x").await;
    let found = w.put(&path, &set(&made, "metadata.generateName", json!("y-"))).await.ok();
    assert_eq!(found["metadata"]["generateName"], "y-");
}

async fn g7c_a_put_does_not_delete(w: &World) {
    let (path, made) = w.config_map("x").await;
    let reply = w.put(&path, &set(&made, "metadata.deletionTimestamp", json!("2030-01-01T00:00:00Z"))).await;
    reply.invalid_with("metadata.deletionTimestamp", "Invalid", "Invalid value: \"2030-01-01T00:00:00Z\": field is immutable");
}

async fn g9_a_dry_run_changes_nothing(w: &World) {
    let (path, made) = w.config_map("x").await;
    let would_be = w.put(&format!("{path}?dryRun=All"), &set(&made, "data.a", json!("2"))).await.ok();
    assert_eq!((&would_be["data"]["a"], version(&would_be)), (&json!("2"), version(&made)));
    assert_eq!(w.get(&path).await.ok(), made);
}

async fn g10_a_volumes_source_cannot_change(w: &World) {
    let reply = put(w, &make_volume(w).await, "spec.csi.volumeHandle", json!("other")).await;
    let message = "Forbidden: spec.persistentvolumesource is immutable after creation";
    if w.is_exception() {
        let error = ("spec.persistentvolumesource", "Forbidden", message);
        return reply.invalid("PersistentVolume", &w.name(""), &[error]);
    }
    reply.invalid_with("spec.persistentvolumesource", "Forbidden", &format!("{message}\n@@ "));
}

async fn g10b_a_volumes_mode_cannot_change(w: &World) {
    let reply = put(w, &make_volume(w).await, "spec.volumeMode", json!("Block")).await;
    let error = ("volumeMode", "Invalid", "Invalid value: \"Block\": field is immutable");
    reply.invalid("PersistentVolume", &w.name(""), &[error]);
}

async fn g10c_a_volumes_nodes_are_said_once(w: &World) {
    let (path, made) = make_volume(w).await;
    let on = |node: &str| {
        let wanted = json!({"key": "conf.example/zone", "operator": "In", "values": [node]});
        json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}})
    };
    put(w, &(path.clone(), made.clone()), "spec.nodeAffinity", on("a")).await.ok();
    let reply = put(w, &(path, made), "spec.nodeAffinity", on("b")).await;
    reply.refused_with(
        422,
        "Invalid",
        &["nodeAffinity: Invalid value: ", "field is immutable, except for updating from beta label to GA"],
    );
}

async fn g11_most_of_a_volume_can_change(w: &World) {
    let made = make_volume(w).await;
    let mut body = whichever(&made.1);
    let changed = json!({
        "capacity": {"storage": "2Gi"}, "accessModes": ["ReadOnlyMany"], "storageClassName": w.name("other"),
        "persistentVolumeReclaimPolicy": "Delete", "mountOptions": ["ro"],
        "claimRef": {"kind": "PersistentVolumeClaim", "namespace": "conf-missing", "name": "x"},
    });
    for (field, value) in changed.as_object().expect("fields") {
        body["spec"][field] = value.clone();
    }
    includes(&w.put(&made.0, &body).await.ok()["spec"], &changed);
}

const CLAIM_IS_IMMUTABLE: &str =
    "Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

async fn g12_an_unbound_claim_cannot_change(w: &World) {
    let made = make_core(w, "persistentvolumeclaims", &claim("x")).await;
    let changes = [
        ("spec.resources.requests.storage", json!("2Gi")),
        ("spec.accessModes", json!(["ReadOnlyMany"])),
        ("spec.storageClassName", json!("other")),
        ("spec.volumeAttributesClassName", json!("other")),
    ];
    let exception = w.is_exception();
    for (place, value) in changes {
        let reply = put(w, &made, place, value).await;
        if exception {
            reply.invalid("PersistentVolumeClaim", "x", &[("spec", "Forbidden", CLAIM_IS_IMMUTABLE)]);
        } else {
            reply.invalid_with("spec", "Forbidden", &format!("{CLAIM_IS_IMMUTABLE}\n@@ "));
        }
    }
}

async fn g12b_a_claims_mode_cannot_change(w: &World) {
    let made = make_core(w, "persistentvolumeclaims", &claim("x")).await;
    let reply = put(w, &made, "spec.volumeMode", json!("Block")).await;
    reply.invalid_with("spec", "Forbidden", CLAIM_IS_IMMUTABLE);
    reply.invalid_with("volumeMode", "Invalid", "Invalid value: \"Block\": field is immutable");
}

async fn g12c_a_claim_may_name_its_volume_once(w: &World) {
    let made = make_core(w, "persistentvolumeclaims", &claim("x")).await;
    let found = put(w, &made, "spec.volumeName", json!("conf-none")).await.ok();
    assert_eq!(found["spec"]["volumeName"], "conf-none");
    let reply = put(w, &made, "spec.volumeName", json!("conf-other")).await;
    reply.invalid_with("spec", "Forbidden", CLAIM_IS_IMMUTABLE);
}

/// A claim that is bound to a volume of 2Gi, of a class that is there and lets it grow or not.
async fn bound(w: &World, grows: bool) -> String {
    let name = w.name("");
    let mut class = storage_class(&name);
    class["allowVolumeExpansion"] = grows.into();
    make_stored(w, "storageclasses", &class).await;
    let mut volume = volume(&name);
    volume["spec"]["capacity"]["storage"] = "2Gi".into();
    volume["spec"]["claimRef"] = json!({"kind": "PersistentVolumeClaim", "namespace": w.namespace().await, "name": "x"});
    make(w, "/api/v1/persistentvolumes", &volume).await;
    let mut claim = claim("x");
    claim["spec"]["storageClassName"] = name.clone().into();
    claim["spec"]["volumeName"] = name.into();
    claim["spec"]["resources"]["requests"]["storage"] = "2Gi".into();
    let (path, _) = make_core(w, "persistentvolumeclaims", &claim).await;
    let phase = async || (w.get(&path).await.ok()["status"]["phase"] == "Bound").then_some(());
    eventually("a bound claim", phase).await;
    path
}

/// Asks for another size.
async fn resize(w: &World, path: &str, size: &str) -> Reply {
    w.merge(path, &json!({"spec": {"resources": {"requests": {"storage": size}}}})).await
}

async fn g13_a_claim_grows_only_if_its_class_lets_it(w: &World) {
    let path = bound(w, false).await;
    let message = "persistentvolumeclaims \"x\" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
    let details = resize(w, &path, "3Gi").await.refused(403, "Forbidden", message);
    assert_eq!(details, json!({"name": "x", "kind": "persistentvolumeclaims"}));
}

async fn g13b_a_bound_claim_grows_if_its_class_lets_it(w: &World) {
    let path = bound(w, true).await;
    assert_eq!(resize(w, &path, "3Gi").await.ok()["spec"]["resources"]["requests"]["storage"], "3Gi");
}

async fn g13c_an_unbound_claim_does_not_grow(w: &World) {
    let (path, _) = make_core(w, "persistentvolumeclaims", &claim("x")).await;
    resize(w, &path, "3Gi").await.invalid_with("spec", "Forbidden", CLAIM_IS_IMMUTABLE);
}

const BELOW_CAPACITY: (&str, &str, &str) =
    ("spec.resources.requests.storage", "Forbidden", "Forbidden: field can not be less than status.capacity");

async fn g14_a_claim_does_not_shrink_below_what_it_has(w: &World) {
    let path = bound(w, true).await;
    let (field, reason, message) = BELOW_CAPACITY;
    resize(w, &path, "1Gi").await.invalid_with(field, reason, message);
}

async fn g14b_a_claim_that_grew_may_be_taken_back(w: &World) {
    let path = bound(w, true).await;
    resize(w, &path, "4Gi").await.ok();
    assert_eq!(resize(w, &path, "3Gi").await.ok()["spec"]["resources"]["requests"]["storage"], "3Gi");
}

async fn g14c_a_claim_is_not_taken_back_to_what_it_has(w: &World) {
    let path = bound(w, true).await;
    resize(w, &path, "4Gi").await.ok();
    let (field, reason, message) = BELOW_CAPACITY;
    resize(w, &path, "2Gi").await.invalid_with(field, reason, message);
}

async fn g15_a_bound_claim_may_change_its_attributes_class(w: &World) {
    let path = bound(w, true).await;
    let found = w.merge(&path, &json!({"spec": {"volumeAttributesClassName": "conf-none"}})).await.ok();
    assert_eq!(found["spec"]["volumeAttributesClassName"], "conf-none");
    let found = w.merge(&path, &json!({"spec": {"volumeAttributesClassName": null}})).await.ok();
    assert_eq!(found["spec"].get("volumeAttributesClassName"), None);
}

async fn g16_what_a_class_provisions_cannot_change(w: &World) {
    let made = make_stored(w, "storageclasses", &storage_class(&w.name(""))).await;
    let changes = [
        ("parameters", json!({"a": "1"})),
        ("provisioner", json!("other")),
        ("reclaimPolicy", json!("Retain")),
        ("volumeBindingMode", json!("WaitForFirstConsumer")),
    ];
    for (field, value) in changes {
        let message = format!("Invalid value: {value}: field is immutable");
        put(w, &made, field, value).await.invalid_with(field, "Invalid", &message);
    }
}

async fn g16b_the_rest_of_a_class_can_change(w: &World) {
    let made = make_stored(w, "storageclasses", &storage_class(&w.name(""))).await;
    let topologies = json!([{"matchLabelExpressions": [{"key": "conf.example/zone", "values": ["a"]}]}]);
    let changes = [("allowVolumeExpansion", json!(true)), ("mountOptions", json!(["ro"])), ("allowedTopologies", topologies)];
    for (field, value) in changes {
        assert_eq!(put(w, &made, field, value.clone()).await.ok()[field], value);
    }
}

async fn g17_a_secret_keeps_its_type(w: &World) {
    let made = make_core(w, "secrets", &secret("x")).await;
    let error = ("type", "Invalid", "Invalid value: \"foo\": field is immutable");
    put(w, &made, "type", json!("foo")).await.invalid("Secret", "x", &[error]);
}

/// A Secret and a ConfigMap that are immutable.
async fn immutable(w: &World) -> [(String, Value); 2] {
    let (mut secret, mut config_map) = (secret("x"), config_map("x"));
    secret["immutable"] = true.into();
    config_map["immutable"] = true.into();
    [make_core(w, "secrets", &secret).await, make_core(w, "configmaps", &config_map).await]
}

const IMMUTABLE: &str = "Forbidden: field is immutable when `immutable` is set";

async fn g17b_immutable_data_cannot_change(w: &World) {
    for made in immutable(w).await {
        let kind = made.1["kind"].as_str().expect("a kind");
        put(w, &made, "data.a", json!("Mg==")).await.invalid(kind, "x", &[("data", "Forbidden", IMMUTABLE)]);
    }
}

async fn g17c_what_is_immutable_stays_so(w: &World) {
    for made in immutable(w).await {
        let kind = made.1["kind"].as_str().expect("a kind");
        put(w, &made, "immutable", json!(false)).await.invalid(kind, "x", &[("immutable", "Forbidden", IMMUTABLE)]);
        put(w, &made, "immutable", Value::Null).await.invalid(kind, "x", &[("immutable", "Forbidden", IMMUTABLE)]);
    }
}

async fn g17d_metadata_is_never_immutable(w: &World) {
    for made in immutable(w).await {
        let found = put(w, &made, "metadata.labels", json!({"a": "1"})).await.ok();
        assert_eq!(found["metadata"]["labels"], json!({"a": "1"}));
    }
}

async fn g18_how_a_driver_attaches_cannot_change(w: &World) {
    let (path, made) = make_stored(w, "csidrivers", &csi_driver(&w.name(""))).await;
    let error = ("spec.attachedRequired", "Invalid", "Invalid value: false: field is immutable");
    let reply = w.put(&path, &set(&made, "spec.attachRequired", json!(false))).await;
    reply.invalid("CSIDriver.storage.k8s.io", &w.name(""), &[error]);
}

async fn g18b_the_modes_of_a_driver_cannot_change(w: &World) {
    let (path, made) = make_stored(w, "csidrivers", &csi_driver(&w.name(""))).await;
    let error = ("spec.volumeLifecycleModes", "Invalid", "Invalid value: [\"Ephemeral\"]: field is immutable");
    let reply = w.put(&path, &set(&made, "spec.volumeLifecycleModes", json!(["Ephemeral"]))).await;
    reply.invalid("CSIDriver.storage.k8s.io", &w.name(""), &[error]);
}

async fn g18c_the_rest_of_a_driver_can_change_and_counts_as_a_generation(w: &World) {
    let (path, mut made) = make_stored(w, "csidrivers", &csi_driver(&w.name(""))).await;
    let changes = [
        ("podInfoOnMount", json!(true)),
        ("storageCapacity", json!(true)),
        ("fsGroupPolicy", json!("File")),
        ("requiresRepublish", json!(true)),
        ("seLinuxMount", json!(true)),
        ("tokenRequests", json!([{"audience": "a"}])),
    ];
    assert_eq!(made["metadata"].get("generation"), None);
    for (generation, (field, value)) in (1..).zip(changes) {
        made = w.put(&path, &set(&made, &format!("spec.{field}"), value.clone())).await.ok();
        assert_eq!((&made["spec"][field], &made["metadata"]["generation"]), (&value, &json!(generation)), "{field}");
    }
    let labelled = w.put(&path, &set(&made, "metadata.labels", json!({"a": "1"}))).await.ok();
    assert_eq!(labelled["metadata"]["generation"], made["metadata"]["generation"]);
}

async fn g19_a_driver_of_a_node_cannot_change(w: &World) {
    let (path, mut made) = make_stored(w, "csinodes", &csi_node(&w.name(""))).await;
    made["spec"]["drivers"][0]["nodeID"] = "other".into();
    let reply = w.put(&path, &made).await;
    reply.refused_with(422, "Invalid", &["spec.drivers: Invalid value: {\"Name\":\"d.example\",", "field is immutable"]);
}

async fn g19b_drivers_of_a_node_come_and_go(w: &World) {
    let (path, made) = make_stored(w, "csinodes", &csi_node(&w.name(""))).await;
    let first = made["spec"]["drivers"][0].clone();
    let second = json!({"name": "e.example", "nodeID": "n", "topologyKeys": ["zone"]});
    let both = w.put(&path, &set(&made, "spec.drivers", json!([first, second]))).await.ok();
    assert_eq!(both["spec"]["drivers"], json!([first, second]));
    let one = w.put(&path, &set(&both, "spec.drivers", json!([second]))).await.ok();
    assert_eq!(one["spec"]["drivers"], json!([second]));
}

async fn g20_an_attachment_cannot_change(w: &World) {
    let (path, made) = make_stored(w, "volumeattachments", &attachment(&w.name(""))).await;
    let reply = w.put(&path, &set(&made, "spec.nodeName", json!("other"))).await;
    let parts = ["spec: Invalid value: {\"Attacher\":\"conf.example\",", "field is immutable"];
    reply.refused_with(422, "Invalid", &parts);
}

async fn g20b_an_attributes_class_cannot_change(w: &World) {
    let (path, made) = make_stored(w, "volumeattributesclasses", &attributes_class(&w.name(""))).await;
    let body = set(&set(&made, "driverName", json!("other")), "parameters.a", json!("2"));
    let errors = [
        ("driverName", "Forbidden", "Forbidden: updates to driverName are forbidden."),
        ("parameters", "Forbidden", "Forbidden: updates to parameters are forbidden."),
    ];
    w.put(&path, &body).await.invalid("VolumeAttributesClass.storage.k8s.io", &w.name(""), &errors);
}

async fn make_capacity(w: &World) -> (String, Value) {
    let body = json!({
        "metadata": {"name": "x"}, "storageClassName": "conf-none", "capacity": "1Gi",
        "nodeTopology": {"matchLabels": {"zone": "a"}},
    });
    make(w, &w.group("storage.k8s.io/v1", "csistoragecapacities").await, &body).await
}

async fn g20c_a_capacity_keeps_its_place(w: &World) {
    let (path, made) = make_capacity(w).await;
    let reply = w.put(&path, &set(&made, "storageClassName", json!("other"))).await;
    let error = ("storageClassName", "Invalid", "Invalid value: \"other\": field is immutable");
    reply.invalid("CSIStorageCapacity.storage.k8s.io", "x", &[error]);
    let reply = w.put(&path, &set(&made, "nodeTopology.matchLabels.zone", json!("b"))).await;
    let message = "Invalid value: {\"matchLabels\":{\"zone\":\"b\"}}: field is immutable";
    reply.invalid("CSIStorageCapacity.storage.k8s.io", "x", &[("nodeTopology", "Invalid", message)]);
}

async fn g20d_a_capacity_changes_its_size(w: &World) {
    let (path, made) = make_capacity(w).await;
    let found = w.put(&path, &set(&made, "capacity", json!("2Gi"))).await.ok();
    assert_eq!(found["capacity"], "2Gi");
}

async fn g21d_a_deadline_and_more_tolerations_can_be_given(w: &World) {
    let made = make_core(w, "pods", &pod("x")).await;
    let found = put(w, &made, "spec.activeDeadlineSeconds", json!(60)).await.ok();
    assert_eq!(found["spec"]["activeDeadlineSeconds"], 60);
    let mut tolerations = found["spec"]["tolerations"].as_array().expect("tolerations").clone();
    tolerations.push(json!({"key": "conf.example/t", "operator": "Exists"}));
    let found = put(w, &(made.0, found), "spec.tolerations", json!(tolerations)).await.ok();
    assert_eq!(found["spec"]["tolerations"], json!(tolerations));
}

async fn g21e_a_toleration_cannot_be_taken_away(w: &World) {
    let mut body = pod("x");
    body["spec"]["tolerations"] = json!([{"key": "conf.example/t", "operator": "Exists"}]);
    let made = make_core(w, "pods", &body).await;
    let reply = put(w, &made, "spec.tolerations", json!([])).await;
    reply.refused_with(422, "Invalid", &["Pod \"x\" is invalid: spec", "Forbidden: "]);
}

async fn g21f_a_pod_gets_its_node_by_a_binding_alone(w: &World) {
    let made = make_core(w, "pods", &pod("x")).await;
    let reply = put(w, &made, "spec.nodeName", json!("conf-nowhere")).await;
    reply.refused_with(422, "Invalid", &["Pod \"x\" is invalid: spec: Forbidden: pod updates may not change fields other than "]);
}

/// One object of each kind with a status of its own, and a change of its status that nobody else makes.
async fn with_status(w: &World) -> Vec<(String, Value)> {
    let name = w.name("");
    vec![
        (make_volume(w).await.0, json!({"message": "m"})),
        (make_core(w, "persistentvolumeclaims", &claim("x")).await.0, json!({"capacity": {"storage": "1Gi"}})),
        (make_core(w, "pods", &pod("x")).await.0, json!({"message": "m"})),
        (make_stored(w, "volumeattachments", &attachment(&name)).await.0, json!({"attachmentMetadata": {"a": "1"}})),
        (make(w, "/api/v1/nodes", &node(&name)).await.0, json!({"volumesInUse": ["v"]})),
    ]
}

async fn g23_status_is_not_put_with_the_rest(w: &World) {
    for (path, status) in with_status(w).await {
        // A controller may write in between.
        let found = eventually("a put without a conflict", async || {
            let mut body = w.get(&path).await.ok();
            for (field, value) in status.as_object().expect("fields") {
                body["status"][field] = value.clone();
            }
            body["metadata"]["labels"] = json!({"conf": "1"});
            let reply = w.put(&path, &body).await;
            (reply.code != 409).then(|| reply.ok())
        });
        let found = found.await;
        assert_eq!(found["metadata"]["labels"]["conf"], "1", "{path}");
        for field in status.as_object().expect("fields").keys() {
            assert_eq!(found["status"].get(field), None, "{path}");
        }
    }
}

async fn g23b_status_is_not_patched_with_the_rest(w: &World) {
    for (path, status) in with_status(w).await {
        let found = w.merge(&path, &json!({"status": status})).await.ok();
        for field in status.as_object().expect("fields").keys() {
            assert_eq!(found["status"].get(field), None, "{path}");
        }
    }
}

async fn g23c_nothing_else_is_written_with_the_status(w: &World) {
    let made = make_volume(w).await;
    let patch = json!({"spec": {"storageClassName": "other"}, "status": {"message": "m"}});
    let found = w.merge(&format!("{}/status", made.0), &patch).await.ok();
    assert_eq!((&found["spec"]["storageClassName"], &found["status"]["message"]), (&json!(w.name("")), &json!("m")));
    let (path, made) = make_core(w, "persistentvolumeclaims", &claim("x")).await;
    let mut body = set(&whichever(&made), "spec.resources.requests.storage", json!("5Gi"));
    body["status"]["capacity"] = json!({"storage": "1Gi"});
    let found = w.put(&format!("{path}/status"), &body).await.ok();
    assert_eq!(found["spec"], made["spec"]);
    assert_eq!(found["status"]["capacity"], json!({"storage": "1Gi"}));
}

/// Metadata that goes through `/status` or not.
fn noted() -> Value {
    json!({"metadata": {"labels": {"conf": "1"}, "annotations": {"conf": "1"}, "finalizers": ["conf.example/f"]}})
}

async fn g24_labels_go_with_the_status_of_some_kinds(w: &World) {
    let name = w.name("");
    let paths = [
        make_volume(w).await.0,
        make_core(w, "persistentvolumeclaims", &claim("x")).await.0,
        make_core(w, "pods", &pod("x")).await.0,
        make(w, "/api/v1/nodes", &node(&name)).await.0,
        format!("/api/v1/namespaces/{}", w.namespace().await),
    ];
    for path in paths {
        let found = w.merge(&format!("{path}/status"), &noted()).await.ok();
        includes(&found, &noted());
        w.merge(&path, &json!({"metadata": {"finalizers": null}})).await.ok();
    }
}

async fn g24b_labels_do_not_go_with_the_status_of_an_attachment(w: &World) {
    let (path, made) = make_stored(w, "volumeattachments", &attachment(&w.name(""))).await;
    let found = w.merge(&format!("{path}/status"), &noted()).await.ok();
    assert_eq!(found["metadata"], made["metadata"]);
}

async fn g24c_labels_do_not_go_with_the_status_of_a_custom_kind(w: &World) {
    let kind = CustomKind::new(w, "Thing").with_status().make(w).await;
    let (path, made) = make(w, &kind.collection(w).await, &kind.object("x", json!({"size": 1}))).await;
    let found = w.merge(&format!("{path}/status"), &noted()).await.ok();
    assert_eq!(found["metadata"], made["metadata"]);
}

async fn g26_a_volumes_phase_has_a_time(w: &World) {
    let (path, made) = make_volume(w).await;
    assert!(made["status"]["lastPhaseTransitionTime"].is_string(), "{made}");
    let old = json!({"status": {"phase": "Failed", "lastPhaseTransitionTime": "2001-01-01T00:00:00Z"}});
    let found = w.merge(&format!("{path}/status"), &old).await.ok();
    assert_eq!(found["status"]["lastPhaseTransitionTime"], "2001-01-01T00:00:00Z");
    let found = w.merge(&format!("{path}/status"), &json!({"status": {"phase": "Released"}})).await.ok();
    let time = found["status"]["lastPhaseTransitionTime"].as_str().expect("a time");
    assert!(time > "2020", "{time}");
}

async fn g26b_states_of_a_resize_are_known(w: &World) {
    let (path, _) = make_core(w, "persistentvolumeclaims", &claim("x")).await;
    let patch = json!({"status": {"allocatedResourceStatuses": {"storage": "Foo"}}});
    let reply = w.merge(&format!("{path}/status"), &patch).await;
    let message = "Unsupported value: \"storage\": supported values: \"ControllerResizeInProgress\", \"ControllerResizeInfeasible\", \"NodeResizeInProgress\", \"NodeResizeInfeasible\", \"NodeResizePending\"";
    reply.invalid_with("status.allocatedResourceStatuses", "NotSupported", message);
}

async fn g26c_only_storage_is_allocated(w: &World) {
    let (path, _) = make_core(w, "persistentvolumeclaims", &claim("x")).await;
    let reply = w.merge(&format!("{path}/status"), &json!({"status": {"allocatedResources": {"cpu": "1"}}})).await;
    let message = "Unsupported value: \"cpu\": supported values: \"storage\"";
    reply.invalid_with("status.allocatedResources", "NotSupported", message);
}

async fn g26d_times_of_a_condition_may_be_null(w: &World) {
    let (path, _) = make_core(w, "persistentvolumeclaims", &claim("x")).await;
    let condition = json!({"type": "Resizing", "status": "True"});
    let found = w.merge(&format!("{path}/status"), &json!({"status": {"conditions": [condition]}})).await.ok();
    let expected = json!([{"type": "Resizing", "status": "True", "lastProbeTime": null, "lastTransitionTime": null}]);
    assert_eq!(found["status"]["conditions"], expected);
}

async fn g26e_a_pods_address_is_the_first_of_its_addresses(w: &World) {
    let (path, _) = make_core(w, "pods", &pod("x")).await;
    let found = w.merge(&format!("{path}/status"), &json!({"status": {"podIP": "10.0.0.9"}})).await.ok();
    assert_eq!(found["status"]["podIPs"], json!([{"ip": "10.0.0.9"}]));
}
