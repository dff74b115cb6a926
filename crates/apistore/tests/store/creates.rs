use api_kinds::Subresource;
use apistore::{Validation, WriteVerb};
use serde_json::{Value, json};

use crate::support::*;

#[test]
fn a_created_object_has_what_the_server_gives_it() {
    run(async |api| {
        let made = api.config_map("a", "1").await;
        assert_eq!(version(&made), api.store.version());
        assert_eq!(metadata(&made, "namespace"), "n");
        assert_eq!(metadata(&made, "creationTimestamp"), "2026-01-01T00:00:00Z");
        let uid = metadata(&made, "uid");
        assert_eq!(uid.as_str().expect("a uid").as_bytes()[14], b'4', "version 4");
        assert_eq!(api.get("configmaps", "n", "a"), Some(made));
    });
}

#[test]
fn what_only_the_server_says_is_not_taken_from_a_client() {
    run(async |api| {
        let sent = json!({"name": "a", "uid": "mine", "creationTimestamp": "2001-01-01T00:00:00Z", "selfLink": "/x", "generation": 7,
            "deletionTimestamp": "2001-01-01T00:00:00Z", "deletionGracePeriodSeconds": 5});
        let made = api.create("configmaps", "n", json!({"metadata": sent})).await.expect("created");
        assert_ne!(metadata(&made, "uid"), "mine");
        assert_eq!(metadata(&made, "creationTimestamp"), "2026-01-01T00:00:00Z");
        for field in ["selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            assert!(metadata(&made, field).is_null(), "{field}");
        }
        assert_eq!(metadata(&made, "generation"), 7, "upstream keeps it for a kind that does not count generations");
    });
}

#[test]
fn a_version_must_not_be_sent() {
    run(async |api| {
        let body = json!({"metadata": {"name": "a", "resourceVersion": "4"}});
        let refused = api.create("configmaps", "n", body.clone()).await.expect_err("refused");
        assert_eq!((refused.code, refused.reason), (500, None));
        assert_eq!(refused.message, "resourceVersion should not be set on objects to be created");
        let dry = api.dry("configmaps", "n", "", WriteVerb::Create(body)).await.expect("nothing asks for it");
        assert_eq!(metadata(&dry, "resourceVersion"), "4");
    });
}

#[test]
fn a_generated_name_is_the_prefix_and_five_letters_and_fits_a_label() {
    run(async |api| {
        let made = api.create("configmaps", "n", json!({"metadata": {"generateName": "a-"}})).await.expect("created");
        let name = metadata(&made, "name");
        let (prefix, suffix) = name.as_str().expect("a name").split_at(2);
        assert_eq!((prefix, suffix.len()), ("a-", 5));
        assert!(suffix.chars().all(|letter| "bcdfghjklmnpqrstvwxz2456789".contains(letter)), "{suffix}");
        assert_eq!(metadata(&made, "generateName"), "a-");
        let long = "a".repeat(70);
        let made = api.create("configmaps", "n", json!({"metadata": {"generateName": long}})).await.expect("created");
        assert_eq!(metadata(&made, "name").as_str().expect("a name").len(), 63);
        let both = json!({"metadata": {"name": "b", "generateName": "a-"}});
        assert_eq!(metadata(&api.create("configmaps", "n", both).await.expect("created"), "name"), "b");
    });
}

#[test]
fn a_name_that_is_taken_is_refused_and_it_is_said_when_its_holder_is_going() {
    run(async |api| {
        api.config_map("a", "1").await;
        let refused = api.create("configmaps", "n", json!({"metadata": {"name": "a"}})).await.expect_err("taken");
        assert_eq!((refused.code, refused.reason), (409, Some("AlreadyExists")));
        assert_eq!(refused.message, "configmaps \"a\" already exists");
        api.merge("configmaps", "n", "a", json!({"metadata": {"finalizers": ["x.io/f"]}})).await.expect("held");
        api.delete("configmaps", "n", "a").await.expect("going");
        let refused = api.create("configmaps", "n", json!({"metadata": {"name": "a"}})).await.expect_err("taken");
        assert_eq!(refused.message, "object is being deleted: configmaps \"a\" already exists");
    });
}

#[test]
fn the_namespace_is_that_of_the_url_and_must_be_there() {
    run(async |api| {
        let body = |namespace: &str| json!({"metadata": {"name": "a", "namespace": namespace}});
        let refused = api.create("configmaps", "nope", body("other")).await.expect_err("another");
        assert_eq!(refused.message, "the namespace of the provided object does not match the namespace sent on the request");
        assert_eq!((refused.code, refused.details), (400, None));
        let refused = api.create("configmaps", "nope", body("nope")).await.expect_err("missing");
        assert_eq!((refused.code, refused.message.as_str()), (404, "namespaces \"nope\" not found"));
        let volume = json!({"metadata": {"name": "c", "namespace": "n"}, "provisioner": "p.io"});
        let made = api.create("storageclasses", "", volume).await.expect("a cluster-scoped object has none");
        assert!(metadata(&made, "namespace").is_null());
    });
}

#[test]
fn nothing_new_comes_into_a_namespace_that_is_going_and_what_is_there_can_be_changed() {
    run(async |api| {
        api.config_map("a", "1").await;
        api.delete("namespaces", "", "n").await.expect("going");
        let refused = api.create("configmaps", "n", json!({"metadata": {"name": "b"}})).await.expect_err("going");
        let why = "configmaps \"b\" is forbidden: unable to create new content in namespace n because it is being terminated";
        assert_eq!((refused.code, refused.message.as_str()), (403, why));
        let cause = refused.details.expect("details").causes.remove(0);
        assert_eq!((cause.reason.as_str(), cause.field.as_str()), ("NamespaceTerminating", "metadata.namespace"));
        assert_eq!(cause.message, "namespace n is being terminated");
        api.merge("configmaps", "n", "a", json!({"data": {"k": "2"}})).await.expect("changed");
    });
}

