//! Reading a schema as Go does: what has a wrong type is refused, what nobody knows is dropped and named.

use serde_json::{Map, Value};

/// Go's type of a field of a schema.
#[derive(Clone, Copy)]
enum Go {
    Text,
    Texts,
    Bool,
    Number,
    Whole,
    Anything,
    Anythings,
    Schema,
    SchemaOrBool,
    SchemaOrList,
    Schemas,
    Named,
    Rules,
    Docs,
}

fn go(field: &str) -> Option<Go> {
    Some(match field {
        "id" | "$schema" | "$ref" | "description" | "type" | "format" | "title" | "pattern" => Go::Text,
        "x-kubernetes-list-type" | "x-kubernetes-map-type" => Go::Text,
        "required" | "x-kubernetes-list-map-keys" => Go::Texts,
        "exclusiveMaximum" | "exclusiveMinimum" | "uniqueItems" | "nullable" => Go::Bool,
        "x-kubernetes-preserve-unknown-fields" | "x-kubernetes-embedded-resource" | "x-kubernetes-int-or-string" => Go::Bool,
        "maximum" | "minimum" | "multipleOf" => Go::Number,
        "maxLength" | "minLength" | "maxItems" | "minItems" | "maxProperties" | "minProperties" => Go::Whole,
        "default" | "example" => Go::Anything,
        "enum" => Go::Anythings,
        "not" => Go::Schema,
        "additionalProperties" | "additionalItems" => Go::SchemaOrBool,
        "items" => Go::SchemaOrList,
        "allOf" | "anyOf" | "oneOf" => Go::Schemas,
        "properties" | "patternProperties" | "definitions" | "dependencies" => Go::Named,
        "x-kubernetes-validations" => Go::Rules,
        "externalDocs" => Go::Docs,
        _ => return None,
    })
}

/// Takes out of a schema what is none of its fields, and answers with the paths of that.
///
/// # Errors
/// The first value of a wrong type, in Go's words.
pub(crate) fn read(schema: &mut Value, path: &str, fields: &str) -> Result<Vec<String>, String> {
    let mut unknown = Vec::new();
    object(schema, path, fields, &mut unknown)?;
    Ok(unknown)
}

fn object(schema: &mut Value, path: &str, fields: &str, unknown: &mut Vec<String>) -> Result<(), String> {
    let Value::Object(map) = schema else { return Err(mismatch(schema, fields, "v1.JSONSchemaProps")) };
    retain(map, path, unknown, |field| go(field).is_some());
    for (field, value) in map.iter_mut() {
        let Some(kind) = go(field) else { continue };
        let (path, fields) = (format!("{path}.{field}"), format!("{fields}.{field}"));
        match (kind, &mut *value) {
            (Go::Text, Value::String(_)) | (Go::Bool, Value::Bool(_)) | (Go::Number, Value::Number(_)) => {}
            (Go::Anything, _) | (Go::Anythings, Value::Array(_)) | (Go::SchemaOrBool, Value::Bool(_)) => {}
            (Go::Whole, Value::Number(number)) if number.is_i64() => {}
            (Go::Texts, Value::Array(items)) => {
                if let Some(item) = items.iter().find(|item| !item.is_string()) {
                    return Err(mismatch(item, &fields, "string"));
                }
            }
            (Go::Schema | Go::SchemaOrBool | Go::SchemaOrList, value @ Value::Object(_)) => {
                object(value, &path, &fields, unknown)?;
            }
            (Go::Schemas | Go::SchemaOrList, Value::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    object(item, &format!("{path}[{index}]"), &fields, unknown)?;
                }
            }
            (Go::Named, Value::Object(named)) => {
                for (name, value) in named.iter_mut().filter(|(_, value)| !value.is_array()) {
                    object(value, &format!("{path}.{name}"), &fields, unknown)?;
                }
            }
            (Go::Rules, Value::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    rule(item, &format!("{path}[{index}]"), &fields, unknown)?;
                }
            }
            (Go::Docs, Value::Object(docs)) => retain(docs, &path, unknown, |field| matches!(field, "description" | "url")),
            (_, Value::Null) => {}
            (kind, value) => return Err(mismatch(value, &fields, kind.name())),
        }
    }
    map.retain(|field, value| !value.is_null() || field == "default");
    Ok(())
}

fn rule(rule: &mut Value, path: &str, fields: &str, unknown: &mut Vec<String>) -> Result<(), String> {
    const TEXTS: [&str; 5] = ["rule", "message", "messageExpression", "reason", "fieldPath"];
    let Value::Object(map) = rule else { return Err(mismatch(rule, fields, "v1.ValidationRule")) };
    retain(map, path, unknown, |field| TEXTS.contains(&field) || field == "optionalOldSelf");
    for (field, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let (fits, wanted) = match field.as_str() {
            "optionalOldSelf" => (value.is_boolean(), "bool"),
            _ => (value.is_string(), "string"),
        };
        if !fits {
            return Err(mismatch(value, &format!("{fields}.{field}"), wanted));
        }
    }
    map.retain(|_, value| !value.is_null());
    Ok(())
}

fn retain(map: &mut Map<String, Value>, path: &str, unknown: &mut Vec<String>, known: impl Fn(&str) -> bool) {
    unknown.extend(map.keys().filter(|field| !known(field)).map(|field| format!("{path}.{field}")));
    map.retain(|field, _| known(field));
}

impl Go {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Texts => "[]string",
            Self::Bool => "bool",
            Self::Number => "float64",
            Self::Whole => "int64",
            Self::Anything => "v1.JSON",
            Self::Anythings => "[]v1.JSON",
            Self::Schema | Self::SchemaOrBool | Self::SchemaOrList => "v1.JSONSchemaProps",
            Self::Schemas => "[]v1.JSONSchemaProps",
            Self::Named => "map[string]v1.JSONSchemaProps",
            Self::Rules => "v1.ValidationRules",
            Self::Docs => "v1.ExternalDocumentation",
        }
    }
}

fn mismatch(value: &Value, fields: &str, wanted: &str) -> String {
    let got = apimachinery::json::type_name(value);
    format!("json: cannot unmarshal {got} into Go struct field JSONSchemaProps.{fields} of type {wanted}")
}
