//! How bodies are written and read: negotiation, credentials, and what is no object.

use serde_json::{Value, json};

use crate::*;

behaviours! {
    b1_an_object_is_sent_as_json_unless_something_else_is_asked_for,
    b1b_yaml_is_sent_when_asked_for,
    b1c_the_first_acceptable_kind_wins,
    b1d_protobuf_is_sent_when_asked_for,
    b2_a_kind_that_cannot_be_sent_is_not_acceptable,
    b2b_a_shape_that_is_unknown_is_not_acceptable,
    b4_json_is_compact_and_ends_in_a_newline,
    b4b_json_is_indented_for_people,
    b5_a_body_without_a_type_is_json,
    b5b_yaml_bodies_are_read,
    b5c_the_first_document_of_a_yaml_body_counts,
    b6_bodies_of_other_types_are_refused,
    b7_protobuf_that_is_none_is_refused,
    b8_a_protobuf_body_can_be_answered_in_json,
    b10_a_body_that_is_too_large_is_refused,
    b11_a_body_that_is_no_json_is_refused,
    b11b_an_empty_body_is_refused,
    b11c_junk_after_a_body_is_refused,
    b12_kind_and_version_of_a_built_in_kind_may_be_absent,
    b12b_null_is_an_empty_object,
    b13_another_kind_is_refused,
    b14_an_unknown_version_is_refused,
    b15_a_value_of_the_wrong_type_is_refused,
    b15b_metadata_of_the_wrong_type_is_refused,
    b16_a_time_that_is_none_is_refused,
    b16b_a_micro_time_needs_six_digits,
    b17_a_quantity_that_is_none_is_refused,
    b17b_base64_that_is_none_is_refused,
    b18_who_shows_no_credentials_is_forbidden_everything,
    b18b_an_unknown_token_is_unauthorized,
}

const TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

async fn b1_an_object_is_sent_as_json_unless_something_else_is_asked_for(w: &World) {
    let (path, made) = w.config_map("x").await;
    for call in [w.get(&path), w.get(&path).accept("*/*"), w.get(&path).accept("application/json")] {
        let reply = call.await;
        assert_eq!((reply.ok(), reply.header("content-type")), (made.clone(), "application/json"));
    }
}

async fn b1b_yaml_is_sent_when_asked_for(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.get(&path).accept("application/yaml").await;
    assert_eq!((reply.code, reply.header("content-type")), (200, "application/yaml"));
    assert!(reply.text().contains("kind: ConfigMap\n"), "{}", reply.text());
}

async fn b1d_protobuf_is_sent_when_asked_for(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.get(&path).accept("application/vnd.kubernetes.protobuf").await;
    if w.is_exception() {
        reply.refused_with(406, "NotAcceptable", &["application/json, application/yaml"]);
        // Whoever accepts JSON besides, as kubectl does, gets that.
        let reply = w.get(&path).accept("application/vnd.kubernetes.protobuf,application/json").await;
        return assert_eq!((reply.code, reply.header("content-type")), (200, "application/json"));
    }
    assert_eq!((reply.code, reply.header("content-type")), (200, "application/vnd.kubernetes.protobuf"));
    assert_eq!(&reply.body[..4], b"k8s\0");
}

async fn b1c_the_first_acceptable_kind_wins(w: &World) {
    let (path, _) = w.config_map("x").await;
    let reply = w.get(&path).accept("application/yaml,application/json").await;
    assert_eq!(reply.header("content-type"), "application/yaml");
    let reply = w.get(&path).accept("text/html,application/json").await;
    assert_eq!(reply.header("content-type"), "application/json");
}

async fn b2_a_kind_that_cannot_be_sent_is_not_acceptable(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = format!("406: Not Acceptable\n\nAvailable representations: {TYPES}");
    for kind in ["text/html", "image/png", "application/*"] {
        let details = w.get(&path).accept(kind).await.refused(406, "NotAcceptable", &message);
        assert_eq!(details, json!({}));
    }
}

async fn b2b_a_shape_that_is_unknown_is_not_acceptable(w: &World) {
    let (path, _) = w.config_map("x").await;
    let message = format!("only the following media types are accepted: {TYPES}");
    for shape in ["as=Foo;v=v1;g=meta.k8s.io", "as=Table;v=v2;g=meta.k8s.io"] {
        w.get(&path).accept(&format!("application/json;{shape}")).await.refused(406, "NotAcceptable", &message);
    }
}

