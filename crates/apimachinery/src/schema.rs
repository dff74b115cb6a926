//! The shape of a kind's objects: what fields there are, of what type, and how lists and maps are merged.
//!
//! One description serves decoding (types, unknown fields), strategic merge patches, apply and field ownership. Built-in kinds
//! bring theirs as a table of facts (`api-kinds`), a CustomResourceDefinition as its openAPIV3Schema.

mod bytes;
mod check;
mod decode;
mod quantity;
#[cfg(test)]
mod tests;
mod time;

pub(crate) use check::type_of;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use decode::DecodeError;

use serde_json::Value;

/// The type of one value and of everything below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// What is allowed here.
    pub shape: Shape,
    /// `null` is kept as a value (custom resources only; built-in kinds read null as absent).
    pub nullable: bool,
    /// What is filled in when the field is absent (custom resources; built-in kinds have code for it).
    pub default: Option<Value>,
    /// How a strategic merge patch treats this list or map.
    pub strategy: Strategy,
    /// What Go's types add for a built-in kind. `None`: a custom resource, whose values are checked by validation and not while
    /// they are decoded.
    pub go: Option<GoType>,
}

/// What Go knows of a value beyond its JSON: a client can tell by messages, and by what is written for values that are not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoType {
    /// `v1.PodSpec`, `types.UID`, `int32`. Empty where it follows from the shape: `string`, `[]v1.Container`.
    pub name: Box<str>,
    /// The struct that brings the field along; it shows in messages. Mostly empty.
    pub embedded: Box<str>,
    /// What becomes of the field when it is empty.
    pub presence: Presence,
}

/// What becomes of a field that is empty or not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// It stays as it was sent: there, or not.
    #[default]
    AsSent,
    /// An empty value is left out.
    NotEmpty,
    /// It is always there: empty, zero, or null for a list, a map or a time.
    Always,
    /// It is always there, as null if it was not sent.
    Nullable,
}

/// What a value may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// An object with named fields.
    Object(Fields),
    /// An object whose keys are data, all values of one type. `granular`: keys are owned one by one; if not, the map is atomic.
    Map {
        #[allow(missing_docs)]
        values: Arc<Schema>,
        #[allow(missing_docs)]
        granular: bool,
    },
    /// A list.
    List {
        #[allow(missing_docs)]
        items: Arc<Schema>,
        #[allow(missing_docs)]
        list: ListType,
    },
    /// Text.
    String,
    /// A whole number. Go's `int32` or `int64`.
    Integer,
    /// Any number.
    Number,
    /// true or false.
    Boolean,
    /// A number or a text, as ports and percentages are.
    IntOrString,
    /// An amount such as `1Gi`; a number is read as one.
    Quantity,
    /// RFC 3339, whole seconds.
    Time,
    /// RFC 3339 with exactly six digits of fraction.
    MicroTime,
    /// Base64 text.
    Bytes,
    /// Anything at all, kept as it is, owned as one.
    Any,
}

/// The named fields of an object.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields {
    /// By name.
    pub known: BTreeMap<Box<str>, Arc<Schema>>,
    /// Names that must be there. Only custom resources state this; built-in kinds validate in code.
    pub required: Vec<Box<str>>,
    /// Keep fields that are not named (`x-kubernetes-preserve-unknown-fields`).
    pub preserve_unknown: bool,
    /// The object is owned and replaced as one (`x-kubernetes-map-type: atomic`).
    pub atomic: bool,
}

/// How a list's elements are told apart by apply (`x-kubernetes-list-type`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListType {
    /// Not at all: the list is one value.
    Atomic,
    /// By value.
    Set,
    /// By these fields. A key that is absent counts with its default.
    Map {
        #[allow(missing_docs)]
        keys: Vec<ListKey>,
    },
}

/// One field of a list map's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListKey {
    /// The field.
    pub name: Box<str>,
    /// Its value when absent, such as `TCP` for a port's protocol.
    pub default: Option<Value>,
}

/// `x-kubernetes-patch-strategy` and `-merge-key`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Strategy {
    /// Lists are merged: by this key, or as sets when the key is empty. `None`: replaced whole.
    pub merge_key: Option<Box<str>>,
    /// `retainKeys`: the patch says which keys stay.
    pub retain_keys: bool,
}

impl Schema {
    /// A schema of this shape with nothing else to say.
    pub fn of(shape: Shape) -> Self {
        Self { shape, nullable: false, default: None, strategy: Strategy::default(), go: None }
    }

    /// The schema of a named field of an object, or of a map's value.
    pub fn field(&self, name: &str) -> Option<&Arc<Schema>> {
        match &self.shape {
            Shape::Object(fields) => fields.known.get(name),
            Shape::Map { values, .. } => Some(values),
            _ => None,
        }
    }

    /// What Go writes where such a value is not there; `None` if nothing.
    pub fn absent(&self) -> Option<Value> {
        match self.go.as_ref()?.presence {
            Presence::AsSent | Presence::NotEmpty => None,
            Presence::Always => Some(self.zero()),
            Presence::Nullable => Some(Value::Null),
        }
    }

    /// The empty value, as Go writes it.
    pub fn zero(&self) -> Value {
        match &self.shape {
            Shape::Object(fields) => {
                let absent = fields.known.iter().filter_map(|(name, field)| Some((String::from(&**name), field.absent()?)));
                Value::Object(absent.collect())
            }
            Shape::String | Shape::Bytes => "".into(),
            Shape::Integer | Shape::IntOrString => 0.into(),
            Shape::Number => 0.into(),
            Shape::Boolean => false.into(),
            Shape::Quantity => "0".into(),
            Shape::Map { .. } | Shape::List { .. } | Shape::Time | Shape::MicroTime | Shape::Any => Value::Null,
        }
    }

    /// Go's name of the type.
    fn go_name(&self) -> String {
        if let Some(GoType { name, .. }) = &self.go
            && !name.is_empty()
        {
            return String::from(&**name);
        }
        match &self.shape {
            Shape::Object(_) => "struct".to_owned(),
            Shape::Map { values, .. } => format!("map[string]{}", values.go_name()),
            Shape::List { items, .. } => format!("[]{}", items.go_name()),
            // Times read a text first, ports a number, and that is what fails.
            Shape::String | Shape::Time | Shape::MicroTime => "string".to_owned(),
            Shape::IntOrString => "int32".to_owned(),
            Shape::Integer => "int64".to_owned(),
            Shape::Number => "float64".to_owned(),
            Shape::Boolean => "bool".to_owned(),
            Shape::Quantity => "resource.Quantity".to_owned(),
            Shape::Bytes => "[]uint8".to_owned(),
            Shape::Any => "runtime.RawExtension".to_owned(),
        }
    }
}
