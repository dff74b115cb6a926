//! What a schema is refused for when its definition is written.
//!
//! Upstream: apiextensions-apiserver pkg/apis/apiextensions/validation, pkg/apiserver/schema.

mod read;

use std::collections::BTreeSet;

use apimachinery::FieldError;
use serde_json::{Map, Value};

use super::node::{self, Kind, Node};
use super::rules::{self, Rule};
use super::{check, shape};

pub(crate) use read::read;

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Everything that is wrong with the schema of an object. `at`: where it is.
pub(crate) fn wrong(schema: &Value, at: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match text(schema, "type") {
        "" => errors.push(FieldError::required(format!("{at}.type"), "must not be empty at the root")),
        "object" => {}
        other => errors.push(FieldError::invalid(format!("{at}.type"), other, "must be object at the root")),
    }
    if schema.get("additionalProperties").is_some_and(|value| !value.is_null()) {
        errors.push(FieldError::forbidden(format!("{at}.additionalProperties"), "must not be used at the root"));
    }
    let mut walk = Walk { errors };
    let node = Node::root(schema);
    walk.schema(schema, &node, at, Place { root: true, ..Place::default() });
    walk.errors
}

fn text<'a>(schema: &'a Value, field: &str) -> &'a str {
    schema.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn flag(schema: &Value, field: &str) -> bool {
    schema.get(field).and_then(Value::as_bool).unwrap_or_default()
}

fn set(schema: &Value, field: &str) -> bool {
    schema.get(field).is_some_and(|value| !value.is_null())
}

fn map<'a>(schema: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    schema.get(field).and_then(Value::as_object).into_iter().flatten()
}

fn list<'a>(schema: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema.get(field).and_then(Value::as_array).into_iter().flatten()
}

/// Where in the schema we are.
#[derive(Clone, Default)]
struct Place {
    root: bool,
    /// In `metadata` of the object.
    metadata: bool,
    /// The list whose elements cannot be told apart, if we are in one.
    uncorrelated: Option<String>,
}

struct Walk {
    errors: Vec<FieldError>,
}

impl Walk {
    fn required(&mut self, at: String, why: &str) {
        self.errors.push(FieldError::required(at, why));
    }

    fn forbid(&mut self, at: String, why: &str) {
        self.errors.push(FieldError::forbidden(at, why));
    }

    fn invalid(&mut self, at: String, value: impl Into<Value>, why: &str) {
        self.errors.push(FieldError::invalid(at, value, why));
    }

    fn schema(&mut self, schema: &Value, node: &Node, at: &str, place: Place) {
        self.unsupported(schema, at);
        self.extensions(schema, node, at);
        if place.root {
            self.root(schema, at);
        }
        self.default(schema, node, at, &place);
        for (index, rule) in node.rules.iter().enumerate() {
            let at = format!("{at}.x-kubernetes-validations[{index}]");
            let raw = list(schema, "x-kubernetes-validations").nth(index).unwrap_or(&Value::Null);
            self.rule(raw, rule, node, &at, place.uncorrelated.as_deref());
        }
        for (name, schema) in map(schema, "properties") {
            let at = format!("{at}.properties[{name}]");
            let Some(node) = node.properties.get(name) else { continue };
            self.typed(schema, &at, "must not be empty for specified object fields");
            let metadata = place.metadata || (place.root && name == "metadata");
            self.schema(schema, node, &at, Place { root: false, metadata, ..place.clone() });
        }
        if let (Some(schema), Some(node)) = (schema.get("additionalProperties"), &node.additional)
            && schema.is_object()
        {
            let at = format!("{at}.additionalProperties");
            self.typed(schema, &at, "must not be empty for specified object fields");
            self.schema(schema, node, &at, Place { root: false, ..place.clone() });
        }
        if let (Some(schema), Some(node_of_items)) = (schema.get("items"), &node.items) {
            let list = at;
            let at = format!("{at}.items");
            self.typed(schema, &at, "must not be empty for specified array items");
            let correlated = matches!(node.elements, node::Elements::Map(_));
            let uncorrelated = place.uncorrelated.clone().or_else(|| (!correlated).then(|| list.to_owned()));
            self.schema(schema, node_of_items, &at, Place { root: false, uncorrelated, ..place.clone() });
        }
        for (part, at) in parts(schema, at) {
            self.part(part, &at);
        }
    }

