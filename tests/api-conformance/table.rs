//! What kubectl prints: tables, column by column, and objects reduced to their metadata.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    f1_an_object_is_a_table_of_one_row_when_asked_for,
    f1b_the_old_version_of_tables_is_known,
    f1c_an_unknown_version_of_tables_is_not_acceptable,
    f1d_a_page_of_rows_says_how_to_go_on,
    f2_a_row_has_its_objects_metadata,
    f2b_a_row_has_the_whole_object_if_asked,
    f2c_a_row_has_no_object_if_asked,
    f2d_another_choice_of_object_is_refused,
    f3_an_empty_table_has_no_rows,
    f3b_an_empty_table_of_two_kinds_says_null,
    f4_writes_are_answered_with_tables_too,
    f4b_errors_and_deletions_are_no_tables,
    f6_counts_and_switches_are_not_texts,
    f7_pods_have_these_columns,
    f7b_a_pod_shows_its_restarts_and_its_end,
    f8_claims_have_these_columns,
    f8b_a_bound_claim_shows_its_volume,
    f9_volumes_have_these_columns,
    f10_storage_classes_have_these_columns,
    f10b_the_default_class_is_marked,
    f11_attachments_and_attributes_classes_have_these_columns,
    f12_csi_drivers_and_nodes_have_these_columns,
    f13_capacities_and_definitions_show_when_they_were_made,
    f14_leases_secrets_config_maps_accounts_and_namespaces_have_these_columns,
    f15_events_have_these_columns_in_both_groups,
    f16_nodes_have_these_columns,
    f16b_a_node_shows_its_state_and_roles,
    f18_a_watched_table_says_its_columns_once,
    f18b_a_bookmark_is_a_row_without_a_name,
    f19_an_object_can_be_reduced_to_its_metadata,
    f19b_a_list_can_be_reduced_to_metadata,
    f19c_one_and_many_are_not_confused,
    f19d_writes_are_answered_with_metadata_too,
    f19e_a_watch_can_be_reduced_to_metadata,
    f19f_another_reduction_is_not_acceptable,
}

const TABLE_V1: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";
/// What kubectl sends.
const KUBECTL: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
const ONE: &str = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
const MANY: &str = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
const NOT_ACCEPTABLE: &str =
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

async fn table(w: &World, path: &str) -> Value {
    w.get(path).accept(KUBECTL).await.ok()
}

/// `Name:string:name`; a column that only `-o wide` shows has a `+` in front.
fn columns(table: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let columns = table["columnDefinitions"].as_array().unwrap_or_else(|| panic!("no columns in {table}")).iter();
    columns
        .map(|column| {
            assert!(column["description"].as_str().is_some_and(|text| !text.is_empty()), "{column} is not described");
            let wide = if column["priority"] == 0 { "" } else { "+" };
            let format = text(&column["format"]);
            let format = if format.is_empty() { format } else { format!(":{format}") };
            format!("{wide}{}:{}{format}", text(&column["name"]), text(&column["type"]))
        })
        .collect()
}

/// The cells of a row, with `AGE` for an age of less than two minutes.
#[track_caller]
fn cells(table: &Value, row: usize) -> Value {
    let is_age = |text: &str| text.strip_suffix('s').is_some_and(|number| number.parse::<u8>().is_ok_and(|secs| secs < 120));
    let mut cells = table["rows"][row]["cells"].clone();
    for cell in cells.as_array_mut().unwrap_or_else(|| panic!("no row {row} in {table}")) {
        if cell.as_str().is_some_and(is_age) {
            *cell = "AGE".into();
        }
    }
    cells
}

async fn f1_an_object_is_a_table_of_one_row_when_asked_for(w: &World) {
    let (path, made) = w.config_map("x").await;
    let reply = w.get(&path).accept(KUBECTL).await;
    assert_eq!(reply.header("content-type"), "application/json");
    let found = reply.ok();
    let expected = json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version(&made)}});
    includes(&found, &expected);
    assert_eq!(
        (found["metadata"].as_object().map(serde_json::Map::len), found["rows"].as_array().map(Vec::len)),
        (Some(1), Some(1))
    );
    assert_eq!(cells(&found, 0), json!(["x", 1, "AGE"]));
}

