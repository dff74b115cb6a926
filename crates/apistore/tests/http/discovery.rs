//! What the server says of itself.

use serde_json::{Value, json};

use crate::support::{Asker, run};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

#[test]
fn the_lists_of_before_aggregation_are_served() {
    run(|api| async move {
        let core = api.ask("GET", "/api", &[("host", "127.0.0.1:6443")], b"").await.json();
        assert_eq!(core["versions"], json!(["v1"]));
        assert_eq!(core["serverAddressByClientCIDRs"][0]["serverAddress"], "127.0.0.1:6443");
        assert!(core.get("apiVersion").is_none());
        let groups = api.get("/apis").await.json();
        let names: Vec<&str> =
            groups["groups"].as_array().expect("groups").iter().filter_map(|group| group["name"].as_str()).collect();
        for name in ["storage.k8s.io", "coordination.k8s.io", "apiextensions.k8s.io", "authorization.k8s.io"] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
        let group = api.get("/apis/storage.k8s.io").await.json();
        let version = json!({"groupVersion": "storage.k8s.io/v1", "version": "v1"});
        assert_eq!(
            group,
            json!({"kind": "APIGroup", "apiVersion": "v1", "name": "storage.k8s.io", "versions": [version.clone()], "preferredVersion": version})
        );
    });
}

fn named<'a>(list: &'a Value, name: &str) -> &'a Value {
    list["resources"]
        .as_array()
        .expect("resources")
        .iter()
        .find(|entry| entry["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {list}"))
}

#[test]
fn resources_say_their_names_scope_and_verbs() {
    run(|api| async move {
        let core = api.get("/api/v1").await.json();
        assert_eq!(core["groupVersion"], "v1");
        assert!(core.get("apiVersion").is_none());
        let pods = named(&core, "pods");
        let verbs = json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
        assert_eq!(
            (&pods["kind"], &pods["namespaced"], &pods["verbs"], &pods["shortNames"]),
            (&json!("Pod"), &json!(true), &verbs, &json!(["po"]))
        );
        assert_eq!(pods["storageVersionHash"], "xPOwRZ+Yhw8=");
        assert_eq!(named(&core, "pods/status")["verbs"], json!(["get", "patch", "update"]));
        assert_eq!(named(&core, "pods/binding")["kind"], "Binding");
        assert!(!named(&core, "namespaces")["verbs"].as_array().expect("verbs").contains(&json!("deletecollection")));
        let token = named(&core, "serviceaccounts/token");
        assert_eq!((&token["group"], &token["kind"]), (&json!("authentication.k8s.io"), &json!("TokenRequest")));
        let storage = api.get("/apis/storage.k8s.io/v1").await.json();
        assert_eq!((&storage["apiVersion"], &storage["groupVersion"]), (&json!("v1"), &json!("storage.k8s.io/v1")));
        assert_eq!(named(&storage, "storageclasses")["shortNames"], json!(["sc"]));
        assert_eq!(
            named(&api.get("/apis/authorization.k8s.io/v1").await.json(), "selfsubjectaccessreviews")["verbs"],
            json!(["create"])
        );
    });
}

#[test]
fn everything_is_told_at_once_and_again_only_when_it_changed() {
    run(|api| async move {
        for path in ["/api", "/apis"] {
            let reply = api.accept(path, AGGREGATED).await;
            assert_eq!(reply.header("content-type"), "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
            assert_eq!((reply.header("cache-control"), reply.header("vary")), ("public", "Accept"));
            let tag = reply.header("etag").to_owned();
            assert_eq!(tag.len(), 130);
            assert_eq!(reply.json()["kind"], "APIGroupDiscoveryList");
            let again = api.ask("GET", path, &[("accept", AGGREGATED), ("if-none-match", &tag)], b"").await;
            assert_eq!((again.code, again.text.as_str(), again.header("etag")), (304, "", tag.as_str()));
            assert_eq!(again.header("content-type"), "");
        }
        let core = api.accept("/api", AGGREGATED).await.json();
        let version = &core["items"][0]["versions"][0];
        assert_eq!(
            (&core["items"][0]["metadata"], &version["version"], &version["freshness"]),
            (&json!({}), &json!("v1"), &json!("Current"))
        );
        let pods =
            version["resources"].as_array().expect("resources").iter().find(|entry| entry["resource"] == "pods").expect("pods");
        assert_eq!(
            (&pods["scope"], &pods["singularResource"], &pods["responseKind"]["kind"]),
            (&json!("Namespaced"), &json!("pod"), &json!("Pod"))
        );
        let below: Vec<&Value> =
            pods["subresources"].as_array().expect("subresources").iter().map(|entry| &entry["subresource"]).collect();
        assert_eq!(below, [&json!("binding"), &json!("status")]);
    });
}

#[test]
fn version_health_and_paths_are_told() {
    run(|api| async move {
        let version = api.get("/version").await.json();
        assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("36")));
        for path in ["/healthz", "/livez", "/readyz", "/livez/ping"] {
            let reply = api.get(path).await;
            assert_eq!((reply.code, reply.text.as_str()), (200, "ok"), "{path}");
            assert!(reply.header("content-type").starts_with("text/plain"));
        }
        assert!(api.get("/readyz?verbose").await.text.ends_with("readyz check passed\n"));
        let paths = api.get("/").await.json();
        assert!(paths["paths"].as_array().expect("paths").contains(&json!("/apis/storage.k8s.io/v1")));
    });
}

async fn openapi(api: &Asker, path: &str) -> Value {
    let index = api.get("/openapi/v3").await.json();
    let url = index["paths"][path]["serverRelativeURL"].as_str().unwrap_or_else(|| panic!("{path} in {index}")).to_owned();
    let reply = api.get(&url).await;
    assert_eq!((reply.code, reply.header("cache-control")), (200, "public, immutable"), "{url}");
    reply.json()
}

#[test]
fn openapi_says_that_the_server_validates_fields() {
    run(|api| async move {
        for (path, group, kind) in [("api/v1", "", "ConfigMap"), ("apis/storage.k8s.io/v1", "storage.k8s.io", "StorageClass")] {
            let document = openapi(&api, path).await;
            let paths = document["paths"].as_object().expect("paths");
            let wanted = json!({"group": group, "version": "v1", "kind": kind});
            let patch =
                paths.values().map(|path| &path["patch"]).find(|patch| patch["x-kubernetes-group-version-kind"] == wanted);
            let parameters = patch.expect("a patch operation")["parameters"].as_array().expect("parameters").clone();
            assert!(parameters.iter().any(|parameter| parameter["name"] == "fieldValidation" && parameter["in"] == "query"));
        }
        let moved = api.get("/openapi/v3/api/v1?hash=old").await;
        assert_eq!(moved.code, 301);
        assert!(moved.header("location").starts_with("/openapi/v3/api/v1?hash="));
        assert_eq!(api.get("/openapi/v3/apis/nope/v1").await.code, 404);
        // A `List` has no path; kubectl looks for it in the older document, and does not check what it does not find.
        assert_eq!(api.get("/openapi/v2").await.json()["swagger"], "2.0");
    });
}
