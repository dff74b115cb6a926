//! Objects in the order in which people read them, and as YAML that a reader of YAML 1.1, as kubectl is, takes as it was meant.

mod text;

use std::fmt::Write;

use serde_json::Value;

/// A value of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Fields, in their order.
    Map(Map),
    /// Elements.
    List(Vec<Node>),
    /// A text; it is quoted where it would be read as something else.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Flag(bool),
}

/// Fields in the order in which they were set.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map(Vec<(String, Node, Option<String>)>);

impl Map {
    /// No fields yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// This field as well. Of a field that is there already, the value is replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Node>) -> Self {
        self.set(name, value);
        self
    }

    /// As [`Map::with`], if there is a value, and it is not empty.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<impl Into<Node>>) -> Self {
        match value.map(Into::into) {
            Some(value) if !value.is_empty() => self.with(name, value),
            _ => self,
        }
    }

    /// As [`Map::with`], in place.
    pub fn set(&mut self, name: &str, value: impl Into<Node>) {
        let value = value.into();
        match self.0.iter_mut().find(|(known, ..)| known == name) {
            Some((_, known, _)) => *known = value,
            None => self.0.push((name.to_owned(), value, None)),
        }
    }

    /// Says why a field is as it is: a comment behind it.
    #[must_use]
    pub fn because(mut self, name: &str, comment: impl Into<String>) -> Self {
        if let Some((.., why)) = self.0.iter_mut().find(|(known, ..)| known == name) {
            *why = Some(comment.into());
        }
        self
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(known, ..)| known == name).map(|(_, value, _)| value)
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As an API takes it.
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.iter().map(|(name, value, _)| (name.clone(), value.to_json())).collect())
    }

    /// As a document of YAML, without `---`.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        write_map(&mut out, self, 0, true);
        out
    }
}

impl Node {
    /// An empty list or map.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Map(map) => map.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Text(_) | Self::Number(_) | Self::Flag(_) => false,
        }
    }

    /// As an API takes it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Map(map) => map.to_json(),
            Self::List(list) => Value::Array(list.iter().map(Self::to_json).collect()),
            Self::Text(text) => Value::String(text.clone()),
            Self::Number(number) => Value::from(*number),
            Self::Flag(flag) => Value::Bool(*flag),
        }
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<&String> for Node {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}
impl From<bool> for Node {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
impl From<i64> for Node {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}
impl From<u32> for Node {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}
impl From<u16> for Node {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}
impl From<i32> for Node {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}
impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}
impl<K: Into<String>, V: Into<Node>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into(), None)).collect())
    }
}

/// One step, as kubectl writes it.
const STEP: usize = 2;

/// `fresh`: the line has its indentation still to come.
fn write_map(out: &mut String, map: &Map, indent: usize, fresh: bool) {
    let mut fresh = fresh;
    for (name, value, why) in &map.0 {
        if fresh {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        fresh = true;
        out.push_str(&text::scalar(name));
        out.push(':');
        let comment = why.as_ref().map(|why| format!(" # {}", why.replace(['\n', '\r'], " "))).unwrap_or_default();
        match value {
            Node::Map(inner) if !inner.is_empty() => {
                let _ = writeln!(out, "{comment}");
                write_map(out, inner, indent + STEP, true);
            }
            Node::List(list) if !list.is_empty() => {
                let _ = writeln!(out, "{comment}");
                write_list(out, list, indent);
            }
            Node::Text(text) => match text::block(text, indent + STEP) {
                Some(block) => {
                    let _ = write!(out, " {}{comment}\n{}", block.header, block.lines);
                }
                None => {
                    let _ = writeln!(out, " {}{comment}", text::scalar(text));
                }
            },
            other => {
                let _ = writeln!(out, " {}{comment}", flat(other));
            }
        }
    }
}

fn write_list(out: &mut String, list: &[Node], indent: usize) {
    for value in list {
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str("- ");
        match value {
            Node::Map(inner) if !inner.is_empty() => write_map(out, inner, indent + STEP, false),
            Node::Text(text) => match text::block(text, indent + STEP) {
                Some(block) => {
                    let _ = write!(out, "{}\n{}", block.header, block.lines);
                }
                None => {
                    let _ = writeln!(out, "{}", text::scalar(text));
                }
            },
            other => {
                let _ = writeln!(out, "{}", flat(other));
            }
        }
    }
}

/// On one line.
fn flat(node: &Node) -> String {
    match node {
        Node::Map(map) => {
            let fields: Vec<String> =
                map.0.iter().map(|(name, value, _)| format!("{}: {}", text::quoted(name), flat(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Node::List(list) => format!("[{}]", list.iter().map(flat).collect::<Vec<_>>().join(", ")),
        // Inside of brackets more has to be quoted than the plain style tells.
        Node::Text(text) => text::quoted(text),
        Node::Number(number) => number.to_string(),
        Node::Flag(flag) => flag.to_string(),
    }
}

#[cfg(test)]
mod tests;
