use api_kinds::Subresource;
use apistore::WriteVerb;
use serde_json::json;

use crate::support::*;

#[test]
fn an_update_with_a_version_that_is_not_the_stored_one_is_a_conflict() {
    run(async |api| {
        let mut made = api.config_map("a", "1").await;
        made["data"]["k"] = "2".into();
        let changed = api.update("configmaps", "n", "a", made.clone()).await.expect("updated");
        assert_eq!(version(&changed), version(&made) + 1);
        made["data"]["k"] = "3".into();
        let refused = api.update("configmaps", "n", "a", made.clone()).await.expect_err("stale");
        assert_eq!((refused.code, refused.reason), (409, Some("Conflict")));
        made["metadata"]["resourceVersion"] = "999999".into();
        assert_eq!(api.update("configmaps", "n", "a", made.clone()).await.expect_err("newer").code, 409);
        made["metadata"]["resourceVersion"] = "abc".into();
        let refused = api.update("configmaps", "n", "a", made).await.expect_err("no number");
        assert_eq!((refused.code, refused.message.as_str()), (500, "strconv.ParseUint: parsing \"abc\": invalid syntax"));
    });
}

#[test]
fn without_a_version_an_update_is_unconditional_where_the_kind_allows_it() {
    run(async |api| {
        api.config_map("a", "1").await;
        let body = json!({"metadata": {"name": "a"}, "data": {"k": "2"}});
        assert_eq!(api.update("configmaps", "n", "a", body).await.expect("updated")["data"]["k"], "2");
        let lease = json!({"metadata": {"name": "a"}, "spec": {}});
        api.create("leases", "n", lease.clone()).await.expect("created");
        let refused = api.update("leases", "n", "a", lease).await.expect_err("a lease needs it");
        let why = "leases.coordination.k8s.io \"a\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update";
        assert_eq!((refused.code, refused.message.as_str()), (422, why));
    });
}

#[test]
fn the_same_content_changes_nothing_and_is_no_event() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        let before = api.store.version();
        let mut bare = json!({"metadata": {"name": "a"}, "data": {"k": "1"}});
        assert_eq!(api.update("configmaps", "n", "a", made.clone()).await.expect("updated"), made);
        assert_eq!(api.update("configmaps", "n", "a", bare.clone()).await.expect("updated"), made);
        bare["metadata"] = json!({"name": "a", "creationTimestamp": "2001-01-01T00:00:00Z", "generation": 4, "selfLink": "/x"});
        assert_eq!(api.update("configmaps", "n", "a", bare).await.expect("what the server alone says is restored"), made);
        assert_eq!(api.store.version(), before);
    });
}

#[test]
fn name_namespace_and_uid_are_those_of_the_object() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        let with = |metadata: serde_json::Value| json!({"metadata": metadata});
        let uid = metadata(&made, "uid");
        let cases = [
            (json!({"name": "v"}), 400, "the name of the object (v) does not match the name on the URL (a)".to_owned()),
            (json!({}), 400, "the name of the object (a based on URL) was undeterminable: name must be provided".to_owned()),
            (
                json!({"name": "a", "namespace": "m"}),
                400,
                "the namespace of the provided object does not match the namespace sent on the request".to_owned(),
            ),
            (
                json!({"name": "a", "uid": "x", "resourceVersion": "1"}),
                409,
                format!(
                    "Operation cannot be fulfilled on configmaps \"a\": StorageError: invalid object, Code: 4, Key: \
                     /registry/configmaps/n/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, \
                     UID in object meta: {}",
                    uid.as_str().expect("a uid")
                ),
            ),
        ];
        for (metadata, code, message) in cases {
            let refused = api.update("configmaps", "n", "a", with(metadata)).await.expect_err("refused");
            assert_eq!((refused.code, refused.message), (code, message));
        }
    });
}

#[test]
fn a_dry_run_shows_the_change_with_the_version_that_is_there() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        let body = json!({"metadata": {"name": "a"}, "data": {"k": "2"}});
        let shown = api.dry("configmaps", "n", "a", WriteVerb::Update(body)).await.expect("as if");
        assert_eq!((version(&shown), &shown["data"]["k"]), (version(&made), &json!("2")));
        assert_eq!(api.get("configmaps", "n", "a"), Some(made));
    });
}

#[test]
fn the_object_and_its_status_are_written_through_two_doors() {
    run(async |api| {
        let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Lost"}});
        let made = api.create("persistentvolumeclaims", "n", claim).await.expect("created");
        assert_eq!(made["status"]["phase"], "Pending");
        let mut both = made.clone();
        both["status"]["phase"] = "Bound".into();
        both["spec"]["volumeName"] = "v".into();
        let main = api.update("persistentvolumeclaims", "n", "c", both.clone()).await.expect("updated");
        assert_eq!((&main["status"]["phase"], &main["spec"]["volumeName"]), (&json!("Pending"), &json!("v")));
        both["metadata"]["resourceVersion"] = metadata(&main, "resourceVersion");
        both["spec"]["volumeName"] = "w".into();
        let mut request = Api::request("persistentvolumeclaims", "n", "c", WriteVerb::Update(both));
        request.subresource = Subresource::Status;
        let status = object(api.store.write(request).await.expect("updated"));
        assert_eq!((&status["status"]["phase"], &status["spec"]["volumeName"]), (&json!("Bound"), &json!("v")));
    });
}

#[test]
fn forty_writers_of_different_keys_lose_none() {
    run(async |api| {
        api.config_map("a", "1").await;
        let writes = (0..40).map(|at| {
            let api = api.clone();
            async move { api.merge("configmaps", "n", "a", json!({"data": {format!("k{at}"): "v"}})).await.expect("patched") }
        });
        futures::future::join_all(writes).await;
        let data = api.get("configmaps", "n", "a").expect("an object")["data"].clone();
        assert_eq!(data.as_object().expect("data").len(), 41);
    });
}
