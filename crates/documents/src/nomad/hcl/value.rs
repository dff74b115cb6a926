//! Values of HCL and JSON, with the place of each.

use super::place::Place;

/// A value and where it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) at: Place,
    pub(crate) value: Value,
}

/// What an expression is once it has been evaluated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A whole number, exact.
    Int(i64),
    Float(f64),
    String(String),
    /// A reference that only the running task can resolve (`attr.kernel.name`), as the literal that stays in its place: `${attr.kernel.name}`.
    Runtime(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Where the key is.
    pub(crate) at: Place,
    pub(crate) node: Node,
}

/// What a block or a whole document holds, in the order it was written.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Body {
    pub(crate) items: Vec<Item>,
}

/// An attribute or a block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) at: Place,
    pub(crate) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Attribute(Node),
    Block { labels: Vec<String>, body: Body },
}

// === impl Value ===

impl Value {
    pub(crate) fn at(self, at: Place) -> Node {
        Node { at, value: self }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::String(_) | Self::Runtime(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Whether it is what an API object holds where nothing was said.
    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(value) => !value,
            Self::Int(number) => *number == 0,
            Self::Float(number) => *number == 0.0,
            Self::String(text) | Self::Runtime(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
        }
    }

    /// As text, as HCL converts: numbers and booleans have one form. `None` for null, lists and maps.
    pub(crate) fn to_text(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::String(text) | Self::Runtime(text) => Some(text.clone()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// As a number; a string that spells one is one.
    pub(crate) fn to_number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    pub(crate) fn to_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::String(text) if text.trim().parse::<i64>().is_ok() => text.trim().parse().ok(),
            other => other.to_number().and_then(|number| match Self::number(number) {
                Self::Int(number) => Some(number),
                _ => None,
            }),
        }
    }

    pub(crate) fn to_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::String(text) => match text.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A number: whole ones are `Int` as far as a float is exact.
    pub(crate) fn number(number: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() <= EXACT { Self::Int(number as i64) } else { Self::Float(number) }
    }

    pub(crate) fn map(pairs: impl IntoIterator<Item = (String, Node)>) -> Self {
        Self::Map(pairs.into_iter().map(|(key, node)| Entry { key, at: node.at, node }).collect())
    }

    /// As JSON, for what is handed on as it is. Numbers that JSON cannot hold are null.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::String(text) | Self::Runtime(text) => text.clone().into(),
            Self::List(items) => items.iter().map(|node| node.value.to_json()).collect(),
            Self::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.node.value.to_json())).collect(),
        }
    }

    pub(crate) fn from_json(json: &serde_json::Value, at: Place) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => {
                number.as_i64().map_or_else(|| number.as_f64().map_or(Self::Null, Self::Float), Self::Int)
            }
            serde_json::Value::String(text) => Self::String(text.clone()),
            serde_json::Value::Array(items) => Self::List(items.iter().map(|item| Self::from_json(item, at).at(at)).collect()),
            serde_json::Value::Object(map) => {
                Self::map(map.iter().map(|(key, value)| (key.clone(), Self::from_json(value, at).at(at))))
            }
        }
    }

    /// Whether it is the same value, wherever it was written.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => *a as f64 == *b,
            (Self::List(a), Self::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.value.same(&b.value)),
            (Self::Map(a), Self::Map(b)) => {
                let same =
                    |entry: &Entry| b.iter().any(|other| other.key == entry.key && other.node.value.same(&entry.node.value));
                a.len() == b.len() && a.iter().all(same)
            }
            (Self::List(_) | Self::Map(_), _) | (_, Self::List(_) | Self::Map(_)) => false,
            (a, b) => a == b,
        }
    }

    /// What it takes to hold it, roughly in bytes.
    pub(crate) fn weight(&self) -> usize {
        16 + match self {
            Self::String(text) | Self::Runtime(text) => text.len(),
            Self::List(items) => items.iter().map(|node| node.value.weight()).sum(),
            Self::Map(entries) => entries.iter().map(|entry| entry.key.len() + entry.node.value.weight()).sum(),
            _ => 0,
        }
    }
}

// === impl Body ===

impl Body {
    /// The keys of a map as attributes, which is how JSON writes a block.
    pub(crate) fn of_map(entries: &[Entry]) -> Self {
        let item =
            |entry: &Entry| Item { name: entry.key.clone(), at: entry.at, content: Content::Attribute(entry.node.clone()) };
        Self { items: entries.iter().map(item).collect() }
    }

    /// A block's content as a map: a block in it is a list of maps under its name, as `mount { … }` in a docker configuration is.
    pub(crate) fn to_map(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for item in &self.items {
            match &item.content {
                Content::Attribute(node) => entries.push(Entry { key: item.name.clone(), at: item.at, node: node.clone() }),
                Content::Block { labels, body } => {
                    let mut value = Value::Map(body.to_map());
                    for label in labels.iter().rev() {
                        value = Value::map([(label.clone(), value.at(item.at))]);
                    }
                    let node = value.at(item.at);
                    match entries.iter_mut().find(|entry| entry.key == item.name).map(|entry| &mut entry.node.value) {
                        Some(Value::List(list)) => list.push(node),
                        _ => {
                            let node = Value::List(vec![node]).at(item.at);
                            entries.push(Entry { key: item.name.clone(), at: item.at, node });
                        }
                    }
                }
            }
        }
        entries
    }
}
