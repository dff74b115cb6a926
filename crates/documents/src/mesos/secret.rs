//! Secrets: by name, or spelled out.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::model::{Hidden, SecretValue};
use crate::read::At;

/// A secret; noted if it is neither a reference nor a value. What it says is never part of a message.
pub(super) fn read(at: &At<'_>) -> Option<SecretValue> {
    at.object()?;
    let kind = at.required("type")?.one_of(&[("REFERENCE", true), ("VALUE", false)], false)?;
    let other = if kind { "value" } else { "reference" };
    if let Some(other) = at.get(other) {
        other.wrong("belongs to the other type of secret; a secret has one of reference and value");
        return None;
    }
    if kind {
        let reference = at.required("reference")?;
        let name = reference.required("name")?;
        let text = name.text()?;
        if text.is_empty() {
            name.wrong("is empty; it is the name in the secret store");
            return None;
        }
        return Some(SecretValue::Reference { name: text, key: reference.text_of("key") });
    }
    let data = at.required("value")?.required("data")?;
    let text = data.text()?;
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    match STANDARD.decode(&text).or_else(|_| STANDARD_NO_PAD.decode(&text)) {
        Ok(bytes) => Some(SecretValue::Value(Hidden::new(bytes))),
        Err(_) => {
            data.wrong("has to be base64");
            None
        }
    }
}
