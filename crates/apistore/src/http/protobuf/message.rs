//! A message as JSON, by a table of its fields.
//!
//! Go writes each field that is no pointer, empty or not, and leaves out pointers that are nil. So an empty text is one that is
//! absent, unless its field is a pointer.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::wire::{self, Wire};

/// A message's fields: number, name in JSON, what it holds.
pub(super) type Message = [(u64, &'static str, Holds)];

/// What a field holds.
#[derive(Clone, Copy)]
pub(super) enum Holds {
    Text,
    /// A text that may be empty: a pointer in Go.
    SomeText,
    Texts,
    Number,
    /// A number that may be 0: a pointer in Go.
    SomeNumber,
    SomeBool,
    /// Seconds.
    Time,
    MicroTime,
    /// A message whose one field is JSON.
    Json,
    /// Texts by name.
    TextMap,
    /// Bytes by name; base64 in JSON.
    BytesMap,
    One(&'static Message),
    Many(&'static Message),
}

/// The message as JSON. What the table does not know is skipped, as upstream does.
///
/// # Errors
/// What is wrong, as Go's decoder says it.
pub(super) fn read(message: &Message, bytes: &[u8]) -> Result<Value, String> {
    let mut object = Map::new();
    for field in wire::fields(bytes) {
        let (number, wire) = field?;
        if let Some((_, name, holds)) = message.iter().find(|(known, ..)| *known == number) {
            set(&mut object, name, *holds, wire)?;
        }
    }
    Ok(object.into())
}

fn set(object: &mut Map<String, Value>, name: &str, holds: Holds, wire: Wire<'_>) -> Result<(), String> {
    let value = match (holds, wire) {
        (Holds::Text, Wire::Bytes(b"")) | (Holds::Number, Wire::Number(0)) => {
            object.remove(name);
            return Ok(());
        }
        (Holds::Text | Holds::SomeText, Wire::Bytes(bytes)) => text(bytes),
        // Go reads as many bits as the field has; nothing here is larger than what it was written from.
        (Holds::Number | Holds::SomeNumber, Wire::Number(number)) => number.cast_signed().into(),
        (Holds::SomeBool, Wire::Number(number)) => (number != 0).into(),
        (Holds::Time, Wire::Bytes(bytes)) => time(bytes, "%Y-%m-%dT%H:%M:%SZ")?,
        (Holds::MicroTime, Wire::Bytes(bytes)) => time(bytes, "%Y-%m-%dT%H:%M:%S.%6fZ")?,
        (Holds::Json, Wire::Bytes(bytes)) => json(bytes)?,
        (Holds::One(message), Wire::Bytes(bytes)) => read(message, bytes)?,
        (Holds::Texts, Wire::Bytes(bytes)) => return push(object, name, text(bytes)),
        (Holds::Many(message), Wire::Bytes(bytes)) => return push(object, name, read(message, bytes)?),
        (Holds::TextMap, Wire::Bytes(entry)) => return insert(object, name, entry, text),
        (Holds::BytesMap, Wire::Bytes(entry)) => {
            return insert(object, name, entry, |bytes| BASE64_STANDARD.encode(bytes).into());
        }
        (_, wire) => return Err(format!("proto: wrong wireType = {} for field {}", wire.type_(), in_go(name))),
    };
    object.insert(name.to_owned(), value);
    Ok(())
}

fn text(bytes: &[u8]) -> Value {
    String::from_utf8_lossy(bytes).into()
}

fn push(object: &mut Map<String, Value>, name: &str, value: Value) -> Result<(), String> {
    if let Value::Array(list) = object.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        list.push(value);
    }
    Ok(())
}

fn insert(object: &mut Map<String, Value>, name: &str, entry: &[u8], of: fn(&[u8]) -> Value) -> Result<(), String> {
    let (mut key, mut value): (&[u8], &[u8]) = (b"", b"");
    for field in wire::fields(entry) {
        match field? {
            (1, Wire::Bytes(bytes)) => key = bytes,
            (2, Wire::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    if let Value::Object(map) = object.entry(name).or_insert_with(|| Value::Object(Map::new())) {
        map.insert(String::from_utf8_lossy(key).into_owned(), of(value));
    }
    Ok(())
}

/// A time; null for Go's zero, which is written as an empty message.
fn time(bytes: &[u8], format: &str) -> Result<Value, String> {
    let (mut secs, mut nanos, mut any) = (0, 0, false);
    for field in wire::fields(bytes) {
        any = true;
        match field? {
            (1, Wire::Number(number)) => secs = number.cast_signed(),
            (2, Wire::Number(number)) => nanos = i32::try_from(number.cast_signed()).unwrap_or_default(),
            _ => {}
        }
    }
    if !any {
        return Ok(Value::Null);
    }
    let time = Timestamp::new(secs, nanos).map_err(|_| format!("{secs} seconds are no time"))?;
    Ok(time.strftime(format).to_string().into())
}

fn json(bytes: &[u8]) -> Result<Value, String> {
    let mut raw: &[u8] = b"null";
    for field in wire::fields(bytes) {
        if let (1, Wire::Bytes(bytes)) = field? {
            raw = bytes;
        }
    }
    apimachinery::json::read(raw, false).map(|read| read.value)
}

/// What Go calls the field.
fn in_go(name: &str) -> String {
    match name {
        "metadata" => "ObjectMeta".to_owned(),
        "uid" => "UID".to_owned(),
        "apiVersion" => "APIVersion".to_owned(),
        _ => {
            let mut letters = name.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
        }
    }
}
