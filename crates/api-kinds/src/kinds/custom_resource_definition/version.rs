//! The parts of a version beside its schema: deprecation, subresources, columns, selectable fields.

use apimachinery::FieldError;
use serde_json::Value;

use crate::custom::{is_known_format, leads_to_scalar};
use crate::kinds::validation::values::{get, list, text};

type Part = (&'static str, fn(&Value, &str) -> Vec<FieldError>);

/// Each with its field of a version. Takes the version, and where the field is.
pub(super) const PARTS: [Part; 3] =
    [("subresources", subresources), ("additionalPrinterColumns", columns), ("selectableFields", selectable)];

pub(super) fn deprecation(version: &Value, at: &str) -> Vec<FieldError> {
    let Some(warning) = version.get("deprecationWarning").and_then(Value::as_str) else { return Vec::new() };
    let mut errors = Vec::new();
    let mut wrong = |why: String| errors.push(FieldError::invalid(format!("{at}.deprecationWarning"), warning, why));
    if version.get("deprecated") != Some(&Value::Bool(true)) {
        wrong("can only be set for deprecated versions".to_owned());
    }
    if warning.is_empty() {
        wrong("must not be an empty string".to_owned());
    }
    if warning.len() > 256 {
        wrong("must be <= 256 characters long".to_owned());
    }
    if let Some((at, _)) = warning.char_indices().find(|(_, char)| char.is_control()) {
        wrong(format!("must only contain printable UTF-8 characters; non-printable character found at index {at}"));
    }
    errors
}

fn subresources(version: &Value, at: &str) -> Vec<FieldError> {
    let Some(scale) = version.pointer("/subresources/scale").filter(|scale| !scale.is_null()) else { return Vec::new() };
    let missing = ["specReplicasPath", "statusReplicasPath"].into_iter().filter(|field| text(scale, field).is_empty());
    missing.map(|field| FieldError::required(format!("{at}.scale.{field}"), "")).collect()
}

fn columns(version: &Value, at: &str) -> Vec<FieldError> {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 9] = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password", ""];
    let mut errors = Vec::new();
    for (index, column) in list(version.get("additionalPrinterColumns")).iter().enumerate() {
        let field = |name: &str| format!("{at}[{index}].{name}");
        let must = |all: &[&str]| format!("must be one of {}", all.join(","));
        if text(column, "name").is_empty() {
            errors.push(FieldError::required(field("name"), ""));
        }
        match text(column, "type") {
            "" => errors.push(FieldError::required(field("type"), must(&TYPES))),
            other if !TYPES.contains(&other) => errors.push(FieldError::invalid(field("type"), other, must(&TYPES))),
            _ => {}
        }
        let format = text(column, "format");
        if !FORMATS.contains(&format) {
            errors.push(FieldError::invalid(field("format"), format, must(&FORMATS[..8])));
        }
        match text(column, "jsonPath") {
            "" => errors.push(FieldError::required(field("JSONPath"), "")),
            path if !path.starts_with('.') => {
                errors.push(FieldError::invalid(field("JSONPath"), path, "must be a simple json path starting with ."));
            }
            _ => {}
        }
    }
    errors
}

fn selectable(version: &Value, at: &str) -> Vec<FieldError> {
    const MOST: usize = 8;
    let fields = list(version.get("selectableFields"));
    if fields.len() > MOST {
        return vec![FieldError::too_many(at, fields.len(), MOST)];
    }
    let mut errors = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for (index, selectable) in fields.iter().enumerate() {
        let (field, path) = (format!("{at}[{index}].jsonPath"), text(selectable, "jsonPath"));
        let wrong = |why: &str| FieldError::invalid(field.clone(), path, why);
        if path.is_empty() {
            errors.push(FieldError::required(field, ""));
        } else if !path.starts_with(['.', '[']) {
            let got = path.split(['.', '[']).next().unwrap_or_default();
            errors.push(wrong(&format!("is an invalid path: expected [ or . but got: {got}")));
        } else if path.contains('[') {
            errors.push(wrong("is an invalid path: array notation is not allowed"));
        } else {
            match leads_to_scalar(get(version, "schema").and_then(|schema| schema.get("openAPIV3Schema")), path) {
                Some(true) if seen.contains(&path) => errors.push(FieldError::duplicate(field, path)),
                Some(true) => seen.push(path),
                Some(false) => errors.push(wrong(
                    "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
                )),
                None => errors.push(wrong("is an invalid path: does not refer to a valid field")),
            }
        }
    }
    errors
}

/// A warning for each format that nobody knows, once.
pub(super) fn unknown_formats(versions: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    for version in versions {
        formats(version.pointer("/schema/openAPIV3Schema").unwrap_or(&Value::Null), &mut found);
    }
    found
}

fn formats(schema: &Value, found: &mut Vec<String>) {
    let format = text(schema, "format");
    let warning = format!("unrecognized format {format:?}");
    if !format.is_empty() && !is_known_format(format) && !found.contains(&warning) {
        found.push(warning);
    }
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(_, schema)| schema);
    for schema in properties.chain(get(schema, "items")).chain(get(schema, "additionalProperties")) {
        formats(schema, found);
    }
}
