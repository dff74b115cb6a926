//! Shapes and formats of answers.

use serde_json::{Value, json};

use crate::support::{CONFIG_MAPS, run};

const TABLE: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

#[test]
fn json_is_compact_for_programs_and_indented_for_people() {
    run(|api| async move {
        let path = "/api/v1/namespaces/n";
        for (query, agent, pretty) in
            [("", "kubectl/1", false), ("?pretty=true", "x", true), ("", "curl/8", true), ("?pretty=0", "curl/8", false)]
        {
            let reply = api.ask("GET", &format!("{path}{query}"), &[("user-agent", agent)], b"").await;
            assert_eq!(reply.text.starts_with("{\n  \"kind\": \"Namespace\",\n"), pretty, "{query} {agent}: {}", reply.text);
            assert_eq!(reply.json()["metadata"]["name"], "n");
        }
        let list = api.ask("GET", CONFIG_MAPS, &[("user-agent", "curl/8")], b"").await;
        assert!(list.text.starts_with("{\n  \"kind\": \"ConfigMapList\""), "{}", list.text);
    });
}

#[test]
fn the_first_format_that_is_known_is_taken() {
    run(|api| async move {
        for (accept, kind) in [
            ("*/*", "application/json"),
            ("", "application/json"),
            ("application/vnd.kubernetes.protobuf,application/json", "application/json"),
            ("application/yaml", "application/yaml"),
            ("application/json;q=0.1,application/yaml", "application/yaml"),
            ("application/json;profile=nopeer", "application/json"),
        ] {
            let reply = api.accept("/api/v1/namespaces/n", accept).await;
            assert_eq!((reply.code, reply.header("content-type")), (200, kind), "{accept}");
        }
        let yaml = api.accept(CONFIG_MAPS, "application/yaml").await;
        let value: Value = serde_yaml::from_str(&yaml.text).expect("YAML");
        assert_eq!(value["kind"], "ConfigMapList");
    });
}

#[test]
fn formats_that_are_not_served_are_406() {
    run(|api| async move {
        let all = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
        let only = format!("only the following media types are accepted: {all}");
        let representations = format!("406: Not Acceptable\n\nAvailable representations: {all}");
        let path = "/api/v1/namespaces/n";
        for (path, accept, message) in [
            (path, "text/html", representations.as_str()),
            (path, "application/cbor", &representations),
            (path, "application/json;as=Foo;v=v1;g=meta.k8s.io", &only),
            (path, "application/json;as=Table;v=v2;g=meta.k8s.io", &only),
            ("/apis", "application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList", &only),
            (
                path,
                "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
                "you requested PartialObjectMetadataList, but the requested object is not a list (*core.Namespace)",
            ),
            (
                "/api/v1/namespaces",
                "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
                "you requested PartialObjectMetadata, but the requested object is a list (*core.NamespaceList)",
            ),
        ] {
            assert_eq!(api.accept(path, accept).await.failure(), (406, "NotAcceptable".into(), message.into()), "{accept}");
        }
    });
}

#[test]
fn metadata_can_be_had_alone() {
    run(|api| async move {
        let created = api.config_map("x").await;
        let one =
            api.accept(&format!("{CONFIG_MAPS}/x"), "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").await.json();
        let expected = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": created["metadata"]});
        assert_eq!(one, expected);
        let list = api.accept(CONFIG_MAPS, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").await.json();
        assert_eq!((&list["kind"], &list["items"]), (&json!("PartialObjectMetadataList"), &json!([expected])));
    });
}

#[test]
fn tables_have_columns_and_a_row_for_each_object() {
    run(|api| async move {
        let created = api.config_map("x").await;
        for path in [CONFIG_MAPS.to_owned(), format!("{CONFIG_MAPS}/x")] {
            let reply = api.accept(&path, TABLE).await;
            assert_eq!(reply.header("content-type"), "application/json");
            let table = reply.json();
            assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
            assert_eq!(table["columnDefinitions"][0]["name"], "Name");
            assert_eq!(table["rows"][0]["cells"][0], "x");
            assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
            assert_eq!(table["rows"][0]["object"]["metadata"], created["metadata"]);
        }
        let whole = api.accept(&format!("{CONFIG_MAPS}?includeObject=Object"), TABLE).await.json();
        assert_eq!(whole["rows"][0]["object"], created);
        let none = api.accept(&format!("{CONFIG_MAPS}?includeObject=None"), TABLE).await.json();
        assert_eq!(none["rows"][0]["object"], Value::Null);
        let foo = api.accept(&format!("{CONFIG_MAPS}?includeObject=Foo"), TABLE).await;
        let message = "Unable to convert to Table as requested: includeObject: Invalid value: \"Foo\": must be 'Metadata', 'Object', 'None', or empty";
        assert_eq!(foo.failure(), (400, "BadRequest".into(), message.into()));
        let old = api.accept(CONFIG_MAPS, "application/json;as=Table;v=v1beta1;g=meta.k8s.io").await.json();
        assert_eq!(old["apiVersion"], "meta.k8s.io/v1beta1");
        let posted =
            api.ask("POST", CONFIG_MAPS, &[("accept", TABLE)], json!({"metadata": {"name": "z"}}).to_string().as_bytes()).await;
        assert_eq!((posted.code, &posted.json()["rows"][0]["cells"][0]), (201, &json!("z")));
        assert_eq!(api.accept(&format!("{CONFIG_MAPS}/absent"), TABLE).await.json()["kind"], "Status");
    });
}
