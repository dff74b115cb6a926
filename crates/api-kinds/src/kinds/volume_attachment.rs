//! VolumeAttachments.

use apimachinery::object::child;
use apimachinery::{FieldError, Status};
use serde_json::Value;

use super::rules::Rules;
use super::validation::values::{get, ordered, same, text, texts};
use super::validation::{self, IMMUTABLE, invalid, names, range};
use super::volume::{self, Place};
use crate::Write;

/// QUIRK: `/status` writes nothing but the status.
pub(super) const RULES: Rules = Rules { defaults, prepare, validate, status_writes_metadata: false, ..Rules::NONE };

const SOURCE: [&str; 2] = ["persistentVolumeName", "inlineVolumeSpec"];

/// Whether it is attached is always said, and when an error happened.
fn defaults(new: &mut Value) {
    let status = child(new, "status");
    status.entry("attached").or_insert(false.into());
    for error in ["attachError", "detachError"] {
        if let Some(error) = status.get_mut(error).and_then(Value::as_object_mut) {
            error.entry("time").or_insert(Value::Null);
        }
    }
}

fn prepare(write: &mut Write<'_>) -> Result<(), Status> {
    child(&mut write.new, "status").entry("attached").or_insert(false.into());
    Ok(())
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let null = Value::Null;
    let spec = write.new.get("spec").unwrap_or(&null);
    let mut errors = validation::driver_name(text(spec, "attacher"), "spec.attacher");
    let source = get(spec, "source").unwrap_or(&null);
    errors.extend(validate_source(source, "spec.source"));
    let node = text(spec, "nodeName");
    errors.extend(invalid("spec.nodeName", node, names::subdomain(node)));
    errors.extend(validate_status(write.new.get("status").unwrap_or(&null)));
    if let Some(name) = get(source, SOURCE[0]).map(|name| name.as_str().unwrap_or_default()) {
        errors.extend(invalid("spec.source.persistentVolumeName", name, names::subdomain(name)));
    }
    if write.old().is_some_and(|old| !same(old.get("spec"), Some(spec))) {
        errors.push(FieldError::invalid_shown("spec", shown(spec, source), IMMUTABLE));
    }
    Ok(errors)
}

fn validate_source(source: &Value, field: &str) -> Vec<FieldError> {
    let one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
    match SOURCE.map(|name| get(source, name)) {
        [None, None] => vec![FieldError::required(field, one)],
        [Some(_), Some(_)] => vec![FieldError::forbidden(field, one)],
        [Some(name), None] if name.as_str().is_none_or(str::is_empty) => {
            vec![FieldError::required(format!("{field}.{}", SOURCE[0]), "must specify non empty persistentVolumeName")]
        }
        [Some(_), None] => Vec::new(),
        [None, Some(spec)] => volume::validate_spec(spec, &format!("{field}.{}", SOURCE[1]), Place::Inline),
    }
}

/// QUIRK: a message has 1024 bytes at most, and is told that it could have 262144.
fn validate_status(status: &Value) -> Vec<FieldError> {
    const METADATA: usize = 256 << 10;
    const MESSAGE: usize = 1024;
    let mut errors = Vec::new();
    if texts(status.get("attachmentMetadata")).map(|(key, value)| key.len() + value.len()).sum::<usize>() > METADATA {
        errors.push(FieldError::too_long("status.attachmentMetadata", METADATA));
    }
    for name in ["attachError", "detachError"] {
        let Some(error) = get(status, name) else { continue };
        if text(error, "message").len() > MESSAGE {
            errors.push(FieldError::too_long(format!("status.{name}.message"), METADATA));
        }
        let code = get(error, "errorCode").and_then(Value::as_i64);
        if let Some(code) = code.filter(|code| *code < 0) {
            errors.push(FieldError::invalid(format!("status.{name}.errorCode"), code, range(0, i32::MAX.into())));
        }
    }
    errors
}

/// As Go writes the struct, which has no names for JSON; an inline volume is shown as it is stored.
fn shown(spec: &Value, source: &Value) -> String {
    let member = |name| get(source, name).unwrap_or(&Value::Null).to_string();
    ordered([
        ("Attacher", Value::from(text(spec, "attacher")).to_string()),
        ("Source", ordered([("PersistentVolumeName", member(SOURCE[0])), ("InlineVolumeSpec", member(SOURCE[1]))])),
        ("NodeName", Value::from(text(spec, "nodeName")).to_string()),
    ])
}

#[cfg(test)]
mod tests;
