//! JSON put together from JSON that is stored, and shown in other shapes. Built-in kinds have `kind` first, as upstream sends them.

mod yaml;

use api_kinds::Resource;
use apimachinery::{Details, Status};
use bytes::{BufMut, Bytes, BytesMut};

use super::accept::Format;
use super::reply::Items;
use crate::{Listing, Object};

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `"kind":…,"apiVersion":…,`, in the order that the kind has them.
fn type_meta(resource: &Resource, kind: &str) -> String {
    let (kind, version) = (quoted(kind), quoted(&resource.api_version()));
    match resource.custom {
        None => format!("\"kind\":{kind},\"apiVersion\":{version},"),
        Some(_) => format!("\"apiVersion\":{version},\"kind\":{kind},"),
    }
}

/// An object's JSON with these fields in front.
pub(super) fn splice(into: &mut BytesMut, fields: &[u8], object: &[u8]) {
    into.put_u8(b'{');
    into.extend_from_slice(fields);
    into.extend_from_slice(object.get(1..).unwrap_or(b"}"));
}

/// One object, as it is sent.
pub(super) fn object(resource: &Resource, object: &Object) -> Bytes {
    let fields = type_meta(resource, &resource.kind);
    let object = object.shown(resource);
    let mut json = BytesMut::with_capacity(fields.len() + object.json().len() + 1);
    splice(&mut json, fields.as_bytes(), object.json());
    json.freeze()
}

/// `metadata` of a list.
pub(super) fn list_meta(listing: &Listing) -> String {
    let mut meta = format!("{{\"resourceVersion\":\"{}\"", listing.version);
    if let Some(token) = &listing.resume {
        meta.push_str(&format!(",\"continue\":{}", quoted(token)));
    }
    if let Some(remaining) = listing.remaining {
        meta.push_str(&format!(",\"remainingItemCount\":{remaining}"));
    }
    meta.push('}');
    meta
}

/// A list, as it is sent. Items of built-in kinds go without `kind` and `apiVersion`.
pub(super) fn list(resource: &Resource, listing: Listing) -> Items {
    let mut meta = list_meta(&listing);
    if resource.custom.is_some() && listing.resume.is_none() {
        // An untyped list writes down that it has no next page.
        meta.insert_str(1, "\"continue\":\"\",");
    }
    let (kind, version) = (quoted(&resource.list_kind), quoted(&resource.api_version()));
    let (head, each, tail) = match resource.custom {
        None => (
            format!("{{\"kind\":{kind},\"apiVersion\":{version},\"metadata\":{meta},\"items\":["),
            String::new(),
            "]}\n".to_owned(),
        ),
        Some(_) => (
            format!("{{\"apiVersion\":{version},\"items\":["),
            type_meta(resource, &resource.kind),
            format!("],\"kind\":{kind},\"metadata\":{meta}}}\n"),
        ),
    };
    let mut objects = listing.items;
    if resource.view().is_some() {
        objects = objects.iter().map(|object| object.shown(resource).into_owned()).collect();
    }
    Items { head: head.into(), each: each.into(), objects: objects.into_iter(), tail: tail.into(), started: false }
}

/// A failure.
pub(super) fn status(status: &Status) -> Bytes {
    let meta = status.resume.as_ref().map(|token| format!("\"continue\":{}", quoted(token))).unwrap_or_default();
    let mut json = format!(
        "{{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{{{meta}}},\"status\":\"Failure\",\"message\":{}",
        quoted(&status.message)
    );
    if let Some(reason) = status.reason {
        json.push_str(&format!(",\"reason\":{}", quoted(reason)));
    }
    if let Some(details) = &status.details {
        json.push_str(&format!(",\"details\":{}", details.to_value()));
    }
    json.push_str(&format!(",\"code\":{}}}", status.code));
    json.into()
}

/// `Status: Success`. A deletion's has details and no code, a creation's has a code.
pub(super) fn success(code: u16, details: &Details) -> Bytes {
    let mut json = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\"".to_owned();
    if *details != Details::default() {
        json.push_str(&format!(",\"details\":{}", details.to_value()));
    }
    if code == 201 {
        json.push_str(",\"code\":201");
    }
    json.push('}');
    json.into()
}

/// JSON in the format that was asked for.
pub(super) fn formatted(json: Bytes, format: Format) -> Bytes {
    match format {
        Format::Json if json.ends_with(b"\n") => json,
        Format::Json => {
            let mut line = BytesMut::from(json);
            line.put_u8(b'\n');
            line.freeze()
        }
        Format::Pretty => pretty(&json).into(),
        Format::Yaml => yaml::of(&json).into(),
    }
}

/// Compact JSON, indented by two spaces, as Go indents it.
fn pretty(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    let newline = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.resize(out.len() + depth * 2, b' ');
    };
    for (at, &byte) in json.iter().enumerate() {
        if in_text {
            out.push(byte);
            (in_text, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        let closes_at_once = matches!(json.get(at + 1), Some(b'}' | b']'));
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                depth += 1;
                if !closes_at_once {
                    newline(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !matches!(at.checked_sub(1).and_then(|at| json.get(at)), Some(b'{' | b'[')) {
                    newline(&mut out, depth);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                newline(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            b'\n' => {}
            _ => {
                in_text = byte == b'"';
                out.push(byte);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indented_json_is_the_same_json() {
        let json = br#"{"a":{},"b":[],"c":[1,{"d":"x\"{,:\\"}],"e":null}"#;
        let text = String::from_utf8(pretty(json)).expect("text");
        let expected = "{\n  \"a\": {},\n  \"b\": [],\n  \"c\": [\n    1,\n    {\n      \"d\": \"x\\\"{,:\\\\\"\n    }\n  ],\n  \"e\": null\n}";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_failure_starts_with_its_kind_and_leaves_out_what_it_has_not() {
        let text = status(&Status::internal("so"));
        assert_eq!(
            text,
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"so","code":500}"#.as_bytes()
        );
    }
}
