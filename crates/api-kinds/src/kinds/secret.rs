//! Secrets. No message says what is in one.
//!
//! Upstream: `core/validation`, `ValidateSecret`, `ValidateSecretUpdate`; `core/v1/conversion.go` for `stringData`.

use apimachinery::object::{at, child, fields};
use apimachinery::{FieldError, Status};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::config_map::{MAX_SIZE, decoded, immutable, valid_key};
use super::rules::Rules;
use super::validation::IMMUTABLE;
use super::validation::values::{text, texts};
use crate::Write;

pub(super) const RULES: Rules = Rules { defaults, validate, ..Rules::NONE };

/// `stringData` is written into `data`, where it wins.
fn defaults(new: &mut Value) {
    if let Some(Value::Object(plain)) = fields(new).remove("stringData")
        && !plain.is_empty()
    {
        let data = child(new, "data");
        for (key, value) in plain {
            data.insert(key, BASE64_STANDARD.encode(value.as_str().unwrap_or_default()).into());
        }
    }
    let kind = fields(new).entry("type").or_insert(Value::Null);
    if kind.as_str().is_none_or(str::is_empty) {
        *kind = "Opaque".into();
    }
}

fn validate(write: &mut Write<'_>) -> Result<Vec<FieldError>, Status> {
    let new = &write.new;
    let mut errors = Vec::new();
    if let Some(old) = write.old() {
        if text(old, "type") != text(new, "type") {
            errors.push(FieldError::invalid("type", text(new, "type"), IMMUTABLE));
        }
        errors.extend(immutable(old, new, &["data"]));
    }
    let mut size = 0;
    for (key, value) in texts(new.get("data")) {
        errors.extend(valid_key("data", key));
        size += decoded(value).len();
    }
    if size > MAX_SIZE {
        errors.push(FieldError::too_long("data", MAX_SIZE));
    }
    errors.extend(content(new));
    Ok(errors)
}

/// What a secret of its type must contain.
fn content(new: &Value) -> Vec<FieldError> {
    let value = |key: &str| at(new, &["data", key]).and_then(Value::as_str);
    let required = |key: &str| FieldError::required(format!("data[{key}]"), "");
    let missing = |keys: &[&str]| keys.iter().filter(|key| value(key).is_none()).map(|key| required(key)).collect();
    match text(new, "type") {
        "kubernetes.io/service-account-token" => {
            let account = "kubernetes.io/service-account.name";
            let named =
                at(new, &["metadata", "annotations", account]).and_then(Value::as_str).is_some_and(|name| !name.is_empty());
            if named { Vec::new() } else { vec![FieldError::required(format!("metadata.annotations[{account}]"), "")] }
        }
        "kubernetes.io/dockercfg" => docker(".dockercfg", value(".dockercfg")),
        "kubernetes.io/dockerconfigjson" => docker(".dockerconfigjson", value(".dockerconfigjson")),
        // One of the two is enough.
        "kubernetes.io/basic-auth" if value("username").is_none() && value("password").is_none() => {
            missing(&["username", "password"])
        }
        "kubernetes.io/ssh-auth" if value("ssh-privatekey").is_none_or(str::is_empty) => vec![required("ssh-privatekey")],
        "kubernetes.io/tls" => missing(&["tls.crt", "tls.key"]),
        _ => Vec::new(),
    }
}

/// Registry credentials are a JSON object.
fn docker(key: &str, value: Option<&str>) -> Vec<FieldError> {
    let field = format!("data[{key}]");
    let Some(value) = value else { return vec![FieldError::required(field, "")] };
    let bytes = decoded(value);
    let why = match serde_json::from_slice::<Value>(&bytes) {
        Ok(Value::Object(_) | Value::Null) => return Vec::new(),
        Ok(Value::Bool(_)) => wrong("bool"),
        Ok(Value::Number(_)) => wrong("number"),
        Ok(Value::String(_)) => wrong("string"),
        Ok(Value::Array(_)) => wrong("array"),
        Err(_) => apimachinery::json::complaint(&bytes).unwrap_or_else(|| "unexpected end of JSON input".to_owned()),
    };
    vec![FieldError::invalid(field, "<secret contents redacted>", why)]
}

fn wrong(got: &str) -> String {
    format!("json: cannot unmarshal {got} into Go value of type map[string]interface {{}}")
}

#[cfg(test)]
mod tests;
