//! Functions that write values as text, and read them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

use super::super::place::Mistake;
use super::super::value::Value;
use super::Args;

pub(super) fn call(args: &Args<'_>) -> Option<Result<Value, Mistake>> {
    let result = match args.name {
        "jsonencode" => args.node(0).map(|node| Value::String(node.value.to_json().to_string())),
        "jsondecode" => args.text(0).and_then(|text| {
            let json: serde_json::Value =
                serde_json::from_str(&text).map_err(|error| args.mistake(format!("not JSON: {error}")))?;
            Ok(Value::from_json(&json, args.at))
        }),
        "yamlencode" => args.node(0).and_then(|node| {
            let text = serde_yaml::to_string(&node.value.to_json()).map_err(|error| args.mistake(error.to_string()))?;
            Ok(Value::String(text))
        }),
        "base64encode" => args.text(0).map(|text| Value::String(STANDARD.encode(text))),
        "base64decode" => args.text(0).and_then(|text| {
            let bytes = STANDARD.decode(text.trim()).map_err(|_| args.mistake("not base64"))?;
            String::from_utf8(bytes).map(Value::String).map_err(|_| args.mistake("what it decodes to is no text"))
        }),
        "urlencode" => args.text(0).map(|text| Value::String(percent(&text))),
        "sha256" => args.text(0).map(|text| Value::String(hex(&Sha256::digest(text)))),
        "sha512" => args.text(0).map(|text| Value::String(hex(&Sha512::digest(text)))),
        _ => return None,
    };
    Some(args.count(1, 1).and(result))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As a query's part: letters, digits and `-_.~` as they are, a space as `+`.
fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}
