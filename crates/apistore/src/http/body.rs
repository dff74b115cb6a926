//! The body of a request.

mod yaml;

use std::pin::pin;

use api_kinds::{Registry, Resource};
use apimachinery::{Details, FieldError, Status, json};
use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::BodyExt;
use serde_json::Value;

use super::protobuf;

/// Larger bodies are refused, as upstream does.
const LIMIT: usize = 3 * 1024 * 1024;
/// How much of a body a message shows.
const SHOWN: usize = 30;

/// All of a request's body.
pub(super) async fn collect<B: hyper::body::Body>(body: B) -> Result<Bytes, Status> {
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::bad_request("the request's body ended early"))?;
        let Ok(mut data) = frame.into_data() else { continue };
        if whole.len() + data.remaining() > LIMIT {
            let details = Some(Details::default());
            let message = format!("Request entity too large: limit is {LIMIT}");
            return Err(Status { details, ..Status::plain(413, Some("RequestEntityTooLarge"), message) });
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            whole.extend_from_slice(chunk);
            let read = chunk.len();
            data.advance(read);
        }
    }
    Ok(whole.freeze())
}

/// `Content-Type`; empty if it is absent.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// 415 for a body.
pub(super) fn unsupported(accepted: &str) -> Status {
    let message = format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
    Status::plain(415, Some("UnsupportedMediaType"), message)
}

/// How a body is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Json,
    Yaml,
    Protobuf,
}

fn written(content_type: &str) -> Result<Written, Status> {
    match content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "application/json" => Ok(Written::Json),
        "application/yaml" => Ok(Written::Yaml),
        "application/vnd.kubernetes.protobuf" => Ok(Written::Protobuf),
        _ => Err(unsupported("application/json, application/yaml, application/vnd.kubernetes.protobuf")),
    }
}

/// Reads a body that holds an object of this resource: the value, and `duplicate field "…"` for each key that is there twice.
///
/// # Errors
/// 415 for a format that is none, 400 for a body that cannot be read.
pub(super) fn read(content_type: &str, bytes: &[u8], resource: &Resource, kind: &str) -> Result<(Value, Vec<String>), Status> {
    object(content_type, bytes, resource.custom.is_none(), kind)
}

fn object(content_type: &str, bytes: &[u8], merge: bool, kind: &str) -> Result<(Value, Vec<String>), Status> {
    let unrecognized = |why: String| {
        let shown = shown(bytes);
        Status::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why} ({shown})"))
    };
    let (value, oddities) = parse(content_type, bytes, merge, kind).map_err(|error| match error {
        Unread::Status(status) => status,
        Unread::Text(text) => unrecognized(text),
        Unread::Content { kind: said, version, why } => {
            Status::bad_request(format!("{said} in version {version:?} cannot be handled as a {kind}: {why}"))
        }
    })?;
    envelope(&value).map_err(unrecognized)?;
    Ok((value, oddities))
}

/// Reads a body that holds a question, whose kind may be left out.
pub(super) fn plain(content_type: &str, bytes: &[u8], kind: &str) -> Result<Value, Status> {
    let (value, _) = object(content_type, bytes, true, kind)?;
    let found = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    if !found.is_empty() && found != kind {
        let version = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        let why = format!("no kind {found:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\"");
        return Err(Status::bad_request(format!("{found} in version {version:?} cannot be handled as a {kind}: {why}")));
    }
    Ok(value)
}

/// Why a body is not read.
enum Unread {
    Status(Status),
    Text(String),
    /// What is inside is not what it says it is.
    Content {
        kind: String,
        version: String,
        why: String,
    },
}

/// `merge`: see [`json::read`]. `kind`: what it should be.
fn parse(content_type: &str, bytes: &[u8], merge: bool, kind: &str) -> Result<(Value, Vec<String>), Unread> {
    let read = match written(content_type).map_err(Unread::Status)? {
        // YAML is a superset; only what does not look like JSON is read as such.
        Written::Yaml if bytes.trim_ascii_start().first() != Some(&b'{') => {
            return yaml::read(bytes).map_err(|error| Unread::Text(format!("yaml: {error}")));
        }
        Written::Json | Written::Yaml => json::read(bytes, merge)
            .map_err(|error| Unread::Text(format!("couldn't get version/kind; json parse error: {error}")))?,
        Written::Protobuf => {
            let value = protobuf::read(bytes, kind).map_err(|error| match error {
                protobuf::Unread::Envelope(why) => Unread::Text(why),
                protobuf::Unread::Content { kind, version, why } => Unread::Content { kind, version, why },
                protobuf::Unread::Kind => Unread::Status(unsupported("application/json, application/yaml")),
            })?;
            return Ok((value, Vec::new()));
        }
    };
    let duplicates = read.duplicates.iter().map(|path| format!("duplicate field {path:?}"));
    Ok((read.value, duplicates.collect()))
}

