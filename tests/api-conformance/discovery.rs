//! What a server says of itself.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    a1_the_core_versions_are_listed,
    a2_groups_are_listed_with_their_preferred_version,
    a3_core_resources_are_listed_without_an_api_version,
    a3b_resources_of_a_group_are_listed_with_an_api_version,
    a4_an_entry_says_what_the_resource_is,
    a4b_storage_version_hashes_stand_on_main_resources_only,
    a5_a_full_resource_has_eight_verbs_in_order,
    a5b_namespaces_cannot_be_deleted_as_a_collection,
    a5c_status_can_be_read_updated_and_patched,
    a6_short_names_and_categories_are_those_that_kubectl_knows,
    a7_the_kinds_with_status_are_known,
    a7b_status_of_a_kind_that_has_none_is_no_resource,
    a8_storage_is_served_as_v1_only,
    a9_one_group_is_described_at_its_path,
    a10_aggregated_discovery_is_negotiated_and_cacheable,
    a11_aggregated_discovery_says_all_about_a_resource,
    a11b_groups_are_aggregated_too,
    a12_aggregated_discovery_is_not_sent_twice,
    a13_an_unknown_version_of_aggregated_discovery_is_not_acceptable,
    a14_plain_json_gets_the_plain_lists,
    a15_the_version_is_told_to_anybody,
    a16_health_is_answered_in_plain_text,
    a16b_the_root_lists_paths,
    a17_unknown_paths_and_groups_are_answered_in_plain_text,
    a18_unknown_versions_resources_and_subresources_are_a_status,
    a18b_a_resource_is_found_only_in_its_scope,
    a19_a_trailing_slash_is_ignored,
    a20_methods_that_a_path_does_not_know_are_refused,
    a21_answers_are_not_cached_and_can_be_found_in_the_audit_log,
    a22_a_malformed_timeout_is_refused_and_unknown_parameters_are_not,
    a24_openapi_v3_lists_a_document_per_group_version,
    a25_an_openapi_document_with_its_hash_can_be_cached,
    a26_patch_operations_name_their_kind_and_parameters,
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// The kinds that a host for volumes serves, with their plural, in the core group and in `storage.k8s.io`.
const CORE: &[(&str, &str, bool)] = &[
    ("configmaps", "ConfigMap", true),
    ("events", "Event", true),
    ("namespaces", "Namespace", false),
    ("nodes", "Node", false),
    ("persistentvolumeclaims", "PersistentVolumeClaim", true),
    ("persistentvolumes", "PersistentVolume", false),
    ("pods", "Pod", true),
    ("secrets", "Secret", true),
    ("serviceaccounts", "ServiceAccount", true),
];
const STORED: &[(&str, &str, bool)] = &[
    ("csidrivers", "CSIDriver", false),
    ("csinodes", "CSINode", false),
    ("csistoragecapacities", "CSIStorageCapacity", true),
    ("storageclasses", "StorageClass", false),
    ("volumeattachments", "VolumeAttachment", false),
    ("volumeattributesclasses", "VolumeAttributesClass", false),
];

async fn entry(w: &World, group: &str, name: &str) -> Value {
    let list = w.get(group).await.ok();
    let resources = list["resources"].as_array().expect("resources");
    resources.iter().find(|entry| entry["name"] == name).unwrap_or_else(|| panic!("{group} has no {name}")).clone()
}

async fn a1_the_core_versions_are_listed(w: &World) {
    let found = w.get("/api").accept("application/json").await.ok();
    assert_eq!((&found["kind"], &found["versions"]), (&json!("APIVersions"), &json!(["v1"])));
    assert_eq!(found.get("apiVersion"), None);
    assert_eq!(found["serverAddressByClientCIDRs"][0]["clientCIDR"], "0.0.0.0/0");
}

async fn a2_groups_are_listed_with_their_preferred_version(w: &World) {
    let found = w.get("/apis").accept("application/json").await.ok();
    assert_eq!((&found["kind"], &found["apiVersion"]), (&json!("APIGroupList"), &json!("v1")));
    for group in ["storage.k8s.io", "coordination.k8s.io", "events.k8s.io", "apiextensions.k8s.io"] {
        let version = json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
        let groups = found["groups"].as_array().expect("groups");
        let entry = groups.iter().find(|entry| entry["name"] == group).unwrap_or_else(|| panic!("{group} in {found}"));
        assert_eq!(entry["preferredVersion"], version);
        assert!(entry["versions"].as_array().is_some_and(|versions| versions.contains(&version)), "{entry}");
    }
}

