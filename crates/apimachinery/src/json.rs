//! Reading JSON as the API server does: keys that are there twice are noticed, and what is wrong is said in Go's words.

mod complaint;
mod pick;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

pub use pick::pick;

/// A value, and what was odd about its text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Read {
    /// The value.
    pub value: Value,
    /// The paths of keys that are there more than once: `data.a`, `spec.containers[0].name`.
    pub duplicates: Vec<String>,
}

/// Reads one JSON value. Of a key that is there twice, the last wins; `merge`: two objects are united, as Go does with
/// fields of a struct and with maps of a known type.
///
/// # Errors
/// What is wrong, as Go's `encoding/json` says it.
pub fn read(bytes: &[u8], merge: bool) -> Result<Read, String> {
    let attempt = |bytes: &[u8]| {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let read = from(&mut deserializer, merge)?;
        deserializer.end().map(|()| read)
    };
    attempt(bytes).or_else(|error| match complaint::of(bytes) {
        Some(complaint) => Err(complaint),
        // Go reads broken UTF-8 with replacement characters.
        None => attempt(String::from_utf8_lossy(bytes).as_bytes()).map_err(|_| error.to_string()),
    })
}

/// Reads a value from any format, as [`read`] does.
///
/// # Errors
/// The deserializer's.
pub fn from<'de, D: Deserializer<'de>>(deserializer: D, merge: bool) -> Result<Read, D::Error> {
    let mut state = State { path: String::new(), duplicates: Vec::new(), merge };
    let value = Builder(&mut state).deserialize(deserializer)?;
    Ok(Read { value, duplicates: state.duplicates })
}

/// What Go's `encoding/json` says is wrong with this text; `None` if it is JSON.
pub fn complaint(bytes: &[u8]) -> Option<String> {
    complaint::of(bytes)
}

struct State {
    path: String,
    duplicates: Vec<String>,
    merge: bool,
}

struct Builder<'a>(&'a mut State);

impl<'de> DeserializeSeed<'de> for Builder<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Builder<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number that JSON does not have"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let Self(state) = self;
        let depth = state.path.len();
        let mut list = Vec::new();
        loop {
            state.path.push_str(&format!("[{}]", list.len()));
            let item = items.next_element_seed(Builder(state))?;
            state.path.truncate(depth);
            match item {
                Some(item) => list.push(item),
                None => return Ok(Value::Array(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let Self(state) = self;
        let depth = state.path.len();
        let mut map = Map::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            if depth > 0 {
                state.path.push('.');
            }
            state.path.push_str(&key);
            let known = map.contains_key(&key);
            if known {
                state.duplicates.push(state.path.clone());
            }
            let value = entries.next_value_seed(Builder(state))?;
            state.path.truncate(depth);
            match map.get_mut(&key) {
                Some(old) if state.merge => overlay(old, value),
                _ => {
                    map.insert(key, value);
                }
            }
        }
        Ok(Value::Object(map))
    }
}

/// A key; YAML also has numbers and truth values, which are spelled out.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let mut state = State { path: String::new(), duplicates: Vec::new(), merge: false };
        match Builder(&mut state).deserialize(deserializer)? {
            Value::String(key) => Ok(key),
            key @ (Value::Bool(_) | Value::Number(_)) => Ok(key.to_string()),
            other => Err(D::Error::custom(format!("{other} is no key"))),
        }
    }
}

/// Objects are united, everything else is replaced.
fn overlay(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                match old.get_mut(&key) {
                    Some(old) => overlay(old, value),
                    None => {
                        old.insert(key, value);
                    }
                }
            }
        }
        (old, new) => *old = new,
    }
}

/// What JSON calls the type of a value, in messages of Go's decoder: `cannot unmarshal array into …`.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