    /// What JSON schema has and the API server does not.
    fn unsupported(&mut self, schema: &Value, at: &str) {
        for field in ["definitions", "dependencies"] {
            if map(schema, field).next().is_some() {
                self.forbid(format!("{at}.{field}"), &format!("{field} is not supported"));
            }
        }
        if !text(schema, "id").is_empty() {
            self.forbid(format!("{at}.id"), "id is not supported");
        }
        if set(schema, "additionalItems") {
            self.forbid(format!("{at}.additionalItems"), "additionalItems is not supported");
        }
        if map(schema, "patternProperties").next().is_some() {
            self.forbid(format!("{at}.patternProperties"), "patternProperties is not supported");
        }
        if !text(schema, "$ref").is_empty() {
            self.forbid(format!("{at}.$ref"), "$ref is not supported");
        }
        if flag(schema, "uniqueItems") {
            let why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
            self.forbid(format!("{at}.uniqueItems"), why);
        }
        if set(schema, "additionalProperties")
            && schema.get("additionalProperties") != Some(&Value::Bool(false))
            && map(schema, "properties").next().is_some()
        {
            let why = "additionalProperties and properties are mutual exclusive";
            self.forbid(format!("{at}.additionalProperties"), why);
        }
        match text(schema, "type") {
            "" => {}
            kind if TYPES.contains(&kind) => {}
            kind => {
                self.errors.push(FieldError::not_supported(format!("{at}.type"), kind, &TYPES));
                if kind == "null" {
                    self.forbid(format!("{at}.type"), "type cannot be set to null, use nullable as an alternative");
                }
            }
        }
        if text(schema, "type") == "array" {
            match schema.get("items") {
                None | Some(Value::Null) => self.required(format!("{at}.items"), "must be specified"),
                Some(Value::Array(_)) => {
                    self.forbid(format!("{at}.items"), "items must be a schema object and not an array");
                }
                Some(_) => {}
            }
        }
        let pattern = text(schema, "pattern");
        if let Err(error) = regex::Regex::new(pattern) {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let why = format!("must be a valid regular expression, but isn't: error parsing regexp: {why}: `{pattern}`");
            self.invalid(format!("{at}.pattern"), pattern, &why);
        }
    }

    /// The `x-kubernetes-` fields.
    fn extensions(&mut self, schema: &Value, node: &Node, at: &str) {
        const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
        if schema.get(PRESERVE) == Some(&Value::Bool(false)) {
            self.invalid(format!("{at}.{PRESERVE}"), false, "must be true or undefined");
        }
        if node.embedded {
            if !node.preserve && node.properties.is_empty() {
                let why =
                    "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
                self.required(format!("{at}.properties"), why);
            }
            if node.kind != Kind::Object {
                let why = "must be object if x-kubernetes-embedded-resource is true";
                self.invalid(format!("{at}.type"), text(schema, "type"), why);
            }
        }
        let elements = text(schema, "x-kubernetes-list-type");
        let keys: Vec<&str> = list(schema, "x-kubernetes-list-map-keys").filter_map(Value::as_str).collect();
        if !elements.is_empty() {
            self.list_type(schema, elements, at);
        }
        if !keys.is_empty() && elements != "map" {
            let at = format!("{at}.x-kubernetes-list-type");
            match elements {
                "" => self.required(at, "must be map if x-kubernetes-list-map-keys is non-empty"),
                other => self.invalid(at, other, "must be map if x-kubernetes-list-map-keys is non-empty"),
            }
        }
        if elements == "map" {
            self.list_map(schema, node, &keys, at);
        }
        let granularity = text(schema, "x-kubernetes-map-type");
        if !granularity.is_empty() {
            if node.kind != Kind::Object {
                let why = "must be object if x-kubernetes-map-type is specified";
                self.invalid(format!("{at}.type"), text(schema, "type"), why);
            }
            let known = ["atomic", "granular"];
            if !known.contains(&granularity) {
                self.errors.push(FieldError::not_supported(format!("{at}.x-kubernetes-map-type"), granularity, &known));
            }
        }
    }