async fn f1b_the_old_version_of_tables_is_known(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = w.get(&path).accept("application/json;as=Table;v=v1beta1;g=meta.k8s.io").await.ok();
    includes(&found, &json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1beta1"}));
}

async fn f1c_an_unknown_version_of_tables_is_not_acceptable(w: &World) {
    let (path, _) = w.config_map("x").await;
    let details =
        w.get(&path).accept("application/json;as=Table;v=v2;g=meta.k8s.io").await.refused(406, "NotAcceptable", NOT_ACCEPTABLE);
    assert_eq!(details, Value::Null);
    // Something else that is acceptable is sent instead.
    let found = w.get(&path).accept("application/json;as=Table;v=v2;g=meta.k8s.io,application/json").await.ok();
    assert_eq!(found["kind"], "ConfigMap");
}

async fn f1d_a_page_of_rows_says_how_to_go_on(w: &World) {
    let collection = w.core("secrets").await;
    for name in ["a", "b", "c"] {
        w.post(&collection, &secret(name)).await.made();
    }
    let found = table(w, &format!("{collection}?limit=2")).await;
    assert_eq!((found["rows"].as_array().map(Vec::len), &found["metadata"]["remainingItemCount"]), (Some(2), &json!(1)));
    assert!(
        found["metadata"]["continue"].is_string() && found["metadata"]["resourceVersion"].is_string(),
        "{}",
        found["metadata"]
    );
    let rows = found["rows"].as_array().expect("rows").iter();
    assert_eq!(rows.map(|row| row["cells"][0].as_str().expect("a name")).collect::<Vec<_>>(), ["a", "b"]);
}

async fn f2_a_row_has_its_objects_metadata(w: &World) {
    let (path, made) = w.config_map("x").await;
    for path in [path.clone(), format!("{path}?includeObject=Metadata")] {
        let found = table(w, &path).await;
        let expected = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": made["metadata"]});
        assert_eq!(found["rows"][0]["object"], expected);
    }
}

async fn f2b_a_row_has_the_whole_object_if_asked(w: &World) {
    let (path, made) = w.config_map("x").await;
    assert_eq!(table(w, &format!("{path}?includeObject=Object")).await["rows"][0]["object"], made);
}

async fn f2c_a_row_has_no_object_if_asked(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = table(w, &format!("{path}?includeObject=None")).await;
    assert_eq!(found["rows"][0].get("object"), Some(&Value::Null));
}

async fn f2d_another_choice_of_object_is_refused(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "Unable to convert to Table as requested: includeObject: Invalid value: \"Foo\": must be 'Metadata', 'Object', 'None', or empty";
    w.get(&format!("{path}?includeObject=Foo")).accept(TABLE_V1).await.bad_request(message);
    assert_eq!(w.get(&format!("{path}?includeObject=Foo")).await.code, 200, "whoever wants no table");
}

async fn f3_an_empty_table_has_no_rows(w: &World) {
    for plural in ["secrets", "pods", "persistentvolumeclaims"] {
        let found = table(w, &w.core(plural).await).await;
        assert_eq!(found["rows"], json!([]), "{plural}");
        assert!(columns(&found).len() > 2, "{plural}");
    }
}

async fn f3b_an_empty_table_of_two_kinds_says_null(w: &World) {
    let capacities = w.group("storage.k8s.io/v1", "csistoragecapacities").await;
    let definitions =
        with("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &[("fieldSelector", "metadata.name=conf-none")]);
    for path in [capacities, definitions] {
        assert_eq!(table(w, &path).await.get("rows"), Some(&Value::Null), "{path}");
    }
}

async fn f4_writes_are_answered_with_tables_too(w: &World) {
    let collection = w.core("persistentvolumeclaims").await;
    let made = w.post(&collection, &claim("x")).accept(KUBECTL).await.made();
    let row = json!(["x", "Pending", "", "", "", "conf-none", "<unset>", "AGE", "Filesystem"]);
    assert_eq!((&made["kind"], cells(&made, 0)), (&json!("Table"), row.clone()));
    let path = format!("{collection}/x");
    let found = w.merge(&path, &json!({"metadata": {"labels": {"a": "1"}}})).accept(KUBECTL).await.ok();
    assert_eq!((&found["kind"], cells(&found, 0)), (&json!("Table"), row.clone()));
    let found = w.get(&format!("{path}/status")).accept(KUBECTL).await.ok();
    assert_eq!((&found["kind"], cells(&found, 0)), (&json!("Table"), row.clone()));
    let found = w.put(&path, &w.get(&path).await.ok()).accept(KUBECTL).await.ok();
    assert_eq!((&found["kind"], cells(&found, 0)), (&json!("Table"), row));
}

async fn f4b_errors_and_deletions_are_no_tables(w: &World) {
    let (path, _) = w.config_map("x").await;
    w.get(&format!("{path}y")).accept(TABLE_V1).await.missing("configmaps", "xy");
    let found = w.delete(&path).accept(TABLE_V1).await.ok();
    includes(&found, &json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}));
}

