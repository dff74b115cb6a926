//! Bodies in protobuf, as kubectl's imperative creators and Go's typed clients send them.
//!
//! ```text
//!  k8s\0  runtime.Unknown ── apiVersion, kind ──> table of fields (kinds.rs)
//!                        └── raw ── wire.rs, message.rs ──> the JSON value that the rest of the API works on
//! ```
//!
//! Only the kinds that such clients are known to write are read; the others are refused with a message that names JSON and
//! YAML. Answers are never protobuf.
//!
//! Upstream: `apimachinery/pkg/runtime/serializer/protobuf`, and measured.

mod kinds;
mod message;
#[cfg(test)]
mod tests;
mod wire;

use serde_json::{Value, json};

use wire::Wire;

/// What a body in protobuf starts with.
const START: &[u8] = b"k8s\0";

/// Why a body is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is not an envelope.
    Envelope(String),
    /// The envelope holds something else than it says.
    Content {
        /// What it says.
        kind: String,
        /// What it says, without the group.
        version: String,
        /// What is wrong.
        why: String,
    },
    /// Objects of the kind that was expected are not read from protobuf.
    Kind,
}

/// The object in a body; `expected`: its kind, if it does not say. An object of another kind or version may come without its
/// fields: it is refused for its kind anyway.
pub(super) fn read(bytes: &[u8], expected: &str) -> Result<Value, Unread> {
    let (api_version, kind, raw) = open(bytes).map_err(Unread::Envelope)?;
    let said = if kind.is_empty() { expected } else { &kind };
    let mut value = match kinds::of(&api_version, said) {
        Some(table) => message::read(table, &raw).map_err(|why| {
            let version = if api_version.is_empty() { kinds::version(said) } else { &api_version };
            let version = version.rsplit('/').next().unwrap_or_default().to_owned();
            Unread::Content { kind: said.to_owned(), version, why }
        })?,
        None if said == expected && !kinds::is_other_version(&api_version, said) => return Err(Unread::Kind),
        None => json!({}),
    };
    for (field, text) in [("kind", kind), ("apiVersion", api_version)] {
        if !text.is_empty() {
            value[field] = text.into();
        }
    }
    Ok(value)
}

/// Takes the envelope apart: apiVersion, kind, and the object.
fn open(bytes: &[u8]) -> Result<(String, String, Vec<u8>), String> {
    if bytes.is_empty() {
        return Err("empty data".to_owned());
    }
    let Some(body) = bytes.strip_prefix(START) else {
        let start: Vec<String> = START.iter().map(u8::to_string).collect();
        let start = start.join(" ");
        return Err(format!("provided data does not appear to be a protobuf message, expected prefix [{start}]"));
    };
    if body.is_empty() {
        return Err("empty body".to_owned());
    }
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), Vec::new());
    for field in wire::fields(body) {
        match field? {
            (1, Wire::Bytes(of)) => {
                for field in wire::fields(of) {
                    match field? {
                        (1, Wire::Bytes(text)) => api_version = String::from_utf8_lossy(text).into_owned(),
                        (2, Wire::Bytes(text)) => kind = String::from_utf8_lossy(text).into_owned(),
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(object)) => raw = object.to_vec(),
            _ => {}
        }
    }
    Ok((api_version, kind, raw))
}