async fn b4_json_is_compact_and_ends_in_a_newline(w: &World) {
    let (path, _) = w.config_map("x").await;
    let text = w.get(&path).await.text();
    assert!(text.starts_with("{\"kind\":\"ConfigMap\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"x\","), "{text}");
    assert!(text.ends_with("}\n") && text.matches('\n').count() == 1, "{text}");
}

async fn b4b_json_is_indented_for_people(w: &World) {
    let (path, _) = w.config_map("x").await;
    for call in [w.get(&format!("{path}?pretty=true")), w.get(&path).header("user-agent", "curl/8.0")] {
        let text = call.await.text();
        assert!(text.starts_with("{\n  \"kind\": \"ConfigMap\",\n  \"apiVersion\": \"v1\",\n"), "{text}");
    }
}

async fn b5_a_body_without_a_type_is_json(w: &World) {
    let collection = w.core("configmaps").await;
    w.call("POST", &collection).body(config_map("x").to_string()).await.made();
    w.post(&collection, &config_map("y")).content_type("application/json; charset=utf-8").await.made();
}

async fn b5b_yaml_bodies_are_read(w: &World) {
    let collection = w.core("configmaps").await;
    let body = "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: x\ndata:\n  a: \"1\"\n";
    let made = w.call("POST", &collection).content_type("application/yaml").body(body).await.made();
    assert_eq!(made["data"], json!({"a": "1"}));
}

async fn b5c_the_first_document_of_a_yaml_body_counts(w: &World) {
    let collection = w.core("configmaps").await;
    let body =
        "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: x\n---\nkind: ConfigMap\napiVersion: v1\nmetadata:\n  name: y\n";
    w.call("POST", &collection).content_type("application/yaml").body(body).await.made();
    w.get(&format!("{collection}/y")).await.missing("configmaps", "y");
}

async fn b6_bodies_of_other_types_are_refused(w: &World) {
    let collection = w.core("configmaps").await;
    let message = format!("the body of the request was in an unknown format - accepted media types include: {TYPES}");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "nonsense"] {
        let reply = w.post(&collection, &config_map("x")).content_type(kind).await;
        assert_eq!(reply.refused(415, "UnsupportedMediaType", &message), Value::Null);
    }
}

async fn b7_protobuf_that_is_none_is_refused(w: &World) {
    let collection = w.core("configmaps").await;
    let reply = w.post(&collection, &config_map("x")).content_type("application/vnd.kubernetes.protobuf").await;
    let message = "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (";
    reply.refused_with(400, "BadRequest", &[message]);
}

/// A field with bytes in it.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("a short field");
    [&[number << 3 | 2, length], bytes].concat()
}

