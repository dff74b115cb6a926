use apistore::{Patch, Validation, WriteVerb};
use serde_json::json;

use crate::support::*;

#[test]
fn only_apply_creates() {
    run(async |api| {
        let refused = api.merge("configmaps", "n", "a", json!({})).await.expect_err("absent");
        assert_eq!((refused.code, refused.message.as_str()), (404, "configmaps \"a\" not found"));
    });
}

#[test]
fn a_patch_that_changes_nothing_keeps_the_version() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        for patch in [json!({}), json!({"data": {"k": "1"}}), json!({"data": {"absent": null}})] {
            assert_eq!(api.merge("configmaps", "n", "a", patch).await.expect("patched"), made);
        }
    });
}

#[test]
fn a_patch_can_carry_the_version_that_it_is_for() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        let patch = json!({"metadata": {"resourceVersion": metadata(&made, "resourceVersion")}, "data": {"k": "2"}});
        api.merge("configmaps", "n", "a", patch.clone()).await.expect("patched");
        let refused = api.merge("configmaps", "n", "a", patch).await.expect_err("stale");
        assert_eq!((refused.code, refused.reason), (409, Some("Conflict")));
        let unconditional = json!({"metadata": {"resourceVersion": null}, "data": {"k": "3"}});
        api.merge("configmaps", "n", "a", unconditional.clone()).await.expect("patched");
        api.create("leases", "n", json!({"metadata": {"name": "l"}, "spec": {}})).await.expect("created");
        let null = json!({"metadata": {"resourceVersion": null, "labels": {"a": "b"}}});
        assert_eq!(api.merge("leases", "n", "l", null).await.expect_err("a lease needs it").code, 422);
    });
}

#[test]
fn what_a_patch_makes_must_be_of_the_kind_and_stay_where_it_is() {
    run(async |api| {
        api.config_map("a", "1").await;
        let refused = api.merge("configmaps", "n", "a", json!({"data": {"k": 1}})).await.expect_err("a number");
        assert_eq!(refused.code, 422);
        assert!(refused.message.starts_with(" \"\" is invalid: patch: Invalid value: \"{"), "{}", refused.message);
        let end = "json: cannot unmarshal number into Go struct field ConfigMap.data of type string";
        assert!(refused.message.ends_with(end), "{}", refused.message);
        let refused = api.merge("configmaps", "n", "a", json!({"metadata": {"name": "b"}})).await.expect_err("renamed");
        assert_eq!(refused.message, "the name of the object (b) does not match the name on the URL (a)");
        let refused = api.merge("configmaps", "n", "a", json!({"metadata": {"namespace": "b"}})).await.expect_err("moved");
        assert_eq!(refused.message, "the namespace of the provided object does not match the namespace sent on the request");
    });
}

#[test]
fn a_patch_cannot_make_it_another_kind() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        let cases = [
            (json!({"kind": "ServiceAccount"}), "}\": converting (v1.ServiceAccount) to (core.ConfigMap): unknown conversion"),
            (
                json!({"apiVersion": "v2"}),
                "}\": no kind \"ConfigMap\" is registered for version \"v2\" in scheme \"pkg/runtime/scheme.go:111\"",
            ),
        ];
        for (patch, end) in cases {
            let refused = api.merge("configmaps", "n", "a", patch.clone()).await.expect_err("refused");
            assert!(refused.code == 422 && refused.message.ends_with(end), "{}", refused.message);
            let verb = WriteVerb::Patch(Patch::Strategic, patch.to_string().into());
            let strategic = api.write("configmaps", "n", "a", verb).await.map(object).expect("of no account");
            assert_eq!(strategic, made);
        }
        assert_eq!(api.merge("configmaps", "n", "a", json!({"kind": null})).await.expect("may be left out"), made);
    });
}

#[test]
fn keys_that_a_patch_has_twice_are_reported() {
    run(async |api| {
        api.config_map("a", "1").await;
        let verb = WriteVerb::Patch(Patch::Merge, r#"{"foo":1,"foo":2,"data":{"z":"1","z":"2"}}"#.into());
        let written = api.write("configmaps", "n", "a", verb).await.expect("patched");
        assert_eq!(written.warnings, [r#"duplicate field "foo""#, r#"duplicate field "data.z""#, r#"unknown field "foo""#]);
        for (kind, body, message) in [
            (
                Patch::Strategic,
                r#"{"foo":1,"foo":2}"#,
                r#" "" is invalid: patch: Invalid value: "map[foo:2]": strict decoding error: duplicate field "foo", unknown field "foo""#,
            ),
            (
                Patch::Json,
                r#"[{"op":"test","op":"add","path":"/data/y","value":"1"}]"#,
                r#"strict decoding error: json patch duplicate field "[0].op""#,
            ),
        ] {
            let mut request = Api::request("configmaps", "n", "a", WriteVerb::Patch(kind, body.into()));
            request.options.validation = Validation::Strict;
            let refused = api.store.write(request).await.expect_err("strict");
            assert!(refused.code == 422 && refused.message.ends_with(message), "{}", refused.message);
        }
    });
}

#[test]
fn unknown_fields_of_a_patch_warn_or_are_refused() {
    run(async |api| {
        api.config_map("a", "1").await;
        let verb = WriteVerb::Patch(Patch::Merge, json!({"foo": 1}).to_string().into());
        let written = api.write("configmaps", "n", "a", verb.clone()).await.expect("patched");
        assert_eq!(written.warnings, ["unknown field \"foo\""]);
        let mut request = Api::request("configmaps", "n", "a", verb);
        request.options.validation = Validation::Strict;
        let refused = api.store.write(request).await.expect_err("strict");
        assert_eq!(refused.code, 422);
        assert!(refused.message.ends_with("strict decoding error: unknown field \"foo\""), "{}", refused.message);
    });
}

#[test]
fn json_and_strategic_patches_go_the_same_way() {
    run(async |api| {
        api.config_map("a", "1").await;
        let patch = json!([{"op": "replace", "path": "/data/k", "value": "2"}]).to_string();
        let json = api.write("configmaps", "n", "a", WriteVerb::Patch(Patch::Json, patch.into())).await.map(object);
        assert_eq!(json.expect("patched")["data"]["k"], "2");
        let patch = json!({"data": {"l": "3"}}).to_string();
        let strategic = api.write("configmaps", "n", "a", WriteVerb::Patch(Patch::Strategic, patch.into())).await.map(object);
        assert_eq!(strategic.expect("patched")["data"], json!({"k": "2", "l": "3"}));
    });
}