async fn a3_core_resources_are_listed_without_an_api_version(w: &World) {
    let found = w.get("/api/v1").await.ok();
    assert_eq!((&found["kind"], &found["groupVersion"]), (&json!("APIResourceList"), &json!("v1")));
    assert_eq!(found.get("apiVersion"), None);
    for (plural, kind, namespaced) in CORE {
        includes(&entry(w, "/api/v1", plural).await, &json!({"kind": kind, "namespaced": namespaced}));
    }
}

async fn a3b_resources_of_a_group_are_listed_with_an_api_version(w: &World) {
    let found = w.get(STORAGE).await.ok();
    includes(&found, &json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "storage.k8s.io/v1"}));
    for (plural, kind, namespaced) in STORED {
        includes(&entry(w, STORAGE, plural).await, &json!({"kind": kind, "namespaced": namespaced}));
    }
    includes(&entry(w, "/apis/coordination.k8s.io/v1", "leases").await, &json!({"kind": "Lease", "namespaced": true}));
    includes(&entry(w, "/apis/events.k8s.io/v1", "events").await, &json!({"kind": "Event", "namespaced": true}));
    let definitions = entry(w, "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions").await;
    includes(&definitions, &json!({"kind": "CustomResourceDefinition", "namespaced": false}));
}

async fn a4_an_entry_says_what_the_resource_is(w: &World) {
    let found = entry(w, "/api/v1", "persistentvolumeclaims").await;
    let expected = json!({
        "name": "persistentvolumeclaims", "singularName": "persistentvolumeclaim", "namespaced": true,
        "kind": "PersistentVolumeClaim", "shortNames": ["pvc"],
    });
    includes(&found, &expected);
    let found = entry(w, "/api/v1", "persistentvolumeclaims/status").await;
    let expected = json!({
        "name": "persistentvolumeclaims/status", "singularName": "", "namespaced": true, "kind": "PersistentVolumeClaim",
        "verbs": ["get", "patch", "update"],
    });
    assert_eq!(found, expected);
}

async fn a4b_storage_version_hashes_stand_on_main_resources_only(w: &World) {
    let found = entry(w, "/api/v1", "persistentvolumeclaims").await;
    let hash = found["storageVersionHash"].as_str().expect("a hash");
    assert!(hash.len() == 12 && hash.ends_with('='), "eight bytes in base64: {hash}");
    let found = entry(w, "/api/v1", "persistentvolumeclaims/status").await;
    assert_eq!(found.get("storageVersionHash"), None);
}

async fn a5_a_full_resource_has_eight_verbs_in_order(w: &World) {
    let verbs = json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
    for (plural, ..) in CORE.iter().filter(|(plural, ..)| *plural != "namespaces") {
        assert_eq!(entry(w, "/api/v1", plural).await["verbs"], verbs, "{plural}");
    }
    for (plural, ..) in STORED {
        assert_eq!(entry(w, STORAGE, plural).await["verbs"], verbs, "{plural}");
    }
}

async fn a5b_namespaces_cannot_be_deleted_as_a_collection(w: &World) {
    let found = entry(w, "/api/v1", "namespaces").await;
    assert_eq!(found["verbs"], json!(["create", "delete", "get", "list", "patch", "update", "watch"]));
    assert_eq!(entry(w, "/api/v1", "namespaces/finalize").await["verbs"], json!(["update"]));
}

async fn a5c_status_can_be_read_updated_and_patched(w: &World) {
    for plural in ["namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods"] {
        let found = entry(w, "/api/v1", &format!("{plural}/status")).await;
        assert_eq!(found["verbs"], json!(["get", "patch", "update"]), "{plural}");
    }
    assert_eq!(entry(w, "/api/v1", "pods/binding").await["verbs"], json!(["create"]));
}

