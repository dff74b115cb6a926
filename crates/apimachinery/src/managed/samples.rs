//! Small schemas for tests, shaped as the real ones are.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Schema;
use crate::schema::{Fields, GoType, ListKey, ListType, Presence, Shape, Strategy};

pub(crate) fn text() -> Schema {
    Schema::of(Shape::String)
}

pub(crate) fn integer() -> Schema {
    Schema::of(Shape::Integer)
}

pub(crate) fn object(fields: Vec<(&str, Schema)>) -> Schema {
    let known = fields.into_iter().map(|(name, schema)| (name.into(), Arc::new(schema))).collect();
    Schema::of(Shape::Object(Fields { known, ..Fields::default() }))
}

pub(crate) fn atomic(mut schema: Schema) -> Schema {
    if let Shape::Object(fields) = &mut schema.shape {
        fields.atomic = true;
    }
    schema
}

/// An object that keeps fields that nobody named.
pub(crate) fn open(mut schema: Schema) -> Schema {
    if let Shape::Object(fields) = &mut schema.shape {
        fields.preserve_unknown = true;
    }
    schema
}

pub(crate) fn map(values: Schema) -> Schema {
    Schema::of(Shape::Map { values: Arc::new(values), granular: true })
}

fn list(items: Schema, list: ListType) -> Schema {
    Schema::of(Shape::List { items: Arc::new(items), list })
}

pub(crate) fn atomic_list(items: Schema) -> Schema {
    list(items, ListType::Atomic)
}

pub(crate) fn set() -> Schema {
    merged(list(text(), ListType::Set), "")
}

pub(crate) fn keyed(items: Schema, keys: &[(&str, Option<Value>)]) -> Schema {
    let keys = keys.iter().map(|(name, default)| ListKey { name: (*name).into(), default: default.clone() }).collect();
    list(items, ListType::Map { keys })
}

/// A strategic merge patch merges this list by the key.
pub(crate) fn merged(schema: Schema, key: &str) -> Schema {
    Schema { strategy: Strategy { merge_key: Some(key.into()), retain_keys: false }, ..schema }
}

/// Go always writes this field, even when it is empty.
pub(crate) fn always(schema: Schema) -> Schema {
    Schema { go: Some(GoType { presence: Presence::Always, ..GoType::default() }), ..schema }
}

fn metadata() -> Schema {
    let owner = object(vec![
        ("apiVersion", text()),
        ("kind", text()),
        ("name", text()),
        ("uid", text()),
        ("controller", Schema::of(Shape::Boolean)),
    ]);
    object(vec![
        ("name", text()),
        ("generateName", text()),
        ("namespace", text()),
        ("uid", text()),
        ("resourceVersion", text()),
        ("generation", integer()),
        ("creationTimestamp", Schema::of(Shape::Time)),
        ("deletionTimestamp", Schema::of(Shape::Time)),
        ("labels", map(text())),
        ("annotations", map(text())),
        ("finalizers", set()),
        ("ownerReferences", merged(keyed(atomic(owner), &[("uid", None)]), "uid")),
        ("managedFields", atomic_list(Schema::of(Shape::Any))),
    ])
}

fn kind(mut fields: Vec<(&str, Schema)>) -> Schema {
    fields.extend([("apiVersion", text()), ("kind", text()), ("metadata", always(metadata()))]);
    object(fields)
}

pub(crate) fn config_map() -> Schema {
    let mut schema = kind(vec![("data", map(text())), ("binaryData", map(Schema::of(Shape::Bytes)))]);
    schema.go = Some(GoType { name: "v1.ConfigMap".into(), ..GoType::default() });
    schema
}

fn condition() -> Schema {
    object(vec![
        ("type", text()),
        ("status", text()),
        ("message", text()),
        (
            "lastProbeTime",
            Schema { go: Some(GoType { presence: Presence::Always, ..GoType::default() }), ..Schema::of(Shape::Time) },
        ),
    ])
}

fn conditions() -> Schema {
    merged(keyed(condition(), &[("type", None)]), "type")
}

pub(crate) fn claim() -> Schema {
    kind(vec![
        (
            "spec",
            always(object(vec![
                ("accessModes", atomic_list(text())),
                ("resources", always(object(vec![("requests", map(Schema::of(Shape::Quantity)))]))),
                ("selector", atomic(object(vec![("matchLabels", map(text()))]))),
                ("storageClassName", text()),
                ("volumeMode", text()),
                ("volumeName", text()),
            ])),
        ),
        (
            "status",
            always(object(vec![
                ("phase", text()),
                ("capacity", map(Schema::of(Shape::Quantity))),
                ("accessModes", atomic_list(text())),
                ("conditions", conditions()),
            ])),
        ),
    ])
}

pub(crate) fn pod() -> Schema {
    let port = object(vec![("containerPort", integer()), ("protocol", text()), ("name", text())]);
    let env = object(vec![("name", text()), ("value", text())]);
    let container = object(vec![
        ("name", text()),
        ("image", text()),
        ("args", atomic_list(text())),
        ("ports", merged(keyed(port, &[("containerPort", None), ("protocol", Some(json!("TCP")))]), "containerPort")),
        ("env", merged(keyed(env, &[("name", None)]), "name")),
        ("resources", always(object(vec![("requests", map(Schema::of(Shape::Quantity)))]))),
    ]);
    let toleration = object(vec![("key", text()), ("operator", text())]);
    kind(vec![
        (
            "spec",
            always(object(vec![
                ("containers", always(merged(keyed(container, &[("name", None)]), "name"))),
                ("tolerations", atomic_list(toleration)),
                ("nodeName", text()),
                ("nodeSelector", Schema::of(Shape::Map { values: Arc::new(text()), granular: false })),
            ])),
        ),
        ("status", always(object(vec![("phase", text()), ("conditions", conditions())]))),
    ])
}

/// A custom resource.
pub(crate) fn widget() -> Schema {
    let item = object(vec![("k", text()), ("v", text())]);
    kind(vec![
        (
            "spec",
            object(vec![
                ("size", integer()),
                ("list", atomic_list(text())),
                ("items", keyed(item, &[("k", None)])),
                ("tags", list(text(), ListType::Set)),
                ("open", open(object(vec![("known", text())]))),
            ]),
        ),
        ("status", object(vec![("ready", Schema::of(Shape::Boolean))])),
    ])
}
