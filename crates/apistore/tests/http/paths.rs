//! Which path and method leads where.

use apistore::Caller;
use serde_json::json;

use crate::support::{CONFIG_MAPS, run};

const NOT_SERVED: &str = "the server could not find the requested resource";

#[test]
fn an_object_is_created_read_replaced_patched_and_deleted() {
    run(|api| async move {
        let created = api.config_map("x").await;
        assert_eq!((&created["kind"], &created["apiVersion"]), (&json!("ConfigMap"), &json!("v1")));
        let path = format!("{CONFIG_MAPS}/x");
        let read = api.get(&path).await;
        assert_eq!((read.code, read.json()), (200, created.clone()));
        assert!(
            read.text.starts_with(r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x","namespace":"n","#)
                && read.text.ends_with("}\n"),
            "{}",
            read.text
        );
        let mut changed = created.clone();
        changed["data"] = json!({"k": "w"});
        let put = api.ask("PUT", &path, &[], changed.to_string().as_bytes()).await;
        assert_eq!((put.code, &put.json()["data"]["k"]), (200, &json!("w")), "{}", put.text);
        let stale = api.ask("PUT", &path, &[], changed.to_string().as_bytes()).await;
        assert_eq!((stale.code, stale.json()["reason"].as_str()), (409, Some("Conflict")));
        let patched = api.patch(&path, "application/merge-patch+json", r#"{"data":{"l":"m"}}"#).await;
        assert_eq!((patched.code, &patched.json()["data"]), (200, &json!({"k": "w", "l": "m"})), "{}", patched.text);
        let deleted = api.ask("DELETE", &path, &[], b"").await.json();
        assert_eq!((&deleted["status"], &deleted["details"]["kind"]), (&json!("Success"), &json!("configmaps")));
        assert_eq!(api.get(&path).await.failure(), (404, "NotFound".into(), "configmaps \"x\" not found".into()));
    });
}

#[test]
fn a_list_names_its_kind_once_and_its_items_not_at_all() {
    run(|api| async move {
        let empty = api.get(CONFIG_MAPS).await.json();
        assert_eq!((&empty["kind"], &empty["items"]), (&json!("ConfigMapList"), &json!([])));
        for name in ["b", "a", "c"] {
            api.config_map(name).await;
        }
        let reply = api.get(CONFIG_MAPS).await;
        assert_eq!(reply.code, 200);
        let list = reply.json();
        let names: Vec<&str> =
            list["items"].as_array().expect("items").iter().filter_map(|item| item["metadata"]["name"].as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(list["items"][0].get("kind").is_none() && list["items"][0].get("apiVersion").is_none());
        assert_eq!(list["metadata"]["resourceVersion"], api.store.version().to_string());
        assert_eq!(api.get("/api/v1/configmaps").await.json()["items"], list["items"]);
    });
}

#[test]
fn a_long_list_is_whole_and_its_length_is_known_beforehand() {
    run(|api| async move {
        for at in 0..600 {
            let data = "x".repeat(400);
            let body = json!({"metadata": {"name": format!("c{at:04}")}, "data": {"k": data}});
            assert_eq!(api.post(CONFIG_MAPS, body).await.code, 201);
        }
        let expected = http_body_length(&api.response("GET", CONFIG_MAPS, &[], b"").await);
        let reply = api.get(CONFIG_MAPS).await;
        assert_eq!(reply.json()["items"].as_array().map(Vec::len), Some(600));
        assert_eq!(expected, Some(reply.text.len() as u64));
    });
}

fn http_body_length(response: &http::Response<apistore::Body>) -> Option<u64> {
    hyper::body::Body::size_hint(response.body()).exact()
}

#[test]
fn pages_are_followed_by_their_token_and_count_what_is_left() {
    run(|api| async move {
        for name in ["a", "b", "c"] {
            api.config_map(name).await;
        }
        let first = api.get(&format!("{CONFIG_MAPS}?limit=2")).await.json();
        assert_eq!((first["items"].as_array().map(Vec::len), &first["metadata"]["remainingItemCount"]), (Some(2), &json!(1)));
        let token = first["metadata"]["continue"].as_str().expect("a token");
        let rest = api.get(&format!("{CONFIG_MAPS}?limit=2&continue={token}")).await.json();
        assert_eq!(rest["items"][0]["metadata"]["name"], "c");
        assert!(rest["metadata"].get("continue").is_none());
    });
}

#[test]
fn a_trailing_slash_is_ignored() {
    run(|api| async move {
        api.config_map("x").await;
        for path in ["/api/", "/apis/", "/api/v1/", "/version/", "/api/v1/namespaces/n/", "/api/v1/namespaces/n/configmaps/x/"] {
            assert_eq!(api.get(path).await.code, 200, "{path}");
        }
    });
}

#[test]
fn paths_outside_of_what_is_served_are_answered_with_a_text() {
    run(|api| async move {
        for path in ["/foo", "/apis/nope.example", "/apis/nope.example/v1/foos", "//api/v1", "/api/v1//pods", "/healthz/"] {
            let reply = api.get(path).await;
            assert_eq!((reply.code, reply.text.as_str()), (404, "404 page not found\n"), "{path}");
            assert_eq!(reply.header("x-content-type-options"), "nosniff");
            assert!(reply.header("content-type").starts_with("text/plain"));
        }
    });
}

#[test]
fn unknown_resources_of_known_groups_are_answered_with_a_status() {
    run(|api| async move {
        for path in [
            "/api/v2",
            "/apis/storage.k8s.io/v1beta1",
            "/api/v1/foos",
            "/api/v1/pods/x",
            "/api/v1/namespaces/n/nodes",
            "/api/v1/namespaces/n/nodes/x",
            "/api/v1/namespaces/n/configmaps/x/status",
            "/api/v1/namespaces/n/configmaps/x/foo",
            "/api/v1/namespaces/n/pods/x/status/foo",
            "/api/v1/nodes/x%2Fy",
        ] {
            let reply = api.get(path).await;
            assert_eq!(reply.failure(), (404, "NotFound".into(), NOT_SERVED.into()), "{path}");
            assert_eq!(reply.json()["details"], json!({}), "{path}");
        }
    });
}

#[test]
fn a_method_that_does_not_fit_is_405() {
    run(|api| async move {
        api.config_map("x").await;
        for (method, path) in [
            ("POST", "/api/v1/namespaces/n/configmaps/x"),
            ("PUT", CONFIG_MAPS),
            ("PATCH", CONFIG_MAPS),
            ("POST", "/api/v1/configmaps"),
            ("DELETE", "/api/v1/configmaps"),
            ("DELETE", "/api/v1/namespaces"),
            ("POST", "/api/v1"),
            ("POST", "/version"),
            ("HEAD", "/api/v1/namespaces/n/configmaps/x"),
            ("OPTIONS", CONFIG_MAPS),
            ("GET", "/api/v1/namespaces/n/serviceaccounts/x/token"),
            ("DELETE", "/api/v1/namespaces/n/pods/x/status"),
            ("FOO", CONFIG_MAPS),
        ] {
            let reply = api.ask(method, path, &[], b"{}").await;
            let message = "the server does not allow this method on the requested resource";
            assert_eq!(reply.failure(), (405, "MethodNotAllowed".into(), message.into()), "{method} {path}");
        }
    });
}

#[test]
fn namespaces_have_subresources_and_not_collections_of_that_name() {
    run(|api| async move {
        let status = api.get("/api/v1/namespaces/n/status").await;
        assert_eq!((status.code, status.json()["kind"].as_str()), (200, Some("Namespace")));
    });
}

#[test]
fn a_stranger_may_only_ask_whether_the_server_is_there() {
    run(|api| async move {
        let stranger = crate::support::Asker { caller: Caller::Anonymous, ..api };
        for path in ["/version", "/healthz", "/livez", "/readyz", "/readyz/ping"] {
            assert_eq!(stranger.get(path).await.code, 200, "{path}");
        }
        for (method, path, message) in [
            (
                "GET",
                "/api/v1/pods",
                r#"pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" at the cluster scope"#,
            ),
            (
                "GET",
                "/api/v1/nodes?watch=1",
                r#"nodes is forbidden: User "system:anonymous" cannot watch resource "nodes" in API group "" at the cluster scope"#,
            ),
            (
                "PATCH",
                "/api/v1/namespaces/a/pods/x/status",
                r#"pods "x" is forbidden: User "system:anonymous" cannot patch resource "pods/status" in API group "" in the namespace "a""#,
            ),
            (
                "DELETE",
                "/api/v1/namespaces/a/pods",
                r#"pods is forbidden: User "system:anonymous" cannot deletecollection resource "pods" in API group "" in the namespace "a""#,
            ),
            ("GET", "/apis/storage.k8s.io/v1", r#"forbidden: User "system:anonymous" cannot get path "/apis/storage.k8s.io/v1""#),
            ("GET", "/foo", r#"forbidden: User "system:anonymous" cannot get path "/foo""#),
        ] {
            assert_eq!(
                stranger.ask(method, path, &[], b"").await.failure(),
                (403, "Forbidden".into(), message.into()),
                "{method} {path}"
            );
        }
    });
}

#[test]
fn every_answer_has_an_audit_id_which_the_client_may_choose() {
    run(|api| async move {
        let (one, other) = (api.get("/version").await, api.get("/foo").await);
        assert!(one.header("audit-id").len() == 36 && one.header("audit-id") != other.header("audit-id"));
        assert_eq!(one.header("cache-control"), "no-cache, private");
        assert_eq!(one.header("date"), "Thu, 01 Jan 2026 00:00:00 GMT");
        assert_eq!(api.ask("GET", "/version", &[("audit-id", "mine")], b"").await.header("audit-id"), "mine");
    });
}
