use apimachinery::Status;
use apistore::{Patch, WriteVerb, Written};
use serde_json::{Value, json};

use crate::support::*;

async fn apply_as(api: &Api, manager: &str, plural: &str, name: &str, config: Value, force: bool) -> Result<Written, Status> {
    let verb = WriteVerb::Patch(Patch::Apply { force }, config.to_string().into());
    let mut request = Api::request(plural, "n", name, verb);
    request.options.manager = manager.to_owned();
    api.store.write(request).await
}

fn config(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data})
}

#[test]
fn apply_creates_and_the_same_again_changes_nothing() {
    run(async |api| {
        let written = apply_as(&api, "m1", "configmaps", "a", config(json!({"k": "1"})), false).await.expect("created");
        assert_eq!(written.code, 201);
        let made = object(written);
        let entry = &made["metadata"]["managedFields"][0];
        assert_eq!((&entry["manager"], &entry["operation"]), (&json!("m1"), &json!("Apply")));
        api.ctx.sleep(std::time::Duration::from_secs(5)).await;
        let again = apply_as(&api, "m1", "configmaps", "a", config(json!({"k": "1"})), false).await.expect("applied");
        assert_eq!(again.code, 200);
        assert_eq!(object(again), made, "not even a time");
    });
}

#[test]
fn what_is_no_longer_said_goes_and_what_another_says_is_a_conflict() {
    run(async |api| {
        apply_as(&api, "m1", "configmaps", "a", config(json!({"k": "1", "l": "1"})), false).await.expect("created");
        let less = object(apply_as(&api, "m1", "configmaps", "a", config(json!({"k": "1"})), false).await.expect("applied"));
        assert_eq!(less["data"], json!({"k": "1"}));
        let refused = apply_as(&api, "m2", "configmaps", "a", config(json!({"k": "2"})), false).await.expect_err("a conflict");
        assert_eq!(
            (refused.code, refused.message.as_str()),
            (409, "Apply failed with 1 conflict: conflict with \"m1\": .data.k")
        );
        let forced = object(apply_as(&api, "m2", "configmaps", "a", config(json!({"k": "2"})), true).await.expect("forced"));
        assert_eq!(forced["data"], json!({"k": "2"}));
    });
}

#[test]
fn a_configuration_is_refused_in_the_order_in_which_upstream_looks_at_it() {
    run(async |api| {
        let cases = [
            (json!({"data": {}}), 400, "invalid object type: /, Kind="),
            (json!({"apiVersion": "v1", "kind": "Secret"}), 400, "invalid object type: /v1, Kind=Secret"),
            (
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": []}}),
                400,
                "metadata.managedFields must be nil",
            ),
            (
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z"}, "data": {"a": 1}}),
                500,
                "failed to create typed patch object (/z; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}",
            ),
            (
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "z"}}),
                400,
                "the name of the object (z) does not match the name on the URL (a)",
            ),
            (
                json!({"apiVersion": "v1", "kind": "ConfigMap"}),
                400,
                "the name of the object (a based on URL) was undeterminable: name must be provided",
            ),
            (
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "zz"}}),
                409,
                "Operation cannot be fulfilled on configmaps \"a\": uid mismatch: the provided object specified uid zz, and no \
                 existing object was found",
            ),
        ];
        for (config, code, message) in cases {
            let refused = apply_as(&api, "m", "configmaps", "a", config, false).await.expect_err("refused");
            assert_eq!((refused.code, refused.message.as_str()), (code, message));
        }
    });
}

#[test]
fn an_applied_value_that_go_cannot_read_is_an_error_of_the_server() {
    run(async |api| {
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "q"}, "spec": {"renewTime": "xx"}});
        let refused = apply_as(&api, "m", "leases", "q", lease, false).await.expect_err("no time");
        let why = "failed to convert new object (/q; coordination.k8s.io/v1, Kind=Lease) to proper version: unable to convert \
            unstructured object to coordination.k8s.io/v1, Kind=Lease: parsing time \"xx\" as \"2006-01-02T15:04:05.000000Z07:00\": \
            cannot parse \"xx\" as \"2006\"";
        assert_eq!((refused.code, refused.message.as_str()), (500, why));
    });
}

#[test]
fn the_version_of_a_configuration_is_for_what_is_there() {
    run(async |api| {
        let with = |version: &str| json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l", "resourceVersion": version}, "spec": {}});
        let made = object(apply_as(&api, "m", "leases", "l", with("5"), false).await.expect("of no account at first"));
        assert_eq!(apply_as(&api, "m", "leases", "l", with("5"), false).await.expect_err("stale").code, 409);
        let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": "x"}});
        let changed = object(apply_as(&api, "m", "leases", "l", lease, false).await.expect("without is unconditional"));
        assert_eq!(version(&changed), version(&made) + 1);
    });
}
