//! JSON as CEL sees it: typed by the schema, fields by their escaped names, and only those that the schema names.

use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

use crate::custom::node::{Kind, Node};

/// The value of `self`.
pub(super) fn convert(node: &Node, value: &Value) -> Result<cel::Value, String> {
    cel::to_value(Typed { value, node: Some(node) }).map_err(|error| error.to_string())
}

/// What messages call the type of a value.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

struct Typed<'a> {
    value: &'a Value,
    node: Option<&'a Node>,
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::String(text) => serializer.serialize_str(text),
            Value::Number(number) => {
                let float = self.node.is_some_and(|node| node.kind == Kind::Number);
                match (number.as_i64().filter(|_| !float), number.as_f64()) {
                    (Some(whole), _) => serializer.serialize_i64(whole),
                    (None, Some(float)) => serializer.serialize_f64(float),
                    (None, None) => Err(S::Error::custom("a number that is none")),
                }
            }
            Value::Array(items) => {
                let node = self.node.and_then(|node| node.items.as_deref());
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for value in items {
                    list.serialize_element(&Typed { value, node })?;
                }
                list.end()
            }
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(None)?;
                for (name, value) in fields {
                    if let Some((name, node)) = field(self.node, name) {
                        map.serialize_entry(&name, &Typed { value, node })?;
                    }
                }
                map.end()
            }
        }
    }
}

/// What a field is called, and its schema. `None`: rules do not see it.
fn field<'a>(node: Option<&'a Node>, name: &str) -> Option<(String, Option<&'a Node>)> {
    match node {
        None => Some((name.to_owned(), None)),
        Some(node) if node.is_map() => Some((name.to_owned(), node.child(name))),
        Some(node) if node.kind == Kind::Any && node.properties.is_empty() => Some((name.to_owned(), None)),
        Some(node) => {
            let system = (node.root || node.embedded) && matches!(name, "apiVersion" | "kind" | "metadata");
            match node.properties.get(name) {
                Some(child) if !(system && name == "metadata") => Some((escape(name)?, Some(child))),
                _ if system => Some((name.to_owned(), None)),
                _ => None,
            }
        }
    }
}

/// A field's name as an identifier.
pub(super) fn escape(name: &str) -> Option<String> {
    const RESERVED: [&str; 21] = [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ];
    if RESERVED.contains(&name) {
        return Some(format!("__{name}__"));
    }
    let escaped = name.replace("__", "__underscores__");
    let escaped = escaped.replace('.', "__dot__").replace('-', "__dash__").replace('/', "__slash__");
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let first = name.bytes().next()?;
    (!first.is_ascii_digit() && escaped.bytes().all(letter)).then_some(escaped)
}
