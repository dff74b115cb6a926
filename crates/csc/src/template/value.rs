//! What a template sees of an answer.

use std::collections::BTreeMap;
use std::fmt;

use csi_proto::json::{POOL, Secrets, render_bytes};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, ReflectMessage, Value as Proto};

/// A value. Floating point numbers and bytes are not among CSI's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Text(String),
    Enum { name: String, number: i64 },
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    Message(DynamicMessage),
}

impl Value {
    /// An answer of a driver.
    ///
    /// # Errors
    /// Its type is not among ours, which would be a fault of this program.
    pub(crate) fn answer<M: prost::Message + prost::Name>(message: &M) -> Result<Self, String> {
        let name = M::full_name();
        let descriptor = POOL.get_message_by_name(&name).ok_or_else(|| format!("{name} is not in csi.proto"))?;
        let bytes = message.encode_to_vec();
        DynamicMessage::decode(descriptor, bytes.as_slice()).map(Self::Message).map_err(|error| format!("{name}: {error}"))
    }

    /// A field, by Go's name (`VolumeId`, `GetVolumeId`), by that of csi.proto, or a oneof's; a key of a map.
    pub(super) fn field(&self, name: &str) -> Result<Self, String> {
        match self {
            Self::Message(message) => of_message(message, name),
            Self::Map(map) => Ok(map.get(name).cloned().unwrap_or(Self::Nil)),
            // A part of the answer that the driver left out has no parts either.
            Self::Nil => Ok(Self::Nil),
            other => Err(format!("{} has no field {name}", other.kind())),
        }
    }

    /// Go's truth: not zero, not empty, not nothing.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(number) | Self::Enum { number, .. } => *number != 0,
            Self::Text(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Message(_) => true,
        }
    }

    /// What it is, for errors.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Nil => "nothing".to_owned(),
            Self::Bool(_) => "a boolean".to_owned(),
            Self::Int(_) => "a number".to_owned(),
            Self::Text(_) => "a text".to_owned(),
            Self::Enum { .. } => "a name of an enumeration".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Message(message) => format!("a {}", message.descriptor().name()),
        }
    }

    /// As JSON, with the names of csi.proto.
    pub(crate) fn json(&self) -> serde_json::Value {
        use prost::Message as _;
        match self {
            Self::Nil => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Enum { name, .. } => name.as_str().into(),
            Self::List(items) => items.iter().map(Self::json).collect(),
            Self::Map(map) => map.iter().map(|(key, value)| (key.clone(), value.json())).collect(),
            Self::Message(message) => {
                let (name, bytes) = (message.descriptor().full_name().to_owned(), message.encode_to_vec());
                render_bytes(&name, &bytes, Secrets::Stripped).unwrap_or(serde_json::Value::Null)
            }
        }
    }
}

/// `%v`, and what an action prints.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("<no value>"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Enum { name, .. } => f.write_str(name),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_string).collect();
                write!(f, "[{}]", items.join(" "))
            }
            Self::Map(map) => {
                let pairs: Vec<String> = map.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                write!(f, "map[{}]", pairs.join(" "))
            }
            Self::Message(_) => write!(f, "{}", self.json()),
        }
    }
}

fn of_message(message: &DynamicMessage, name: &str) -> Result<Value, String> {
    let descriptor = message.descriptor();
    let named = |wanted: &str| descriptor.fields().find(|field| field.name() == wanted || go_name(field.name()) == wanted);
    // Go's generated types have a method GetX for each field X.
    if let Some(field) = named(name).or_else(|| named(name.strip_prefix("Get")?)) {
        return Ok(if field.supports_presence() && !message.has_field(&field) {
            Value::Nil
        } else {
            of_field(&field, &message.get_field(&field))
        });
    }
    let bare = name.strip_prefix("Get").unwrap_or(name);
    if let Some(oneof) = descriptor.oneofs().find(|oneof| go_name(oneof.name()) == bare) {
        // In Go a struct of one field stands between; its field has the same name as here.
        let set = oneof.fields().any(|field| message.has_field(&field));
        return Ok(if set { Value::Message(message.clone()) } else { Value::Nil });
    }
    let known: Vec<String> = descriptor.fields().map(|field| go_name(field.name())).collect();
    let known = if known.is_empty() { "no fields".to_owned() } else { known.join(", ") };
    Err(format!("{} has no field {name}; it has {known}", descriptor.name()))
}

/// Upstream: protoc-gen-go: `volume_id` is `VolumeId`.
fn go_name(name: &str) -> String {
    let upper = |part: &str| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    };
    name.split('_').map(upper).collect()
}

fn of_field(field: &FieldDescriptor, value: &Proto) -> Value {
    match value {
        Proto::List(items) => Value::List(items.iter().map(|item| single(&field.kind(), item)).collect()),
        Proto::Map(map) => {
            let kind = match field.kind() {
                Kind::Message(entry) => entry.map_entry_value_field().kind(),
                other => other,
            };
            let key = |key: &MapKey| key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
            Value::Map(map.iter().map(|(k, v)| (key(k), single(&kind, v))).collect())
        }
        one => single(&field.kind(), one),
    }
}

fn single(kind: &Kind, value: &Proto) -> Value {
    match value {
        Proto::Bool(value) => Value::Bool(*value),
        Proto::I32(number) => Value::Int(i64::from(*number)),
        Proto::I64(number) => Value::Int(*number),
        Proto::U32(number) => Value::Int(i64::from(*number)),
        Proto::U64(number) => Value::Int(i64::try_from(*number).unwrap_or(i64::MAX)),
        Proto::F32(number) => Value::Text(number.to_string()),
        Proto::F64(number) => Value::Text(number.to_string()),
        Proto::String(text) => Value::Text(text.clone()),
        Proto::Bytes(bytes) => Value::Text(String::from_utf8_lossy(bytes).into_owned()),
        Proto::EnumNumber(number) => {
            let name = match kind {
                Kind::Enum(of) => of.get_value(*number).map(|value| value.name().to_owned()),
                _ => None,
            };
            Value::Enum { name: name.unwrap_or_else(|| number.to_string()), number: i64::from(*number) }
        }
        Proto::Message(message) => Value::Message(message.clone()),
        Proto::List(_) | Proto::Map(_) => Value::Nil,
    }
}
