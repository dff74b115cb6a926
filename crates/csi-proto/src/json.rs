//! Protobuf messages as JSON for people: logs, recordings, error texts. Not the protobuf JSON mapping: names are those of the
//! .proto file, 64-bit integers are numbers, and only fields that are set appear.
//!
//! Upstream: csi-lib-utils protosanitizer, so that a log line reads the same whoever wrote it.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage as _, Value as Proto};
use serde_json::{Map, Number, Value};

/// What stands in place of a secret, whatever its type.
pub const STRIPPED: &str = "***stripped***";

/// Whether secrets are shown. Only test tools have a reason for [`Secrets::Verbatim`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Fields marked `csi_secret` become [`STRIPPED`].
    Stripped,
    /// Everything as it was sent.
    Verbatim,
}

/// Why bytes could not be rendered. Never holds the bytes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name is not a message of our descriptors.
    #[error("no message {0} in csi.proto or pluginregistration.proto")]
    UnknownMessage(String),
    /// The bytes are not that message.
    #[error("these bytes are not a {name}")]
    Decode {
        /// Full name of the message.
        name: String,
        /// What protobuf says.
        #[source]
        source: prost::DecodeError,
    },
}

/// The descriptors of both packages.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    DescriptorPool::decode(crate::FILE_DESCRIPTOR_SET).expect("the descriptors were checked by protox when this crate was built")
});

/// Any of our messages as JSON. Encodes and decodes it once: for logs at high verbosity and for test tools.
pub fn render<M: prost::Message + prost::Name>(message: &M, secrets: Secrets) -> Value {
    render_bytes(&M::full_name(), &message.encode_to_vec(), secrets)
        .expect("a generated message is in the descriptors it was generated from, and its own encoding decodes")
}

/// The same for an encoded message: `full_name` as in `csi.v1.CreateVolumeRequest`.
///
/// # Errors
/// The name is unknown or the bytes are not that message.
pub fn render_bytes(full_name: &str, bytes: &[u8], secrets: Secrets) -> Result<Value, Error> {
    let descriptor = POOL.get_message_by_name(full_name).ok_or_else(|| Error::UnknownMessage(full_name.to_owned()))?;
    let message =
        DynamicMessage::decode(descriptor, bytes).map_err(|source| Error::Decode { name: full_name.to_owned(), source })?;
    Ok(object(&message, secrets))
}

fn object(message: &DynamicMessage, secrets: Secrets) -> Value {
    let owner = message.descriptor();
    let mut out = Map::new();
    for (field, value) in message.fields() {
        let secret = crate::SECRET_FIELDS.binary_search(&(owner.full_name(), field.name())).is_ok();
        let shown = if secret && secrets == Secrets::Stripped { Value::from(STRIPPED) } else { of_field(&field, value, secrets) };
        out.insert(field.name().to_owned(), shown);
    }
    Value::Object(out)
}

fn of_field(field: &FieldDescriptor, value: &Proto, secrets: Secrets) -> Value {
    match value {
        Proto::List(items) => items.iter().map(|item| single(&field.kind(), item, secrets)).collect(),
        Proto::Map(entries) => {
            let kind = match field.kind() {
                Kind::Message(entry) => entry.map_entry_value_field().kind(),
                other => other,
            };
            // serde_json's map is ordered by key.
            Value::Object(entries.iter().map(|(k, v)| (key(k), single(&kind, v, secrets))).collect())
        }
        one => single(&field.kind(), one, secrets),
    }
}

fn key(key: &MapKey) -> String {
    match key {
        MapKey::Bool(v) => v.to_string(),
        MapKey::I32(v) => v.to_string(),
        MapKey::I64(v) => v.to_string(),
        MapKey::U32(v) => v.to_string(),
        MapKey::U64(v) => v.to_string(),
        MapKey::String(v) => v.clone(),
    }
}

fn single(kind: &Kind, value: &Proto, secrets: Secrets) -> Value {
    match value {
        Proto::Bool(v) => Value::from(*v),
        Proto::I32(v) => Value::from(*v),
        Proto::I64(v) => Value::from(*v),
        Proto::U32(v) => Value::from(*v),
        Proto::U64(v) => Value::from(*v),
        // JSON has no NaN; its text says more than null.
        Proto::F32(v) => float(f64::from(*v)),
        Proto::F64(v) => float(*v),
        Proto::String(v) => Value::from(v.as_str()),
        Proto::Bytes(v) => Value::from(STANDARD.encode(v)),
        Proto::EnumNumber(n) => match kind {
            // A number that a newer peer knows and we do not stays a number.
            Kind::Enum(e) => e.get_value(*n).map_or_else(|| Value::from(*n), |v| Value::from(v.name())),
            _ => Value::from(*n),
        },
        Proto::Message(m) => object(m, secrets),
        Proto::List(_) | Proto::Map(_) => Value::Null,
    }
}

fn float(v: f64) -> Value {
    Number::from_f64(v).map_or_else(|| Value::from(v.to_string()), Value::Number)
}

#[cfg(test)]
mod tests;
