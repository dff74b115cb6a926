use std::collections::BTreeMap;

use prost::Message as _;
use serde_json::json;

use super::*;
use crate::csi::v1 as csi;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn request() -> csi::CreateVolumeRequest {
    csi::CreateVolumeRequest {
        name: "pvc-1".into(),
        capacity_range: Some(csi::CapacityRange { required_bytes: i64::MAX, limit_bytes: 0 }),
        volume_capabilities: vec![csi::VolumeCapability {
            access_mode: Some(csi::volume_capability::AccessMode { mode: 7 }),
            access_type: Some(csi::volume_capability::AccessType::Block(csi::volume_capability::BlockVolume {})),
        }],
        parameters: map(&[("b", "2"), ("a", "1")]),
        secrets: map(&[("password", "hunter2")]),
        ..Default::default()
    }
}

#[test]
fn a_log_line_shows_set_fields_by_their_proto_names_and_no_secret() {
    let shown = render(&request(), Secrets::Stripped);
    let expected = json!({
        "name": "pvc-1",
        "capacity_range": {"required_bytes": i64::MAX},
        "volume_capabilities": [{"block": {}, "access_mode": {"mode": "SINGLE_NODE_MULTI_WRITER"}}],
        "parameters": {"a": "1", "b": "2"},
        "secrets": "***stripped***",
    });
    assert_eq!(shown, expected);
    assert!(shown.to_string().starts_with(r#"{"capacity_range":{"#), "keys are sorted: {shown}");
}

#[test]
fn a_recording_shows_secrets() {
    assert_eq!(render(&request(), Secrets::Verbatim)["secrets"], json!({"password": "hunter2"}));
}

#[test]
fn an_empty_secrets_map_is_not_mentioned() {
    assert_eq!(
        render(&csi::DeleteVolumeRequest { volume_id: "v".into(), ..Default::default() }, Secrets::Stripped),
        json!({"volume_id": "v"})
    );
}

#[test]
fn an_enum_value_of_a_newer_peer_stays_a_number() {
    let mode = csi::volume_capability::AccessMode { mode: 99 };
    assert_eq!(render(&mode, Secrets::Stripped), json!({"mode": 99}));
}

#[test]
fn debug_never_shows_a_secret() {
    let shown = format!("{:?}", request());
    assert!(shown.contains("pvc-1") && shown.contains(STRIPPED), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("password"), "{shown}");
}

/// Every message with a secret, filled through reflection, so that a new one cannot be forgotten.
#[test]
fn every_field_marked_csi_secret_is_stripped() {
    let marked = include_str!("../../../../proto/csi.proto").matches("(csi_secret) = true").count();
    assert_eq!(crate::SECRET_FIELDS.len(), marked, "{:?}", crate::SECRET_FIELDS);
    for (message, field) in crate::SECRET_FIELDS {
        let mut filled = DynamicMessage::new(POOL.get_message_by_name(message).expect(message));
        let secret = [(MapKey::String("key".into()), Proto::String("hunter2".into()))];
        filled.set_field_by_name(field, Proto::Map(secret.into_iter().collect()));
        let shown = render_bytes(message, &filled.encode_to_vec(), Secrets::Stripped).expect(message);
        assert_eq!(shown, json!({*field: STRIPPED}), "{message}");
    }
}

#[test]
fn bytes_that_are_not_the_message_are_an_error_without_the_bytes() {
    let error = render_bytes("csi.v1.CreateVolumeRequest", b"hunter2", Secrets::Stripped).expect_err("garbage");
    assert_eq!(error.to_string(), "these bytes are not a csi.v1.CreateVolumeRequest");
    assert!(matches!(render_bytes("csi.v1.Nothing", &[], Secrets::Stripped), Err(Error::UnknownMessage(_))));
}