    fn list_type(&mut self, schema: &Value, elements: &str, at: &str) {
        if text(schema, "type") != "array" {
            let why = "must be array if x-kubernetes-list-type is specified";
            match text(schema, "type") {
                "" => self.required(format!("{at}.type"), why),
                other => self.invalid(format!("{at}.type"), other, why),
            }
        }
        let known = ["atomic", "set", "map"];
        if !known.contains(&elements) {
            self.errors.push(FieldError::not_supported(format!("{at}.x-kubernetes-list-type"), elements, &known));
        }
        let Some(items) = schema.get("items") else { return };
        if elements != "atomic" && flag(items, "nullable") {
            self.forbid(format!("{at}.items.nullable"), &format!("cannot be nullable when x-kubernetes-list-type is {elements}"));
        }
        if elements != "set" {
            return;
        }
        let why = "as item of a list with x-kubernetes-list-type=set";
        match text(items, "type") {
            "object" if text(items, "x-kubernetes-map-type") != "atomic" => {
                let value = items.get("x-kubernetes-map-type").cloned().unwrap_or_default();
                self.invalid(format!("{at}.items.x-kubernetes-map-type"), value, &format!("must be atomic {why}"));
            }
            "array" if !matches!(text(items, "x-kubernetes-list-type"), "" | "atomic") => {
                let value = items.get("x-kubernetes-list-type").cloned().unwrap_or_default();
                self.invalid(format!("{at}.items.x-kubernetes-list-type"), value, &format!("must be atomic {why}"));
            }
            _ => {}
        }
    }

    fn list_map(&mut self, schema: &Value, node: &Node, keys: &[&str], at: &str) {
        let field = format!("{at}.x-kubernetes-list-map-keys");
        if keys.is_empty() {
            self.required(field, "must not be empty if x-kubernetes-list-type is map");
            return;
        }
        let Some(items) = node.items.as_deref() else { return };
        if items.kind != Kind::Object {
            let kind = schema.get("items").map(|items| text(items, "type")).unwrap_or_default();
            let why = "must be object if parent array's x-kubernetes-list-type is map";
            self.invalid(format!("{at}.items.type"), kind, why);
            return;
        }
        if keys.iter().collect::<BTreeSet<_>>().len() < keys.len() {
            self.invalid(field.clone(), keys.to_vec(), "must not contain duplicate entries");
        }
        if keys.iter().any(|key| !items.properties.contains_key(*key)) {
            self.invalid(field, keys.to_vec(), "entries must all be names of item properties");
        }
        let mut seen = BTreeSet::new();
        for key in keys.iter().filter(|key| seen.insert(**key)) {
            let Some(property) = items.properties.get(*key) else { continue };
            let at = format!("{at}.items.properties[{key}]");
            if matches!(property.kind, Kind::Object | Kind::Array) {
                let kind = if property.kind == Kind::Object { "object" } else { "array" };
                self.invalid(format!("{at}.type"), kind, "must be a scalar type if parent array's x-kubernetes-list-type is map");
            }
            if property.default.is_none() && !items.required.iter().any(|name| name == key) {
                let why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
                self.required(format!("{at}.default"), why);
            }
            if property.nullable {
                let why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
                self.forbid(format!("{at}.nullable"), why);
            }
        }
    }