async fn f6_counts_and_switches_are_not_texts(w: &World) {
    let (path, _) = w.config_map("x").await;
    let found = table(w, &path).await;
    assert_eq!((columns(&found)[1].as_str(), &found["rows"][0]["cells"][1]), ("Data:string", &json!(1)));
    let mut body = storage_class(&w.name(""));
    body["allowVolumeExpansion"] = true.into();
    let found = w.post(&format!("{STORAGE}/storageclasses"), &body).accept(KUBECTL).await.made();
    assert_eq!((columns(&found)[4].as_str(), &found["rows"][0]["cells"][4]), ("AllowVolumeExpansion:string", &json!(true)));
}

async fn f7_pods_have_these_columns(w: &World) {
    let found = w.post(&w.core("pods").await, &pod_on_node("x")).accept(KUBECTL).await.made();
    let expected = [
        "Name:string:name",
        "Ready:string",
        "Status:string",
        "Restarts:string",
        "Age:string",
        "+IP:string",
        "+Node:string",
        "+Nominated Node:string",
        "+Readiness Gates:string",
    ];
    assert_eq!(columns(&found), expected);
    assert_eq!(cells(&found, 0), json!(["x", "0/1", "Pending", "0", "AGE", "<none>", "conf-nowhere", "<none>", "<none>"]));
}

async fn f7b_a_pod_shows_its_restarts_and_its_end(w: &World) {
    let path = format!("{}/x", w.core("pods").await);
    w.post(&w.core("pods").await, &pod_on_node("x")).await.made();
    let status = |waiting: Value, ready: bool| {
        json!({"status": {
            "phase": "Running", "podIP": "10.9.8.7",
            "containerStatuses": [{
                "name": "c", "image": "i", "imageID": "", "ready": ready, "restartCount": 3, "state": waiting, "lastState": {},
            }],
        }})
    };
    let running = status(json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}}), true);
    w.merge(&format!("{path}/status"), &running).await.ok();
    assert_eq!(
        cells(&table(w, &path).await, 0),
        json!(["x", "1/1", "Running", "3", "AGE", "10.9.8.7", "conf-nowhere", "<none>", "<none>"])
    );
    let waiting = status(json!({"running": null, "waiting": {"reason": "CrashLoopBackOff"}}), false);
    w.merge(&format!("{path}/status"), &waiting).await.ok();
    assert_eq!(table(w, &path).await["rows"][0]["cells"][2], "CrashLoopBackOff");
    w.delete(&path).await.ok();
    assert_eq!(table(w, &path).await["rows"][0]["cells"][2], "Terminating");
}

