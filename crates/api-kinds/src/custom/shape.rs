//! What decoding, patches and field ownership need of a schema.

use std::sync::Arc;

use apimachinery::Schema;
use apimachinery::schema::{Fields, ListKey, ListType, Shape};

use super::node::{Elements, Kind, Node};

/// The schema in the words of `apimachinery`.
pub(super) fn of(node: &Node) -> Schema {
    let mut schema = Schema::of(shape(node));
    schema.nullable = node.nullable;
    schema.default = node.default.clone();
    schema
}

fn shape(node: &Node) -> Shape {
    match node.kind {
        Kind::Any if node.embedded || !node.properties.is_empty() => object(node),
        Kind::Any => Shape::Any,
        Kind::Object => object(node),
        Kind::Array => match &node.items {
            Some(items) => Shape::List { items: Arc::new(of(items)), list: list(node, items) },
            None => Shape::Any,
        },
        Kind::String => Shape::String,
        Kind::Integer => Shape::Integer,
        Kind::Number => Shape::Number,
        Kind::Boolean => Shape::Boolean,
        Kind::IntOrString => Shape::IntOrString,
    }
}

fn object(node: &Node) -> Shape {
    if let Some(values) = node.additional.as_deref().filter(|_| node.is_map() && !node.root) {
        return Shape::Map { values: Arc::new(of(values)), granular: !node.atomic };
    }
    let mut fields = Fields {
        known: node.properties.iter().map(|(name, field)| (name.as_str().into(), Arc::new(of(field)))).collect(),
        required: node.required.iter().map(|name| name.as_str().into()).collect(),
        preserve_unknown: node.preserve,
        atomic: node.atomic,
    };
    if node.root || node.embedded {
        let text = Arc::new(Schema::of(Shape::String));
        for name in ["apiVersion", "kind"] {
            fields.known.insert(name.into(), text.clone());
        }
        // Every kind's metadata is the same.
        if let Some(metadata) = crate::schema("ConfigMap").as_ref().and_then(|known| known.field("metadata")) {
            fields.known.insert("metadata".into(), metadata.clone());
        }
    }
    Shape::Object(fields)
}

fn list(node: &Node, items: &Node) -> ListType {
    match &node.elements {
        Elements::Atomic => ListType::Atomic,
        Elements::Set => ListType::Set,
        Elements::Map(names) => {
            let default = |name: &String| items.properties.get(name).and_then(|key| key.default.clone());
            let keys = names.iter().map(|name| ListKey { name: name.as_str().into(), default: default(name) });
            ListType::Map { keys: keys.collect() }
        }
    }
}