    /// What the schema may say of what every object has.
    fn root(&mut self, schema: &Value, at: &str) {
        for (name, schema) in map(schema, "properties") {
            let at = format!("{at}.properties[{name}]");
            match name.as_str() {
                "apiVersion" | "kind" if text(schema, "type") != "string" => {
                    self.invalid(format!("{at}.type"), text(schema, "type"), "must be string");
                }
                "metadata" if text(schema, "type") != "object" => {
                    self.invalid(format!("{at}.type"), text(schema, "type"), "must be object");
                }
                "metadata" => {
                    let names = ["name", "generateName"];
                    let own = |schema: &Map<String, Value>| {
                        schema.keys().any(|key| !matches!(key.as_str(), "type" | "description" | "properties"))
                    };
                    let other = map(schema, "properties").any(|(name, _)| !names.contains(&name.as_str()));
                    if other || schema.as_object().is_some_and(own) {
                        let why =
                            "must not specify anything other than name and generateName, but metadata is implicitly specified";
                        self.forbid(at, why);
                    }
                }
                _ => {}
            }
        }
    }

    /// A field, element or value of a map must say what it is.
    fn typed(&mut self, schema: &Value, at: &str, why: &str) {
        let exempt = flag(schema, "x-kubernetes-int-or-string") || flag(schema, "x-kubernetes-preserve-unknown-fields");
        if text(schema, "type").is_empty() && !exempt {
            self.required(format!("{at}.type"), why);
        }
    }

    /// Schemas in allOf, anyOf, oneOf and not constrain values, and say nothing else.
    fn part(&mut self, schema: &Value, at: &str) {
        if !text(schema, "description").is_empty() {
            self.forbid(format!("{at}.description"), "must be empty to be structural");
        }
        if !text(schema, "type").is_empty() {
            self.forbid(format!("{at}.type"), "must be empty to be structural");
        }
        if flag(schema, "nullable") {
            self.forbid(format!("{at}.nullable"), "must be false to be structural");
        }
        for (part, at) in parts(schema, at) {
            self.part(part, &at);
        }
        for (name, schema) in map(schema, "properties") {
            self.part(schema, &format!("{at}.properties[{name}]"));
        }
        if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
            self.part(items, &format!("{at}.items"));
        }
        for field in ["additionalProperties", "default"] {
            if set(schema, field) {
                self.forbid(format!("{at}.{field}"), "must be undefined to be structural");
            }
        }
        let flags = ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"];
        for field in flags.into_iter().filter(|field| flag(schema, field)) {
            self.forbid(format!("{at}.{field}"), "must be false to be structural");
        }
        if !text(schema, "title").is_empty() {
            self.forbid(format!("{at}.title"), "must be empty to be structural");
        }
        for field in ["x-kubernetes-list-type", "x-kubernetes-map-type"] {
            if set(schema, field) {
                self.forbid(format!("{at}.{field}"), "must be undefined to be structural");
            }
        }
        for field in ["x-kubernetes-list-map-keys", "x-kubernetes-validations"] {
            if list(schema, field).next().is_some() {
                self.forbid(format!("{at}.{field}"), "must be empty to be structural");
            }
        }
        let pattern = text(schema, "pattern");
        if node::expression(pattern).is_none() {
            let why = format!("must be a valid regular expression, but isn't: error parsing regexp: `{pattern}`");
            self.invalid(format!("{at}.pattern"), pattern, &why);
        }
    }

    fn default(&mut self, schema: &Value, node: &Node, at: &str, place: &Place) {
        let Some(default) = schema.get("default").filter(|default| !default.is_null()) else { return };
        let at = format!("{at}.default");
        if place.metadata {
            self.forbid(at, "must not be set in top-level metadata");
            return;
        }
        if place.root {
            for field in ["apiVersion", "kind"].into_iter().filter(|field| default.get(*field).is_none()) {
                self.required(format!("{at}.{field}"), "");
            }
            return;
        }
        let mut pruned = default.clone();
        let unknown = shape::of(node).decode(&mut pruned, "");
        if unknown.is_ok_and(|unknown| !unknown.is_empty()) {
            self.invalid(at, default.clone(), "must not have unknown fields");
            return;
        }
        let wrong = check::check(node, default, None, &at);
        if wrong.is_empty() {
            self.errors.extend(rules::run(node, default, None, false, &at));
        } else {
            self.errors.extend(wrong);
        }
    }

    fn rule(&mut self, raw: &Value, rule: &Rule, node: &Node, at: &str, uncorrelated: Option<&str>) {
        let (source, message) = (text(raw, "rule"), text(raw, "message"));
        if source.trim().is_empty() {
            self.required(format!("{at}.rule"), "rule is not specified");
            return;
        }
        let reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
        let reason = text(raw, "reason");
        if !reason.is_empty() && !reasons.contains(&reason) {
            self.errors.push(FieldError::not_supported(format!("{at}.reason"), reason, &reasons));
        }
        if !message.is_empty() && message.trim().is_empty() {
            self.invalid(format!("{at}.message"), message, "must be non-empty if specified");
        } else if message.trim().contains('\n') {
            self.invalid(format!("{at}.message"), message, "must not contain line breaks");
        } else if source.trim().contains('\n') && message.is_empty() {
            self.required(format!("{at}.message"), "message must be specified if rule contains line breaks");
        }
        let field = text(raw, "fieldPath");
        if !field.is_empty() && rules::leads(node, field).is_none() {
            self.invalid(format!("{at}.fieldPath"), field, "must be a valid path");
        }
        if let Some((field, why)) = &rule.broken {
            self.errors.push(FieldError::invalid_shown(format!("{at}.{field}"), shown(raw), why));
            return;
        }
        let transition = rules::is_transition(rule);
        if set(raw, "optionalOldSelf") && !transition {
            let value = raw.get("optionalOldSelf").cloned().unwrap_or_default();
            self.invalid(format!("{at}.optionalOldSelf"), value, "may not be set if oldSelf is not used in rule");
        }
        if let Some(list) = uncorrelated.filter(|_| transition) {
            let why = format!("oldSelf cannot be used on the uncorrelatable portion of the schema within {list}");
            self.invalid(format!("{at}.rule"), source, &why);
        }
    }
}