async fn f8_claims_have_these_columns(w: &World) {
    let collection = w.core("persistentvolumeclaims").await;
    let found = w.post(&collection, &claim("x")).accept(KUBECTL).await.made();
    let expected = [
        "Name:string:name",
        "Status:string",
        "Volume:string",
        "Capacity:string",
        "Access Modes:string",
        "StorageClass:string",
        "VolumeAttributesClass:string",
        "Age:string",
        "+VolumeMode:string",
    ];
    assert_eq!(columns(&found), expected);
    assert_eq!(cells(&found, 0), json!(["x", "Pending", "", "", "", "conf-none", "<unset>", "AGE", "Filesystem"]));
}

async fn f8b_a_bound_claim_shows_its_volume(w: &World) {
    let path = format!("{}/x", w.core("persistentvolumeclaims").await);
    let mut body = claim("x");
    // Of itself, so that no controller finds one.
    body["spec"]["volumeName"] = w.name("none").into();
    w.post(&w.core("persistentvolumeclaims").await, &body).await.made();
    let named = json!(["x", "Pending", w.name("none"), "0", "", "conf-none", "<unset>", "AGE", "Filesystem"]);
    assert_eq!(cells(&table(w, &path).await, 0), named);
    let status =
        json!({"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce", "ReadOnlyMany"]}});
    let found = w.merge(&format!("{path}/status"), &status).accept(KUBECTL).await.ok();
    assert_eq!(
        cells(&found, 0),
        json!(["x", "Bound", w.name("none"), "1Gi", "RWO,ROX", "conf-none", "<unset>", "AGE", "Filesystem"])
    );
    w.merge(&path, &json!({"metadata": {"finalizers": ["x.io/f", "kubernetes.io/pvc-protection"]}})).await.ok();
    w.delete(&path).await.ok();
    assert_eq!(table(w, &path).await["rows"][0]["cells"][1], "Terminating");
}

async fn f9_volumes_have_these_columns(w: &World) {
    let name = w.name("");
    let mut body = volume(&name);
    body["spec"]["accessModes"] = json!(["ReadWriteOnce", "ReadOnlyMany"]);
    body["spec"]["claimRef"] = json!({"namespace": "conf-missing", "name": "claim"});
    body["metadata"]["finalizers"] = json!(["x.io/f"]);
    let found = w.post("/api/v1/persistentvolumes", &body).accept(KUBECTL).await.made();
    let expected = [
        "Name:string:name",
        "Capacity:string",
        "Access Modes:string",
        "Reclaim Policy:string",
        "Status:string",
        "Claim:string",
        "StorageClass:string",
        "VolumeAttributesClass:string",
        "Reason:string",
        "Age:string",
        "+VolumeMode:string",
    ];
    assert_eq!(columns(&found), expected);
    let row =
        json!([name, "1Gi", "RWO,ROX", "Retain", "Pending", "conf-missing/claim", name, "<unset>", "", "AGE", "Filesystem"]);
    assert_eq!(cells(&found, 0), row);
    let path = format!("/api/v1/persistentvolumes/{name}");
    w.delete(&path).await.ok();
    assert_eq!(table(w, &path).await["rows"][0]["cells"][4], "Terminating");
}

async fn f10_storage_classes_have_these_columns(w: &World) {
    let name = w.name("");
    let found = w.post(&format!("{STORAGE}/storageclasses"), &storage_class(&name)).accept(KUBECTL).await.made();
    let expected = [
        "Name:string:name",
        "Provisioner:string",
        "ReclaimPolicy:string",
        "VolumeBindingMode:string",
        "AllowVolumeExpansion:string",
        "Age:string",
    ];
    assert_eq!(columns(&found), expected);
    assert_eq!(cells(&found, 0), json!([name, "conf.example", "Delete", "Immediate", false, "AGE"]));
}

async fn f10b_the_default_class_is_marked(w: &World) {
    let name = w.name("");
    let mut body = storage_class(&name);
    body["metadata"]["annotations"] = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    // Only tried, because a class like this would become everybody's.
    let found = w.post(&format!("{STORAGE}/storageclasses?dryRun=All"), &body).accept(KUBECTL).await.made();
    assert_eq!(found["rows"][0]["cells"][0], format!("{name} (default)"));
}