#[test]
fn unknown_fields_are_dropped_and_reported_as_the_request_wants_it() {
    run(async |api| {
        let body = |name: &str| json!({"metadata": {"name": name, "nope": 1}, "foo": 1});
        let warnings = ["unknown field \"foo\"".to_owned(), "unknown field \"metadata.nope\"".to_owned()];
        for (name, validation, wanted) in [("a", Validation::Warn, &warnings[..]), ("b", Validation::Ignore, &[])] {
            let mut request = Api::request("configmaps", "n", "", WriteVerb::Create(body(name)));
            request.options.validation = validation;
            let written = api.store.write(request).await.expect("created");
            assert_eq!(written.warnings, wanted);
            assert!(object(written).get("foo").is_none());
        }
        let mut request = Api::request("configmaps", "n", "", WriteVerb::Create(body("c")));
        request.options.validation = Validation::Strict;
        request.options.duplicates = vec!["duplicate field \"data.a\"".to_owned()];
        let refused = api.store.write(request).await.expect_err("strict");
        assert_eq!(
            refused.message,
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: duplicate field \"data.a\", \
             unknown field \"foo\", unknown field \"metadata.nope\""
        );
    });
}

#[test]
fn a_body_of_another_kind_or_type_is_refused_in_upstreams_words() {
    run(async |api| {
        let head = "cannot be handled as a ConfigMap:";
        let cases = [
            (
                json!({"kind": "Secret", "apiVersion": "v1"}),
                format!("Secret in version \"v1\" {head} converting (v1.Secret) to (core.ConfigMap): unknown conversion"),
            ),
            (
                json!({"kind": "ConfigMap", "apiVersion": "v2"}),
                format!(
                    "ConfigMap in version \"v2\" {head} no kind \"ConfigMap\" is registered for version \"v2\" in scheme \
                     \"pkg/runtime/scheme.go:111\""
                ),
            ),
            (
                json!({"data": 1}),
                format!(
                    "ConfigMap in version \"v1\" {head} json: cannot unmarshal number into Go struct field ConfigMap.data of type \
                     map[string]string"
                ),
            ),
        ];
        for (body, message) in cases {
            let refused = api.create("configmaps", "n", body).await.expect_err("refused");
            assert_eq!((refused.code, refused.message), (400, message));
        }
    });
}

#[test]
fn a_dry_run_answers_as_if_and_stores_nothing() {
    run(async |api| {
        let before = api.store.version();
        let verb = WriteVerb::Create(json!({"metadata": {"generateName": "a-"}, "data": {"k": "1"}}));
        let made = api.dry("configmaps", "n", "", verb).await.expect("as if");
        assert!(metadata(&made, "uid").is_string() && metadata(&made, "name").is_string());
        assert!(metadata(&made, "resourceVersion").is_null());
        assert_eq!(api.store.version(), before);
    });
}

#[test]
fn a_put_creates_leases_and_nothing_else() {
    run(async |api| {
        let body = json!({"metadata": {"name": "a", "resourceVersion": "5"}, "spec": {}});
        let written = api.write("leases", "n", "a", WriteVerb::Update(body.clone())).await.expect("created");
        assert_eq!(written.code, 201);
        assert_eq!(version(&object(written)), api.store.version());
        let refused = api.update("configmaps", "n", "a", json!({"metadata": {"name": "a"}})).await.expect_err("absent");
        assert_eq!((refused.code, refused.message.as_str()), (404, "configmaps \"a\" not found"));
    });
}

#[test]
fn a_binding_puts_a_pod_on_a_node_once() {
    run(async |api| {
        let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        api.create("pods", "n", pod).await.expect("created");
        let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "here"}});
        let mut request = Api::request("pods", "n", "p", WriteVerb::Create(binding));
        request.subresource = Subresource::Binding;
        assert_eq!(api.store.write(request.clone()).await.expect("bound").code, 201);
        let pod = api.get("pods", "n", "p").expect("a pod");
        assert_eq!(pod["spec"]["nodeName"], "here");
        let scheduled = &pod["status"]["conditions"][0];
        assert_eq!((&scheduled["type"], &scheduled["status"]), (&json!("PodScheduled"), &json!("True")));
        let refused = api.store.write(request).await.expect_err("bound already");
        let why = "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"here\"";
        assert_eq!((refused.code, refused.message.as_str()), (409, why));
    });
}

#[test]
fn a_list_of_managers_that_is_sent_along_is_kept_and_what_cannot_be_read_is_not() {
    run(async |api| {
        let entry = json!({"manager": "foo", "operation": "Update", "apiVersion": "v1", "time": "2025-01-01T00:00:00Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}}});
        let created = async |name: &str, entries: Value, data: Value| {
            let body = json!({"metadata": {"name": name, "managedFields": entries}, "data": data});
            let made = api.create("configmaps", "n", body).await.expect("created");
            let entries = metadata(&made, "managedFields").as_array().cloned().unwrap_or_default();
            entries.iter().map(|entry| entry["manager"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(created("other", json!([entry]), json!({"b": "2"})).await, ["foo", "test"]);
        assert_eq!(created("set", json!([entry]), json!({"a": "1"})).await, ["test"], "who sets a field owns it");
        for (name, entries) in [("none", json!([])), ("empty", json!([{}])), ("bad", json!([{"manager": "x"}]))] {
            assert_eq!(created(name, entries, json!({"b": "2"})).await, ["test"], "{name}");
        }
    });
}