async fn a6_short_names_and_categories_are_those_that_kubectl_knows(w: &World) {
    let core = [
        ("namespaces", "ns"),
        ("nodes", "no"),
        ("pods", "po"),
        ("persistentvolumeclaims", "pvc"),
        ("persistentvolumes", "pv"),
        ("configmaps", "cm"),
        ("events", "ev"),
        ("serviceaccounts", "sa"),
    ];
    for (plural, short) in core {
        assert_eq!(entry(w, "/api/v1", plural).await["shortNames"], json!([short]), "{plural}");
    }
    assert_eq!(entry(w, STORAGE, "storageclasses").await["shortNames"], json!(["sc"]));
    assert_eq!(entry(w, STORAGE, "volumeattributesclasses").await["shortNames"], json!(["vac"]));
    assert_eq!(entry(w, "/apis/events.k8s.io/v1", "events").await["shortNames"], json!(["ev"]));
    assert_eq!(entry(w, "/api/v1", "secrets").await.get("shortNames"), None);
    assert_eq!(entry(w, STORAGE, "csidrivers").await.get("shortNames"), None);
    let definitions = entry(w, "/apis/apiextensions.k8s.io/v1", "customresourcedefinitions").await;
    assert_eq!((&definitions["shortNames"], &definitions["categories"]), (&json!(["crd", "crds"]), &json!(["api-extensions"])));
    assert_eq!(entry(w, "/api/v1", "pods").await["categories"], json!(["all"]));
}

async fn a7_the_kinds_with_status_are_known(w: &World) {
    let list = w.get("/api/v1").await.ok();
    for (plural, ..) in CORE {
        let expected = !["configmaps", "events", "secrets", "serviceaccounts"].contains(plural);
        let found =
            list["resources"].as_array().expect("resources").iter().any(|entry| entry["name"] == format!("{plural}/status"));
        assert_eq!(found, expected, "{plural}");
    }
    let list = w.get(STORAGE).await.ok();
    for (plural, ..) in STORED {
        let found =
            list["resources"].as_array().expect("resources").iter().any(|entry| entry["name"] == format!("{plural}/status"));
        assert_eq!(found, *plural == "volumeattachments", "{plural}");
    }
}

async fn a7b_status_of_a_kind_that_has_none_is_no_resource(w: &World) {
    let (path, _) = w.config_map("x").await;
    w.merge(&format!("{path}/status"), &json!({"status": {}})).await.no_such_resource();
    w.get(&format!("{STORAGE}/csidrivers/x/status")).await.no_such_resource();
}

async fn a8_storage_is_served_as_v1_only(w: &World) {
    w.get("/apis/storage.k8s.io/v1beta1").await.no_such_resource();
    let found = w.get("/apis/storage.k8s.io").await.ok();
    assert_eq!(found["versions"], json!([{"groupVersion": "storage.k8s.io/v1", "version": "v1"}]));
}

async fn a9_one_group_is_described_at_its_path(w: &World) {
    let version = json!({"groupVersion": "storage.k8s.io/v1", "version": "v1"});
    let expected = json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": "storage.k8s.io", "versions": [version], "preferredVersion": version,
    });
    assert_eq!(w.get("/apis/storage.k8s.io").await.ok(), expected);
}

async fn a10_aggregated_discovery_is_negotiated_and_cacheable(w: &World) {
    for path in ["/api", "/apis"] {
        let reply = w.get(path).accept(AGGREGATED).await;
        includes(&reply.ok(), &json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}));
        assert_eq!(reply.header("content-type"), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
        assert_eq!((reply.header("cache-control"), reply.header("vary")), ("public", "Accept"));
        let tag = reply.header("etag").trim_matches('"');
        assert!(tag.len() == 128 && tag.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase()), "{tag}");
    }
}

async fn a11_aggregated_discovery_says_all_about_a_resource(w: &World) {
    let found = w.get("/api").accept(AGGREGATED).await.ok();
    let core = &found["items"][0];
    assert_eq!((&core["metadata"].get("name"), &core["versions"][0]["version"]), (&None, &json!("v1")));
    assert_eq!(core["versions"][0]["freshness"], "Current");
    let resources = core["versions"][0]["resources"].as_array().expect("resources");
    let claims = resources.iter().find(|entry| entry["resource"] == "persistentvolumeclaims").expect("claims");
    let kind = json!({"group": "", "version": "", "kind": "PersistentVolumeClaim"});
    let expected = json!({
        "resource": "persistentvolumeclaims", "responseKind": kind, "scope": "Namespaced",
        "singularResource": "persistentvolumeclaim", "shortNames": ["pvc"],
        "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
        "subresources": [{"subresource": "status", "responseKind": kind, "verbs": ["get", "patch", "update"]}],
    });
    assert_eq!(claims, &expected);
}