async fn f11_attachments_and_attributes_classes_have_these_columns(w: &World) {
    let name = w.name("");
    let found = w.post(&format!("{STORAGE}/volumeattachments"), &attachment(&name)).accept(KUBECTL).await.made();
    let expected = ["Name:string:name", "Attacher:string:name", "PV:string", "Node:string", "Attached:boolean", "Age:string"];
    assert_eq!(columns(&found), expected);
    assert_eq!(cells(&found, 0), json!([name, "conf.example", "conf-none", "conf-nowhere", false, "AGE"]));
    let found = w.post(&format!("{STORAGE}/volumeattributesclasses"), &attributes_class(&name)).accept(KUBECTL).await.made();
    assert_eq!(columns(&found), ["Name:string:name", "DriverName:string", "Age:string"]);
    assert_eq!(cells(&found, 0), json!([name, "conf.example", "AGE"]));
}

async fn f12_csi_drivers_and_nodes_have_these_columns(w: &World) {
    let name = w.name("");
    let mut body = csi_driver(&name);
    body["spec"] = json!({
        "volumeLifecycleModes": ["Persistent", "Ephemeral"], "tokenRequests": [{"audience": "a"}, {"audience": "b"}],
        "serviceAccountTokenInSecrets": true, "requiresRepublish": true,
    });
    let found = w.post(&format!("{STORAGE}/csidrivers"), &body).accept(KUBECTL).await.made();
    let expected = [
        "Name:string:name",
        "AttachRequired:boolean",
        "PodInfoOnMount:boolean",
        "StorageCapacity:boolean",
        "TokenRequests:string",
        "RequiresRepublish:boolean",
        "Modes:string",
        "Age:string",
    ];
    assert_eq!(columns(&found), expected);
    assert_eq!(cells(&found, 0), json!([name, true, false, false, "a,b", true, "Persistent,Ephemeral", "AGE"]));
    let other = w.name("plain");
    let found = w.post(&format!("{STORAGE}/csidrivers"), &csi_driver(&other)).accept(KUBECTL).await.made();
    assert_eq!(cells(&found, 0), json!([other, true, false, false, "<unset>", false, "Persistent", "AGE"]));
    let found = w.post(&format!("{STORAGE}/csinodes"), &csi_node(&name)).accept(KUBECTL).await.made();
    assert_eq!(columns(&found), ["Name:string:name", "Drivers:integer", "Age:string"]);
    assert_eq!(cells(&found, 0), json!([name, 1, "AGE"]));
}