async fn b8_a_protobuf_body_can_be_answered_in_json(w: &World) {
    let collection = w.core("configmaps").await;
    let kind = [field(1, b"v1"), field(2, b"ConfigMap")].concat();
    let entry = [field(1, b"key"), field(2, b"value")].concat();
    let object = [field(1, &field(1, b"x")), field(2, &entry)].concat();
    let body = [b"k8s\0".to_vec(), field(1, &kind), field(2, &object)].concat();
    let call = w.call("POST", &collection).content_type("application/vnd.kubernetes.protobuf");
    let made = call.accept("application/json").body(body).await.made();
    includes(&made, &json!({"kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"key": "value"}}));
}

async fn b10_a_body_that_is_too_large_is_refused(w: &World) {
    let collection = w.core("configmaps").await;
    let mut body = config_map("x");
    body["data"]["a"] = "x".repeat(3_145_728).into();
    let reply = w.post(&collection, &body).await;
    reply.refused(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
}

async fn no_object(w: &World, body: &str, message: &str) {
    let collection = w.core("configmaps").await;
    let reply = w.call("POST", &collection).content_type("application/json").body(body).await;
    reply.bad_request(&format!("the object provided is unrecognized (must be of type ConfigMap): {message}"));
}

async fn b11_a_body_that_is_no_json_is_refused(w: &World) {
    no_object(w, "{", "couldn't get version/kind; json parse error: unexpected end of JSON input ({)").await;
}

async fn b11b_an_empty_body_is_refused(w: &World) {
    no_object(w, "", "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)").await;
}

async fn b11c_junk_after_a_body_is_refused(w: &World) {
    let body = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"x\"}} trailing";
    let message = "couldn't get version/kind; json parse error: invalid character 't' after top-level value ({\"apiVersion\":\"v1\",\"kind\":\"Con ...)";
    no_object(w, body, message).await;
}

async fn b12_kind_and_version_of_a_built_in_kind_may_be_absent(w: &World) {
    let collection = w.core("configmaps").await;
    let made = w.post(&collection, &json!({"metadata": {"name": "x"}})).await.made();
    includes(&made, &json!({"kind": "ConfigMap", "apiVersion": "v1"}));
}

async fn b12b_null_is_an_empty_object(w: &World) {
    let collection = w.core("configmaps").await;
    for body in [json!(null), json!({})] {
        let error = ("metadata.name", "Required", "Required value: name or generateName is required");
        w.post(&collection, &body).await.invalid("ConfigMap", "", &[error]);
    }
}

/// A ConfigMap whose body is refused as undecodable.
async fn cannot(w: &World, plural: &str, body: Value, message: &str) {
    let collection = w.core(plural).await;
    w.post(&collection, &body).await.bad_request(message);
}

async fn b13_another_kind_is_refused(w: &World) {
    let message = "Secret in version \"v1\" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion";
    cannot(w, "configmaps", secret("x"), message).await;
}

async fn b14_an_unknown_version_is_refused(w: &World) {
    let mut body = config_map("x");
    body["apiVersion"] = "v2".into();
    let message = "ConfigMap in version \"v2\" cannot be handled as a ConfigMap: no kind \"ConfigMap\" is registered for version \"v2\" in scheme \"pkg/runtime/scheme.go:111\"";
    cannot(w, "configmaps", body, message).await;
}

async fn b15_a_value_of_the_wrong_type_is_refused(w: &World) {
    let mut body = config_map("x");
    body["data"]["a"] = 1.into();
    let message = "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string";
    cannot(w, "configmaps", body, message).await;
}

async fn b15b_metadata_of_the_wrong_type_is_refused(w: &World) {
    let mut body = config_map("x");
    body["metadata"]["labels"] = json!({"a": 1});
    let message = "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string";
    cannot(w, "configmaps", body, message).await;
}

async fn b16_a_time_that_is_none_is_refused(w: &World) {
    let mut body = config_map("x");
    body["metadata"]["creationTimestamp"] = "xx".into();
    let message = "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: parsing time \"xx\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"xx\" as \"2006\"";
    cannot(w, "configmaps", body, message).await;
}

async fn b16b_a_micro_time_needs_six_digits(w: &World) {
    let collection = w.group(LEASES, "leases").await;
    let mut body = lease("x");
    body["spec"]["renewTime"] = "2026-01-01T00:00:00Z".into();
    let message =
        "parsing time \"2026-01-01T00:00:00Z\" as \"2006-01-02T15:04:05.000000Z07:00\": cannot parse \"Z\" as \".000000\"";
    w.post(&collection, &body).await.bad_request(&format!("Lease in version \"v1\" cannot be handled as a Lease: {message}"));
    body["spec"]["renewTime"] = "2026-01-01T00:00:00.000000Z".into();
    assert_eq!(w.post(&collection, &body).await.made()["spec"]["renewTime"], "2026-01-01T00:00:00.000000Z");
}

async fn b17_a_quantity_that_is_none_is_refused(w: &World) {
    let mut body = claim("x");
    body["spec"]["resources"]["requests"]["storage"] = "lots".into();
    let message = "PersistentVolumeClaim in version \"v1\" cannot be handled as a PersistentVolumeClaim: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    cannot(w, "persistentvolumeclaims", body, message).await;
}

async fn b17b_base64_that_is_none_is_refused(w: &World) {
    let body = json!({"metadata": {"name": "x"}, "data": {"a": "!!"}});
    let message = "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 0";
    cannot(w, "secrets", body, message).await;
}

async fn b18_who_shows_no_credentials_is_forbidden_everything(w: &World) {
    let message = "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\"";
    let details = w.anonymous("GET", "/api/v1/pods").await.refused(403, "Forbidden", &format!("{message} at the cluster scope"));
    assert_eq!(details, json!({"kind": "pods"}));
    let reply = w.anonymous("GET", "/api/v1/namespaces/apib/pods").await;
    reply.refused(403, "Forbidden", &format!("{message} in the namespace \"apib\""));
}

async fn b18b_an_unknown_token_is_unauthorized(w: &World) {
    let call = w.anonymous("GET", "/api/v1/pods").header("authorization", "Bearer nonsense");
    assert_eq!(call.await.refused(401, "Unauthorized", "Unauthorized"), Value::Null);
}
