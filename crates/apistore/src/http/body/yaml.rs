//! YAML bodies: the first document, as JSON.

mod seek;

use apimachinery::json;
use serde::de::Deserialize;
use serde_json::Value;

/// The first document, and a note for each key that is there twice.
///
/// Upstream reads by the rules of YAML 1.1, where an unquoted `yes` is a truth value; here it is a text, as in YAML 1.2.
///
/// # Errors
/// What is wrong, without the word `yaml`.
pub(super) fn read(bytes: &[u8]) -> Result<(Value, Vec<String>), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "invalid UTF-8".to_owned())?;
    let Some(first) = serde_yaml::Deserializer::from_str(text).next() else { return Ok((Value::Null, Vec::new())) };
    match json::from(first, false) {
        Ok(read) => {
            let notes = read.duplicates.iter().enumerate().map(|(index, path)| {
                let key = path.rsplit('.').next().unwrap_or_default();
                match seek::duplicate(text, index) {
                    Some((line, key)) => format!("line {line}: key {key:?} already set in map"),
                    None => format!("key {key:?} already set in map"),
                }
            });
            let notes = notes.collect();
            Ok((read.value, notes))
        }
        Err(error) => {
            // An empty document is null, which the deserializer calls the end of the stream.
            let empty = serde_yaml::Deserializer::from_str(text)
                .next()
                .is_none_or(|first| serde_yaml::Value::deserialize(first).is_ok_and(|value| value.is_null()));
            if empty { Ok((Value::Null, Vec::new())) } else { Err(complaint(&error)) }
        }
    }
}

/// The line comes first, and is left out if it is the first. Where in the line it is nobody is told.
fn complaint(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let why = text.split(" at line ").next().unwrap_or_default();
    match error.location() {
        Some(place) if place.line() > 1 => format!("line {}: {why}", place.line()),
        _ => why.to_owned(),
    }
}