async fn a11b_groups_are_aggregated_too(w: &World) {
    let found = w.get("/apis").accept(AGGREGATED).await.ok();
    let items = found["items"].as_array().expect("items");
    let storage = items.iter().find(|item| item["metadata"]["name"] == "storage.k8s.io").expect("storage.k8s.io");
    let resources = storage["versions"][0]["resources"].as_array().expect("resources");
    let classes = resources.iter().find(|entry| entry["resource"] == "storageclasses").expect("classes");
    includes(classes, &json!({"scope": "Cluster", "singularResource": "storageclass", "shortNames": ["sc"]}));
    assert_eq!(classes["responseKind"]["kind"], "StorageClass");
}

async fn a12_aggregated_discovery_is_not_sent_twice(w: &World) {
    let tag = w.get("/api").accept(AGGREGATED).await.header("etag").to_owned();
    let reply = w.get("/api").accept(AGGREGATED).header("if-none-match", &tag).await;
    assert_eq!((reply.code, reply.body.len(), reply.header("etag")), (304, 0, tag.as_str()));
    assert_eq!(reply.header("content-type"), "");
}

const NEGOTIABLE: &str =
    "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf";

async fn a13_an_unknown_version_of_aggregated_discovery_is_not_acceptable(w: &World) {
    for version in ["v2beta1", "v9"] {
        let accept = format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
        let details = w.get("/apis").accept(&accept).await.refused(406, "NotAcceptable", NEGOTIABLE);
        assert_eq!(details, Value::Null);
    }
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer";
    includes(&w.get("/apis").accept(accept).await.ok(), &json!({"kind": "APIGroupDiscoveryList"}));
}

async fn a14_plain_json_gets_the_plain_lists(w: &World) {
    for accept in ["application/json", "*/*", "application/json, */*"] {
        includes(&w.get("/api").accept(accept).await.ok(), &json!({"kind": "APIVersions"}));
        includes(&w.get("/apis").accept(accept).await.ok(), &json!({"kind": "APIGroupList"}));
    }
}

async fn a15_the_version_is_told_to_anybody(w: &World) {
    for call in [w.get("/version"), w.anonymous("GET", "/version")] {
        let found = call.await.ok();
        includes(&found, &json!({"major": "1", "minor": "36"}));
        for key in ["gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"] {
            assert!(found[key].is_string(), "{key} in {found}");
        }
    }
}

async fn a16_health_is_answered_in_plain_text(w: &World) {
    for path in ["/healthz", "/livez", "/readyz"] {
        let reply = w.get(path).await;
        assert_eq!((reply.code, reply.text().as_str()), (200, "ok"), "{path}");
        assert!(reply.header("content-type").starts_with("text/plain"), "{path}");
        assert!(w.get(&format!("{path}?verbose")).await.text().starts_with("[+]"), "{path}");
    }
}

async fn a16b_the_root_lists_paths(w: &World) {
    let found = w.get("/").await.ok();
    let paths = found["paths"].as_array().expect("paths");
    for path in ["/api", "/api/v1", "/apis", "/apis/storage.k8s.io/v1", "/healthz", "/version"] {
        assert!(paths.contains(&path.into()), "{path} in {found}");
    }
}

async fn a17_unknown_paths_and_groups_are_answered_in_plain_text(w: &World) {
    for path in ["/foo", "/apis/nope.example", "/apis/nope.example/v1/things", "/apis/nope.example/v1/namespaces/x/things/y"] {
        w.get(path).await.nowhere();
    }
}

async fn a18_unknown_versions_resources_and_subresources_are_a_status(w: &World) {
    for path in [
        "/api/v2",
        "/api/v1/nope",
        "/api/v1/namespaces/default/nope",
        "/apis/storage.k8s.io/v1/nope",
        "/apis/storage.k8s.io/v9/x",
    ] {
        w.get(path).await.no_such_resource();
    }
    w.get("/api/v1/namespaces/default/configmaps/x/nope").await.no_such_resource();
}

async fn a18b_a_resource_is_found_only_in_its_scope(w: &World) {
    w.get("/api/v1/pods/x").await.no_such_resource();
    w.get("/api/v1/namespaces/default/persistentvolumes/x").await.no_such_resource();
    w.get("/api/v1/namespaces/default/configmaps/a%2Fb").await.no_such_resource();
}