/// A rule as Go shows it.
fn shown(rule: &Value) -> String {
    let texts = [("Rule", "rule"), ("Message", "message"), ("MessageExpression", "messageExpression")];
    let escape = |value: String| value.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    let quoted = |field: &str| escape(Value::from(text(rule, field)).to_string());
    let mut members: Vec<String> = texts.iter().map(|(name, field)| format!("\"{name}\":{}", quoted(field))).collect();
    let or_null = |field: &str| rule.get(field).unwrap_or(&Value::Null).to_string();
    members.push(format!("\"Reason\":{}", or_null("reason")));
    members.push(format!("\"FieldPath\":{}", quoted("fieldPath")));
    members.push(format!("\"OptionalOldSelf\":{}", or_null("optionalOldSelf")));
    format!("{{{}}}", members.join(","))
}

/// The schemas in allOf, anyOf, oneOf and not, and where they are.
fn parts<'a>(schema: &'a Value, at: &str) -> Vec<(&'a Value, String)> {
    let mut parts = Vec::new();
    // What int-or-string says twice may say it here.
    let exempt = flag(schema, "x-kubernetes-int-or-string");
    for field in ["allOf", "anyOf", "oneOf"] {
        for (index, part) in list(schema, field).enumerate() {
            let redundant = exempt && field == "anyOf" && both_types(schema);
            let nested = exempt && field == "allOf" && index == 0 && both_types(part);
            if !redundant && !nested {
                parts.push((part, format!("{at}.{field}[{index}]")));
            }
        }
    }
    if let Some(part) = schema.get("not").filter(|part| part.is_object()) {
        parts.push((part, format!("{at}.not")));
    }
    parts
}

/// `anyOf: [{type: integer}, {type: string}]`, in this order.
fn both_types(schema: &Value) -> bool {
    list(schema, "anyOf").map(|part| text(part, "type")).eq(["integer", "string"])
}