async fn f13_capacities_and_definitions_show_when_they_were_made(w: &World) {
    let collection = w.group("storage.k8s.io/v1", "csistoragecapacities").await;
    let body = json!({"metadata": {"name": "x"}, "storageClassName": "conf-none", "capacity": "1Gi"});
    let found = w.post(&collection, &body).accept(KUBECTL).await.made();
    assert_eq!(columns(&found), ["Name:string:name", "Created At:date"]);
    let time = &found["rows"][0]["object"]["metadata"]["creationTimestamp"];
    assert_eq!(found["rows"][0]["cells"], json!(["x", time]));
    let definitions =
        with("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &[("fieldSelector", "metadata.name=conf-none")]);
    assert_eq!(columns(&table(w, &definitions).await), ["Name:string:name", "Created At:date"]);
}

async fn f14_leases_secrets_config_maps_accounts_and_namespaces_have_these_columns(w: &World) {
    let found = w.post(&w.group(LEASES, "leases").await, &lease("x")).accept(KUBECTL).await.made();
    assert_eq!(
        (columns(&found), cells(&found, 0)),
        (["Name:string:name", "Holder:string", "Age:string"].map(String::from).to_vec(), json!(["x", "a", "AGE"]))
    );
    let cases: &[(&str, Value, &[&str], Value)] = &[
        (
            "secrets",
            secret("x"),
            &["Name:string:name", "Type:string", "Data:string", "Age:string"],
            json!(["x", "Opaque", 1, "AGE"]),
        ),
        ("configmaps", config_map("x"), &["Name:string:name", "Data:string", "Age:string"], json!(["x", 1, "AGE"])),
        ("serviceaccounts", json!({"metadata": {"name": "x"}}), &["Name:string:name", "Age:string"], json!(["x", "AGE"])),
    ];
    for (plural, body, expected, row) in cases {
        let found = w.post(&w.core(plural).await, body).accept(KUBECTL).await.made();
        assert_eq!(
            (columns(&found), cells(&found, 0)),
            (expected.iter().map(|&text| text.to_owned()).collect(), row.clone()),
            "{plural}"
        );
    }
    let name = w.namespace().await;
    let found = table(w, &format!("/api/v1/namespaces/{name}")).await;
    assert_eq!(columns(&found), ["Name:string:name", "Status:string", "Age:string"]);
    assert_eq!(cells(&found, 0), json!([name, "Active", "AGE"]));
}

async fn f15_events_have_these_columns_in_both_groups(w: &World) {
    let mut body = event("x", w.namespace().await);
    body["source"] = json!({"component": "comp", "host": "host"});
    body["count"] = 3.into();
    body["firstTimestamp"] = "2026-01-01T00:00:00Z".into();
    w.post(&w.core("events").await, &body).await.made();
    let expected = [
        "Last Seen:string",
        "Type:string",
        "Reason:string",
        "Object:string",
        "+Subobject:string",
        "+Source:string",
        "Message:string",
        "+First Seen:string",
        "+Count:string",
        "+Name:string:name",
    ];
    for collection in [w.core("events").await, w.group("events.k8s.io/v1", "events").await] {
        let found = table(w, &format!("{collection}/x")).await;
        assert_eq!(columns(&found), expected);
        let mut row = found["rows"][0]["cells"].clone();
        for seen in [0, 7] {
            assert!(row[seen].take().as_str().is_some_and(|age| age.ends_with('d')), "{found}");
        }
        let expected = json!([null, "Normal", "Provisioning", "persistentvolumeclaim/p1", "", "comp, host", "m", null, 3, "x",]);
        assert_eq!(row, expected);
    }
}

async fn f16_nodes_have_these_columns(w: &World) {
    let name = w.name("");
    let found = w.post("/api/v1/nodes", &node(&name)).accept(KUBECTL).await.made();
    let expected = [
        "Name:string:name",
        "Status:string",
        "Roles:string",
        "Age:string",
        "Version:string",
        "+Internal-IP:string",
        "+External-IP:string",
        "+OS-Image:string",
        "+Kernel-Version:string",
        "+Container-Runtime:string",
    ];
    assert_eq!(columns(&found), expected);
    let row = json!([name, "Unknown", "<none>", "AGE", "", "<none>", "<none>", "<unknown>", "<unknown>", "<unknown>"]);
    assert_eq!(cells(&found, 0), row);
}

async fn f16b_a_node_shows_its_state_and_roles(w: &World) {
    let mut body = node(&w.name(""));
    body["metadata"]["labels"] = json!({"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": ""});
    body["spec"] = json!({"unschedulable": true});
    body["status"] = json!({
        "conditions": [{"type": "Ready", "status": "True"}],
        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}, {"type": "Hostname", "address": "h"}],
        "nodeInfo": {
            "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "6.1", "osImage": "Debian", "architecture": "amd64",
            "containerRuntimeVersion": "containerd://2", "kubeletVersion": "v1.36.1", "kubeProxyVersion": "",
            "operatingSystem": "linux",
        },
    });
    let found = w.post("/api/v1/nodes", &body).accept(KUBECTL).await.made();
    let row = json!([
        w.name(""),
        "Ready,SchedulingDisabled",
        "control-plane,worker",
        "AGE",
        "v1.36.1",
        "10.0.0.1",
        "<none>",
        "Debian",
        "6.1 (amd64)",
        "containerd://2",
    ]);
    assert_eq!(cells(&found, 0), row);
}

