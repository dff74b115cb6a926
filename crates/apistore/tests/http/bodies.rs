//! Bodies and options that are refused, in the API server's words.

use serde_json::json;

use crate::support::{CONFIG_MAPS, run};

#[test]
fn options_that_make_no_sense_are_refused() {
    run(|api| async move {
        api.config_map("x").await;
        for (query, code, message) in [
            ("limit=x", 400, r#"strconv.ParseInt: parsing "x": invalid syntax"#),
            ("watch=1&timeoutSeconds=x", 400, r#"strconv.ParseInt: parsing "x": invalid syntax"#),
            ("timeout=bogus", 400, r#"invalid timeout specified in the request URL - time: invalid duration "bogus""#),
            ("labelSelector=a+b", 400, "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("fieldSelector=foo", 400, "invalid selector: 'foo'; can't understand 'foo'"),
            (
                "fieldSelector=spec.x=1",
                400,
                r#""spec.x" is not a known field selector: only "metadata.name", "metadata.namespace""#,
            ),
            (
                "resourceVersion=abc",
                400,
                r#"invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax"#,
            ),
            (
                "watch=1&resourceVersion=abc",
                500,
                r#"resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax"#,
            ),
            (
                "sendInitialEvents=true",
                422,
                r#"ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"#,
            ),
            (
                "resourceVersionMatch=Exact&resourceVersion=0",
                422,
                r#"ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0""#,
            ),
            (
                "limit=-1&resourceVersionMatch=Bad",
                422,
                r#"ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, resourceVersionMatch: Unsupported value: "Bad": supported values: "Exact", "NotOlderThan", ""]"#,
            ),
            (
                "watch=1&resourceVersionMatch=Exact",
                422,
                r#"ListOptions.meta.k8s.io "" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]"#,
            ),
            (
                "watch=1&sendInitialEvents=true",
                422,
                r#"ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"#,
            ),
            ("continue=!", 400, "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"),
        ] {
            let reply = api.get(&format!("{CONFIG_MAPS}?{query}")).await;
            assert_eq!((reply.code, reply.failure().2.as_str()), (code, message), "{query}");
        }
        let one = api.get(&format!("{CONFIG_MAPS}/x?resourceVersion=abc")).await;
        assert_eq!((one.code, one.json().get("reason")), (500, None));
        for query in ["timeout=10s", "timeout=1h2m3.5s", "unknown=x", "limit=-1", "bad=%zz", "timeoutSeconds=5"] {
            assert_eq!(api.get(&format!("{CONFIG_MAPS}?{query}")).await.code, 200, "{query}");
        }
    });
}

#[test]
fn write_options_are_checked_before_anything_is_stored() {
    run(|api| async move {
        let long = "a".repeat(130);
        for (query, message) in [
            (
                "fieldValidation=Foo",
                r#"fieldValidation: Unsupported value: "Foo": supported values: "", "Ignore", "Strict", "Warn""#,
            ),
            ("dryRun=foo", r#"dryRun: Unsupported value: ["foo"]: supported values: "All""#),
            ("dryRun=All&dryRun=foo", r#"dryRun: Unsupported value: ["All","foo"]: supported values: "All""#),
            (&*format!("fieldManager={long}"), "fieldManager: Too long: may not be more than 128 bytes"),
        ] {
            let reply = api.post(&format!("{CONFIG_MAPS}?{query}"), json!({"metadata": {"name": "x"}})).await;
            let message = format!(r#"CreateOptions.meta.k8s.io "" is invalid: {message}"#);
            assert_eq!(reply.failure(), (422, "Invalid".into(), message), "{query}");
        }
        assert_eq!(api.get(&format!("{CONFIG_MAPS}/x")).await.code, 404);
        let tried = api.post(&format!("{CONFIG_MAPS}?dryRun=All"), json!({"metadata": {"name": "x"}})).await;
        assert_eq!(tried.code, 201, "{}", tried.text);
        assert_eq!(api.get(&format!("{CONFIG_MAPS}/x")).await.code, 404);
    });
}

#[test]
fn patches_name_their_kind_and_only_an_apply_is_forced() {
    run(|api| async move {
        api.config_map("x").await;
        let path = format!("{CONFIG_MAPS}/x");
        for kind in ["text/plain", "", "application/json", "application/apply-patch+json"] {
            let reply = api.patch(&path, kind, "{}").await;
            assert_eq!(reply.failure(), (415, "UnsupportedMediaType".into(), "415: Unsupported Media Type".into()), "{kind}");
        }
        let forced = api.patch(&format!("{path}?force=true"), "application/merge-patch+json", "{}").await;
        let message = r#"PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch"#;
        assert_eq!(forced.failure(), (422, "Invalid".into(), message.into()));
        let nobody = api.patch(&path, "application/apply-patch+yaml", "{}").await;
        let message = r#"PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch"#;
        assert_eq!(nobody.failure(), (422, "Invalid".into(), message.into()));
        let broken = api.patch(&format!("{path}?fieldManager=m"), "application/apply-patch+yaml", "a: b: c").await;
        assert_eq!(broken.code, 400);
        assert!(
            broken.failure().2.starts_with("error decoding YAML: error converting YAML to JSON: yaml: mapping values are not")
        );
        let plain = api.patch(&path, "application/merge-patch+json; charset=utf-8", "{}").await;
        assert_eq!(plain.code, 200, "{}", plain.text);
    });
}

#[test]
fn what_a_delete_says_is_in_its_body_or_else_in_the_query() {
    run(|api| async move {
        api.config_map("x").await;
        let path = format!("{CONFIG_MAPS}/x");
        let delete = |query: &str, body: &str| {
            let (api, path, body) = (api.clone(), format!("{path}?{query}"), body.to_owned());
            async move { api.ask("DELETE", &path, &[("content-type", "application/json")], body.as_bytes()).await }
        };
        for (query, body, code, message) in [
            ("", "x", 400, "couldn't get version/kind; json parse error: invalid character 'x' looking for beginning of value"),
            (
                "",
                r#"{"kind":"Foo","apiVersion":"v1"}"#,
                400,
                r#"no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111""#,
            ),
            (
                "",
                r#"{"gracePeriodSeconds":"x"}"#,
                400,
                "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
            ),
            ("gracePeriodSeconds=x", "", 400, r#"strconv.ParseInt: parsing "x": invalid syntax"#),
            (
                "",
                r#"{"propagationPolicy":"x","dryRun":["y"]}"#,
                422,
                r#"DeleteOptions.meta.k8s.io "" is invalid: [propagationPolicy: Unsupported value: "x": supported values: "Foreground", "Background", "Orphan", "nil", dryRun: Unsupported value: ["y"]: supported values: "All"]"#,
            ),
            (
                "",
                r#"{"propagationPolicy":"Orphan","orphanDependents":true}"#,
                422,
                r#"DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set"#,
            ),
        ] {
            let reply = delete(query, body).await;
            assert_eq!((reply.code, reply.failure().2.as_str()), (code, message), "{query} {body}");
        }
        assert_eq!(delete("dryRun=All", "").await.code, 200);
        assert_eq!(api.get(&path).await.code, 200);
        // A body hides the query.
        assert_eq!(delete("dryRun=All", "{}").await.code, 200);
        assert_eq!(api.get(&path).await.code, 404);
    });
}

#[test]
fn a_body_that_is_too_large_is_413() {
    run(|api| async move {
        let body = vec![b' '; 3 * 1024 * 1024 + 1];
        let reply = api.ask("POST", CONFIG_MAPS, &[], &body).await;
        let message = "Request entity too large: limit is 3145728";
        assert_eq!(reply.failure(), (413, "RequestEntityTooLarge".into(), message.into()));
    });
}

#[test]
fn a_body_of_another_kind_is_refused() {
    run(|api| async move {
        for (body, message) in [
            (
                json!({"kind": "Secret", "apiVersion": "v1"}),
                r#"Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion"#,
            ),
            (
                json!({"kind": "ConfigMap", "apiVersion": "v2"}),
                r#"ConfigMap in version "v2" cannot be handled as a ConfigMap: no kind "ConfigMap" is registered for version "v2" in scheme "pkg/runtime/scheme.go:111""#,
            ),
        ] {
            assert_eq!(api.post(CONFIG_MAPS, body).await.failure(), (400, "BadRequest".into(), message.into()));
        }
    });
}

#[test]
fn unknown_and_duplicate_fields_are_warned_about() {
    run(|api| async move {
        let body = br#"{"metadata":{"name":"x","name":"y"},"foo":1}"#;
        let reply = api.ask("POST", CONFIG_MAPS, &[], body).await;
        assert_eq!((reply.code, reply.json()["metadata"]["name"].as_str()), (201, Some("y")), "{}", reply.text);
        let warnings: Vec<&str> = reply.headers.get_all("warning").iter().filter_map(|value| value.to_str().ok()).collect();
        assert_eq!(warnings, [r#"299 - "duplicate field \"metadata.name\"""#, r#"299 - "unknown field \"foo\"""#]);
        let strict = api.ask("POST", &format!("{CONFIG_MAPS}?fieldValidation=Strict"), &[], body).await;
        assert_eq!(strict.code, 400, "{}", strict.text);
        assert!(strict.failure().2.contains(r#"strict decoding error: "#), "{}", strict.text);
    });
}

#[test]
fn yaml_is_read_and_the_manager_is_the_user_agent() {
    run(|api| async move {
        let headers = [("content-type", "application/yaml"), ("user-agent", "some-agent/v1 (x)")];
        let reply = api.ask("POST", CONFIG_MAPS, &headers, b"metadata: {name: y}\ndata: {a: b}\n").await;
        assert_eq!(reply.code, 201, "{}", reply.text);
        assert_eq!(reply.json()["metadata"]["managedFields"][0]["manager"], "some-agent", "{}", reply.text);
    });
}

#[test]
fn an_object_that_is_not_gone_yet_is_accepted_for_deletion_where_the_old_option_cascades() {
    run(|api| async move {
        let path = format!("{CONFIG_MAPS}/a");
        let delete = async |query: &str| api.ask("DELETE", &format!("{path}?{query}"), &[], b"").await.code;
        let held = json!({"metadata": {"name": "a", "finalizers": ["a/b"]}});
        assert_eq!(api.post(CONFIG_MAPS, held).await.code, 201);
        assert_eq!(delete("orphanDependents=false").await, 202);
        assert_eq!(delete("propagationPolicy=Background").await, 200);
        let again = br#"{"orphanDependents":false}"#;
        assert_eq!(api.ask("DELETE", &path, &[("content-type", "application/json")], again).await.code, 202);
        let freed = api.patch(&path, "application/merge-patch+json", r#"{"metadata":{"finalizers":null}}"#).await;
        assert_eq!(freed.code, 200, "{}", freed.text);
        api.config_map("a").await;
        assert_eq!(delete("orphanDependents=false").await, 200, "it is gone");
    });
}

#[test]
fn what_is_no_yaml_is_told_with_its_line_unless_that_is_the_first() {
    run(|api| async move {
        for (body, place) in [("a: b: c", ""), ("k: v\na: b: c", "line 2: ")] {
            let reply = api.patch(&format!("{CONFIG_MAPS}/x?fieldManager=m"), "application/apply-patch+yaml", body).await;
            let expected = format!(
                "error decoding YAML: error converting YAML to JSON: yaml: {place}mapping values are not allowed in this context"
            );
            assert_eq!((reply.code, reply.failure().2), (400, expected));
        }
    });
}
