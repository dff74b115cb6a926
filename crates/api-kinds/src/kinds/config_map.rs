//! ConfigMaps, and what Secrets share with them: keys, immutability.
//!
//! Upstream: `core/validation`, `ValidateConfigMap`, `ValidateConfigMapUpdate`.

use apimachinery::{FieldError, Status};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::{same, texts};
use super::validation::{invalid, names};
use crate::Write;

pub(super) const RULES: Rules = Rules { validate, ..Rules::NONE };

/// All values together have this many bytes at most.
pub(super) const MAX_SIZE: usize = 1 << 20;

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let (new, null) = (&write.new, Value::Null);
    let mut errors = immutable(write.old().unwrap_or(&null), new, &["data", "binaryData"]);
    let binary = new.get("binaryData");
    let mut size = 0;
    for (key, value) in texts(new.get("data")) {
        errors.extend(valid_key("data", key));
        if binary.is_some_and(|binary| binary.get(key).is_some()) {
            errors.push(FieldError::invalid(format!("data[{key}]"), key, "duplicate of key present in binaryData"));
        }
        size += value.len();
    }
    for (key, value) in texts(binary) {
        errors.extend(valid_key("binaryData", key));
        size += decoded(value).len();
    }
    if size > MAX_SIZE {
        // QUIRK: the field has no name.
        errors.push(FieldError::too_long("[]", MAX_SIZE));
    }
    Ok(errors)
}

/// What is wrong with a key: it becomes a file's name.
pub(super) fn valid_key(map: &str, key: &str) -> Vec<FieldError> {
    config_key_errors(&format!("{map}[{key}]"), key)
}

/// What is wrong with a reference to a key.
pub(super) fn config_key_errors(field: &str, key: &str) -> Vec<FieldError> {
    invalid(field, key, names::config_key(key))
}

/// What changed though `immutable` was set.
pub(super) fn immutable(old: &Value, new: &Value, fields: &[&str]) -> Vec<FieldError> {
    if old.get("immutable") != Some(&Value::Bool(true)) {
        return Vec::new();
    }
    let changed = |field: &&&str| match **field {
        "immutable" => new.get("immutable") != Some(&Value::Bool(true)),
        field => !same(old.get(field), new.get(field)),
    };
    let detail = "field is immutable when `immutable` is set";
    ["immutable"].iter().chain(fields).filter(changed).map(|field| FieldError::forbidden(*field, detail)).collect()
}

/// The bytes of a value that was decoded as base64 before; nothing if it was not.
pub(super) fn decoded(value: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(value).unwrap_or_default()
}

#[cfg(test)]
mod tests;