async fn a19_a_trailing_slash_is_ignored(w: &World) {
    let (path, made) = w.config_map("x").await;
    assert_eq!(w.get(&format!("{path}/")).await.ok(), made);
    let collection = w.core("configmaps").await;
    includes(&w.get(&format!("{collection}/")).await.ok(), &json!({"kind": "ConfigMapList"}));
}

async fn a20_methods_that_a_path_does_not_know_are_refused(w: &World) {
    let (path, _) = w.config_map("x").await;
    let collection = w.core("configmaps").await;
    w.post(&path, &config_map("x")).await.method_not_allowed();
    w.put(&collection, &config_map("x")).await.method_not_allowed();
    w.merge(&collection, &json!({})).await.method_not_allowed();
    w.post("/api/v1", &json!({})).await.method_not_allowed();
    w.delete("/api/v1/namespaces").await.method_not_allowed();
    w.delete("/api/v1/configmaps").await.method_not_allowed();
    w.call("OPTIONS", &path).await.method_not_allowed();
    assert_eq!(w.call("HEAD", &path).await.code, 405);
}

async fn a21_answers_are_not_cached_and_can_be_found_in_the_audit_log(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.get(&path).header("audit-id", "conf-a21").await;
    reply.ok();
    assert_eq!(reply.header("audit-id"), "conf-a21");
    assert_eq!(reply.header("cache-control"), "no-cache, private");
    assert_ne!(reply.header("date"), "");
    assert_eq!((reply.header("content-type"), reply.header("etag")), ("application/json", ""));
    assert_ne!(w.get(&path).await.header("audit-id"), "");
}

async fn a22_a_malformed_timeout_is_refused_and_unknown_parameters_are_not(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = "invalid timeout specified in the request URL - time: invalid duration \"bogus\"";
    w.get(&format!("{path}?timeout=bogus")).await.refused(400, "BadRequest", message);
    w.get(&format!("{path}?timeout=10s")).await.ok();
    w.get(&format!("{path}?whatever=1")).await.ok();
}

async fn a24_openapi_v3_lists_a_document_per_group_version(w: &World) {
    let found = w.get("/openapi/v3").await.ok();
    for version in ["api/v1", "apis/storage.k8s.io/v1", "apis/coordination.k8s.io/v1", "apis/apiextensions.k8s.io/v1"] {
        let url = found["paths"][version]["serverRelativeURL"].as_str().unwrap_or_else(|| panic!("{version} in {found}"));
        assert!(url.starts_with(&format!("/openapi/v3/{version}?hash=")), "{url}");
    }
}

async fn a25_an_openapi_document_with_its_hash_can_be_cached(w: &World) {
    let list = w.get("/openapi/v3").await.ok();
    let url = list["paths"]["apis/storage.k8s.io/v1"]["serverRelativeURL"].as_str().expect("a path").to_owned();
    let reply = w.get(&url).accept("application/json").await;
    assert!(reply.ok()["openapi"].as_str().is_some_and(|version| version.starts_with("3.")));
    assert_eq!(reply.header("cache-control"), "public, immutable");
    let tag = reply.header("etag").to_owned();
    assert_ne!(tag, "");
    assert_eq!(w.get(&url).accept("application/json").header("if-none-match", &tag).await.code, 304);
    assert_eq!(w.get("/openapi/v3/apis/nope.example/v1").await.code, 404);
}

async fn a26_patch_operations_name_their_kind_and_parameters(w: &World) {
    let document = w.get("/openapi/v3/apis/storage.k8s.io/v1").accept("application/json").await.ok();
    for (path, kind) in [
        ("/apis/storage.k8s.io/v1/storageclasses/{name}", "StorageClass"),
        ("/apis/storage.k8s.io/v1/namespaces/{namespace}/csistoragecapacities/{name}", "CSIStorageCapacity"),
    ] {
        let patch = &document["paths"][path]["patch"];
        let expected = json!({"group": "storage.k8s.io", "version": "v1", "kind": kind});
        assert_eq!(patch["x-kubernetes-group-version-kind"], expected, "{path}");
        let parameters = patch["parameters"].as_array().expect("parameters");
        for name in ["dryRun", "fieldManager", "fieldValidation", "force"] {
            assert!(
                parameters.iter().any(|parameter| parameter["name"] == name && parameter["in"] == "query"),
                "{name} of {path}"
            );
        }
    }
}