async fn f18_a_watched_table_says_its_columns_once(w: &World) {
    let collection = w.core("secrets").await;
    w.post(&collection, &secret("a")).await.made();
    let mut watch = Watch::open(w.get(&format!("{collection}?watch=true")).accept(KUBECTL)).await;
    let first = watch.expect("ADDED").await;
    assert_eq!(columns(&first), ["Name:string:name", "Type:string", "Data:string", "Age:string"]);
    assert_eq!((&first["kind"], cells(&first, 0)), (&json!("Table"), json!(["a", "Opaque", 1, "AGE"])));
    w.post(&collection, &secret("b")).await.made();
    let second = watch.expect("ADDED").await;
    assert_eq!((second.get("columnDefinitions"), cells(&second, 0)), (Some(&Value::Null), json!(["b", "Opaque", 1, "AGE"])));
    w.delete(&format!("{collection}/a")).await.ok();
    let third = watch.expect("DELETED").await;
    assert_eq!(third["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(third["metadata"]["resourceVersion"], version(&third["rows"][0]["object"]));
}

async fn f18b_a_bookmark_is_a_row_without_a_name(w: &World) {
    let collection = w.core("secrets").await;
    let mut watch = Watch::open(w.get(&format!("{collection}?watch=true&allowWatchBookmarks=true")).accept(TABLE_V1)).await;
    let found = watch.expect("BOOKMARK").await;
    let row = json!({
        "cells": ["", "", 0, "<unknown>"],
        "object": {
            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": version(&found), "annotations": {"k8s.io/initial-events-end": "true"}},
        },
    });
    assert_eq!((&found["kind"], &found["rows"]), (&json!("Table"), &json!([row])));
}

fn reduced(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]})
}

async fn f19_an_object_can_be_reduced_to_its_metadata(w: &World) {
    let (path, made) = w.config_map("x").await;
    let reply = w.get(&path).accept(ONE).await;
    assert_eq!((reply.ok(), reply.header("content-type")), (reduced(&made), "application/json"));
}

async fn f19b_a_list_can_be_reduced_to_metadata(w: &World) {
    let collection = w.core("secrets").await;
    let made = w.post(&collection, &secret("x")).await.made();
    let found = w.get(&collection).accept(MANY).await.ok();
    let expected = json!({
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version(&found)},
        "items": [reduced(&made)],
    });
    assert_eq!(found, expected);
}

async fn f19c_one_and_many_are_not_confused(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)";
    w.get(&path).accept(MANY).await.refused(406, "NotAcceptable", message);
    let message = "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)";
    w.get(&w.core("configmaps").await).accept(ONE).await.refused(406, "NotAcceptable", message);
}

async fn f19d_writes_are_answered_with_metadata_too(w: &World) {
    let collection = w.core("configmaps").await;
    let made = w.post(&collection, &config_map("x")).accept(ONE).await.made();
    assert_eq!(
        (&made["kind"], made.get("data"), &made["metadata"]["name"]),
        (&json!("PartialObjectMetadata"), None, &json!("x"))
    );
    let found = w.merge(&format!("{collection}/x"), &json!({"data": {"b": "2"}})).accept(ONE).await.ok();
    assert_eq!((&found["kind"], found.get("data")), (&json!("PartialObjectMetadata"), None));
    assert_eq!(w.get(&format!("{collection}/x")).await.ok()["data"], json!({"a": "1", "b": "2"}));
}

async fn f19e_a_watch_can_be_reduced_to_metadata(w: &World) {
    let collection = w.core("secrets").await;
    let made = w.post(&collection, &secret("x")).await.made();
    let mut watch = Watch::open(w.get(&format!("{collection}?watch=true")).accept(ONE)).await;
    assert_eq!(watch.expect("ADDED").await, reduced(&made));
    let deleted = w.delete(&format!("{collection}/x")).await.ok();
    assert_eq!(deleted["kind"], "Status");
    let last = watch.expect_of("DELETED", "x").await;
    assert_eq!(last["kind"], "PartialObjectMetadata");
}

async fn f19f_another_reduction_is_not_acceptable(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.get(&path).accept("application/json;as=Foo;v=v1;g=meta.k8s.io").await;
    reply.refused(406, "NotAcceptable", NOT_ACCEPTABLE);
}