/// `kind` and `apiVersion` must be texts where they are there.
fn envelope(value: &Value) -> Result<(), String> {
    const HEAD: &str = "couldn't get version/kind; json parse error: json: cannot unmarshal";
    if value.is_null() {
        return Ok(());
    }
    let Some(map) = value.as_object() else {
        let expected = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
        return Err(format!("{HEAD} {} into Go value of type {expected}", apimachinery::json::type_name(value)));
    };
    for field in ["apiVersion", "kind"] {
        match map.get(field) {
            None | Some(Value::Null | Value::String(_)) => {}
            Some(other) => {
                return Err(format!(
                    "{HEAD} {} into Go struct field .{field} of type string",
                    apimachinery::json::type_name(other)
                ));
            }
        }
    }
    match map.get("apiVersion").and_then(Value::as_str) {
        Some(version) if version.matches('/').count() > 1 => Err(format!("unexpected GroupVersion string: {version}")),
        _ => Ok(()),
    }
}

/// The start of a body, as messages show it.
fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(SHOWN)];
    let text = match bytes.first() {
        None => return "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(cut).into_owned(),
        Some(_) => cut.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    if bytes.len() > SHOWN { format!("{text} ...") } else { text }
}

/// Whether a body says that it is what the URL says. Built-in kinds need not say anything.
///
/// # Errors
/// 400, or 422 for a custom resource of another kind.
pub(super) fn check_kind(value: &Value, bytes: &[u8], resource: &Resource, registry: &Registry) -> Result<(), Status> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (text("kind"), text("apiVersion"));
    let (expected, expected_version) = (resource.kind.as_str(), resource.api_version());
    if resource.custom.is_some() {
        let missing = |what: &str| {
            let (object, shown) = (Value::clone(value), shown(bytes));
            let why = format!("Object '{what}' is missing in '{object}'");
            Status::bad_request(format!("the object provided is unrecognized (must be of type {expected}): {why} ({shown})"))
        };
        if kind.is_empty() {
            return Err(missing("Kind"));
        }
        if version.is_empty() {
            return Err(missing("apiVersion"));
        }
        if version != expected_version {
            let why =
                format!("the API version in the data ({version}) does not match the expected API version ({expected_version})");
            return Err(Status::bad_request(why));
        }
        if kind != expected {
            let named = apimachinery::GroupKind { group: resource.group.clone(), kind: kind.to_owned() };
            let error = FieldError::invalid("kind", kind, format!("must be {expected}"));
            return Err(Status::invalid(&named, apimachinery::object::name(value), &[error]));
        }
        return Ok(());
    }
    let (kind, version) =
        (if kind.is_empty() { expected } else { kind }, if version.is_empty() { expected_version.as_str() } else { version });
    if (kind, version) == (expected, expected_version.as_str()) {
        return Ok(());
    }
    let why = match registry.of_kind(version, kind).filter(|other| other.custom.is_none()) {
        // It could be read, and is refused for the path that it came by.
        Some(other) if other.storage_key() == resource.storage_key() => {
            let why =
                format!("the API version in the data ({version}) does not match the expected API version ({expected_version})");
            return Err(Status::bad_request(why));
        }
        Some(other) => {
            let internal = resource.storage_group().split('.').next().filter(|group| !group.is_empty()).unwrap_or("core");
            format!("converting ({}.{kind}) to ({internal}.{expected}): unknown conversion", other.version)
        }
        None => format!("no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\""),
    };
    let version = version.rsplit('/').next().unwrap_or_default();
    Err(Status::bad_request(format!("{kind} in version {version:?} cannot be handled as a {expected}: {why}")))
}

/// The options in a DELETE's body. `None` for no body.
pub(super) fn delete_options(content_type: &str, bytes: &[u8]) -> Result<Option<Value>, Status> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (value, _) = parse(content_type, bytes, true, "DeleteOptions").map_err(|error| match error {
        Unread::Status(status) => status,
        Unread::Text(text) | Unread::Content { why: text, .. } => Status::bad_request(text),
    })?;
    envelope(&value).map_err(Status::bad_request)?;
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (text("kind"), text("apiVersion"));
    if !matches!(kind, "" | "DeleteOptions") {
        let why = format!("no kind {kind:?} is registered for version {version:?} in scheme \"pkg/runtime/scheme.go:111\"");
        return Err(Status::bad_request(why));
    }
    Ok(Some(value))
}

/// The configuration of an apply as JSON, and what was odd about it.
pub(super) fn apply(bytes: Bytes) -> Result<(Bytes, Vec<String>), Status> {
    let plain = |bytes| json::read(bytes, false).is_ok_and(|read| read.duplicates.is_empty());
    if bytes.trim_ascii_start().first() == Some(&b'{') && json::complaint(&bytes).is_none() && plain(&bytes) {
        return Ok((bytes, Vec::new()));
    }
    let (value, oddities) = yaml::read(&bytes)
        .map_err(|error| Status::bad_request(format!("error decoding YAML: error converting YAML to JSON: yaml: {error}")))?;
    Ok((value.to_string().into(), oddities))
}

#[cfg(test)]
mod tests;
