//! JSON as YAML that a YAML 1.1 reader understands as the same: `no`, `0777` and `12:30:45` are quoted where they are texts.

use std::fmt::Write;

use serde_json::Value;

/// The document, keys sorted.
pub(super) fn of(json: &[u8]) -> String {
    let mut out = String::new();
    match serde_json::from_slice(json).unwrap_or_default() {
        Value::Object(map) if !map.is_empty() => object(&mut out, &map, 0, false),
        Value::Array(items) if !items.is_empty() => list(&mut out, &items, 0),
        other => {
            scalar(&mut out, &other);
            out.push('\n');
        }
    }
    out
}

/// `inline`: the first key stands behind a list's dash.
fn object(out: &mut String, map: &serde_json::Map<String, Value>, depth: usize, mut inline: bool) {
    for (key, value) in map {
        if !std::mem::take(&mut inline) {
            indent(out, depth);
        }
        text(out, key);
        out.push(':');
        match value {
            Value::Object(map) if !map.is_empty() => {
                out.push('\n');
                object(out, map, depth + 1, false);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, depth);
            }
            other => {
                out.push(' ');
                scalar(out, other);
                out.push('\n');
            }
        }
    }
}

fn list(out: &mut String, items: &[Value], depth: usize) {
    for item in items {
        indent(out, depth);
        out.push('-');
        match item {
            Value::Object(map) if !map.is_empty() => {
                out.push(' ');
                object(out, map, depth + 1, true);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, depth + 1);
            }
            other => {
                out.push(' ');
                scalar(out, other);
                out.push('\n');
            }
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

fn scalar(out: &mut String, value: &Value) {
    match value {
        Value::String(value) => text(out, value),
        // Numbers, truth values, null, {} and [] are spelled alike.
        other => _ = write!(out, "{other}"),
    }
}

/// Plain only where no reader takes it for anything else; else in double quotes, whose escapes are JSON's.
fn text(out: &mut String, text: &str) {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { out.push_str(text) } else { out.push_str(&super::quoted(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_the_same() {
        let json = serde_json::json!({
            "kind": "X", "no": "yes", "a": [[1, "0777"], [], {"b": {"c": [{"d": null, "e": ""}]}}], "t": "12:30:45", "f:x": {},
            "m": "line\nline \"quoted\" # no comment", "n": -1.5, "on": true, "s": " x ", "~": "~", "k": "x: y"
        });
        let text = of(json.to_string().as_bytes());
        assert_eq!(serde_yaml::from_str::<Value>(&text).expect("YAML"), json, "{text}");
        assert!(text.contains("\"no\": \"yes\""), "{text}");
    }
}
