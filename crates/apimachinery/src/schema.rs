//! The shape of a kind's objects: what fields there are, of what type, and how lists and maps are merged.
//!
//! One description serves decoding (types, unknown fields), strategic merge patches, apply and field ownership. Built-in kinds
//! bring theirs as a table of facts (`api-kinds`), a CustomResourceDefinition as its openAPIV3Schema.

use std::collections::BTreeMap;
use std::sync::Arc;

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
        Self { shape, nullable: false, default: None, strategy: Strategy::default() }
    }

    /// The schema of a named field of an object, or of a map's value.
    pub fn field(&self, name: &str) -> Option<&Arc<Schema>> {
        match &self.shape {
            Shape::Object(fields) => fields.known.get(name),
            Shape::Map { values, .. } => Some(values),
            _ => None,
        }
    }
}
