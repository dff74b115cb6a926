//! One openAPIV3Schema, read once: what `validate`, `defaults` and rules look at, instead of at JSON.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use super::rules::{self, Rule};

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// The schema does not say.
    #[default]
    Any,
    Object,
    Array,
    String,
    Integer,
    Number,
    Boolean,
    IntOrString,
}

/// How elements of a list are told apart (`x-kubernetes-list-type`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Elements {
    #[default]
    Atomic,
    Set,
    Map(Vec<String>),
}

/// Bounds of numbers, lengths and counts.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub exclusive_minimum: bool,
    pub exclusive_maximum: bool,
    pub multiple_of: Option<f64>,
    pub length: (Option<u64>, Option<u64>),
    pub items: (Option<u64>, Option<u64>),
    pub properties: (Option<u64>, Option<u64>),
}

/// A schema.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub kind: Kind,
    pub nullable: bool,
    pub preserve: bool,
    pub embedded: bool,
    /// The object itself: `apiVersion`, `kind` and `metadata` are there, whatever the schema says.
    pub root: bool,
    pub default: Option<Value>,
    pub bounds: Bounds,
    /// The text, and the expression if it is one.
    pub pattern: Option<(String, Option<Regex>)>,
    pub format: String,
    pub options: Vec<Value>,
    pub required: Vec<String>,
    pub properties: BTreeMap<String, Node>,
    pub additional: Option<Box<Node>>,
    pub items: Option<Box<Node>>,
    pub elements: Elements,
    pub unique: bool,
    pub atomic: bool,
    pub all_of: Vec<Node>,
    pub any_of: Vec<Node>,
    pub one_of: Vec<Node>,
    pub not: Option<Box<Node>>,
    pub rules: Vec<Rule>,
    /// There are rules here or below.
    pub ruled: bool,
}

impl Node {
    /// The schema of an object. Reads anything: what is no schema says nothing.
    pub(crate) fn root(schema: &Value) -> Self {
        let mut node = Self::read(schema, true);
        node.kind = Kind::Object;
        node
    }

    fn read(schema: &Value, root: bool) -> Self {
        let flag = |name: &str| schema.get(name).and_then(Value::as_bool).unwrap_or_default();
        let text = |name: &str| schema.get(name).and_then(Value::as_str).unwrap_or_default();
        let list = |name: &str| schema.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let one = |name: &str| schema.get(name).filter(|value| value.is_object()).map(|value| Box::new(Self::read(value, false)));
        let several = |name: &str| list(name).iter().map(|value| Self::read(value, false)).collect::<Vec<_>>();
        let texts = |name: &str| list(name).iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut node = Self {
            kind: kind(text("type"), flag("x-kubernetes-int-or-string")),
            nullable: flag("nullable"),
            preserve: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            root,
            default: schema.get("default").filter(|value| !value.is_null() || flag("nullable")).cloned(),
            bounds: Bounds::read(schema),
            pattern: schema.get("pattern").and_then(Value::as_str).map(|text| (text.to_owned(), expression(text))),
            format: text("format").to_owned(),
            options: list("enum").to_vec(),
            required: texts("required"),
            properties: properties.into_iter().flatten().map(|(name, value)| (name.clone(), Self::read(value, false))).collect(),
            additional: match schema.get("additionalProperties") {
                Some(Value::Bool(true)) => Some(Box::new(Self { preserve: true, ..Self::default() })),
                _ => one("additionalProperties"),
            },
            items: one("items"),
            elements: match text("x-kubernetes-list-type") {
                "set" => Elements::Set,
                "map" => Elements::Map(texts("x-kubernetes-list-map-keys")),
                _ => Elements::Atomic,
            },
            unique: flag("uniqueItems"),
            atomic: text("x-kubernetes-map-type") == "atomic",
            all_of: several("allOf"),
            any_of: several("anyOf"),
            one_of: several("oneOf"),
            not: one("not"),
            rules: Vec::new(),
            ruled: false,
        };
        // int-or-string is mostly said with an anyOf that says it once more.
        if node.kind == Kind::IntOrString {
            let kinds = |node: &Self| matches!(node.kind, Kind::Integer | Kind::String);
            if node.any_of.iter().all(kinds) {
                node.any_of.clear();
            }
            node.all_of.retain(|part| part.any_of.is_empty() || !part.any_of.iter().all(kinds));
        }
        if root {
            node.kind = Kind::Object;
        }
        node.rules = list("x-kubernetes-validations").iter().map(|rule| rules::compile(rule, &node)).collect();
        let children = node.properties.values().chain(node.additional.as_deref()).chain(node.items.as_deref());
        node.ruled = !node.rules.is_empty() || children.into_iter().any(|child| child.ruled);
        node
    }

    /// Whether its keys are data.
    pub(crate) fn is_map(&self) -> bool {
        self.kind == Kind::Object && self.properties.is_empty() && self.additional.is_some()
    }

    /// The schema of a field or of a map's value.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.properties.get(name).or(self.additional.as_deref())
    }

    /// The element of a former list that became this one, if elements are told apart by keys.
    pub(crate) fn former<'a>(&self, old: Option<&'a Value>, element: &Value) -> Option<&'a Value> {
        let Elements::Map(keys) = &self.elements else { return None };
        let same = |former: &&Value| keys.iter().all(|key| former.get(key) == element.get(key));
        old?.as_array()?.iter().find(same)
    }
}

impl Bounds {
    fn read(schema: &Value) -> Self {
        let number = |name: &str| schema.get(name).and_then(Value::as_f64);
        let count = |name: &str| schema.get(name).and_then(Value::as_u64);
        let flag = |name: &str| schema.get(name).and_then(Value::as_bool).unwrap_or_default();
        Self {
            minimum: number("minimum"),
            maximum: number("maximum"),
            exclusive_minimum: flag("exclusiveMinimum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            length: (count("minLength"), count("maxLength")),
            items: (count("minItems"), count("maxItems")),
            properties: (count("minProperties"), count("maxProperties")),
        }
    }
}

fn kind(name: &str, int_or_string: bool) -> Kind {
    match name {
        _ if int_or_string => Kind::IntOrString,
        "object" => Kind::Object,
        "array" => Kind::Array,
        "string" => Kind::String,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "boolean" => Kind::Boolean,
        _ => Kind::Any,
    }
}

/// Go's expressions are read as Rust's, which are the same but for corners.
pub(super) fn expression(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}
