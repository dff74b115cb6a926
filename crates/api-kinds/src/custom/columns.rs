//! `additionalPrinterColumns`: what `kubectl get` shows of custom resources.
//!
//! Upstream: apiextensions-apiserver pkg/registry/customresource/tableconvertor.

use apimachinery::object::name;
use jiff::Timestamp;
use serde_json::Value;

use super::path::Path;
use crate::table::{Column, age};

/// A column, and where its cells come from. `None`: nothing is found there.
#[derive(Debug)]
pub(super) struct Printer {
    column: Column,
    path: Option<Path>,
}

const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow \
                    a client to request the generation of an appropriate name automatically. Name is primarily intended for \
                    creation idempotence and configuration definition. Cannot be updated. More info: \
                    https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const CREATED: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not \
                       guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It \
                       is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More \
                       info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// The columns of a version, behind the name.
pub(super) fn read(version: &Value) -> Vec<Printer> {
    let text = |column: &Value, field: &str| column.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
    let columns = version.get("additionalPrinterColumns").and_then(Value::as_array).filter(|columns| !columns.is_empty());
    let Some(columns) = columns else {
        let column = Column::new("Age", "date", "", CREATED);
        return vec![Printer { column, path: Path::parse(".metadata.creationTimestamp") }];
    };
    let read = |column: &Value| {
        let path = text(column, "jsonPath");
        let mut description = text(column, "description");
        if description.is_empty() {
            description = format!("Custom resource definition column (in JSONPath format): {path}");
        }
        let priority = column.get("priority").and_then(Value::as_u64).unwrap_or_default();
        let column = Column {
            name: text(column, "name"),
            type_: text(column, "type"),
            format: text(column, "format"),
            description,
            priority: u8::try_from(priority).unwrap_or(u8::MAX),
        };
        Printer { column, path: Path::parse(&path) }
    };
    columns.iter().map(read).collect()
}

/// The name, and what the definition asks for.
pub(super) fn columns(printers: &[Printer]) -> Vec<Column> {
    let name = Column::new("Name", "string", "name", NAME);
    std::iter::once(name).chain(printers.iter().map(|printer| printer.column.clone())).collect()
}

/// The cells of one object.
pub(super) fn cells(printers: &[Printer], object: &Value, now: Timestamp) -> Vec<Value> {
    std::iter::once(Value::from(name(object))).chain(printers.iter().map(|printer| printer.cell(object, now))).collect()
}

impl Printer {
    fn cell(&self, object: &Value, now: Timestamp) -> Value {
        let found = self.path.as_ref().map(|path| path.find(object)).unwrap_or_default();
        let Some(first) = found.first().filter(|first| !first.is_null()) else { return Value::Null };
        match self.column.type_.as_str() {
            "string" => {
                let texts: Vec<String> = found.iter().map(|value| plain(value)).collect();
                texts.join(" ").into()
            }
            "integer" => match first.as_i64() {
                Some(whole) => whole.into(),
                None => first.as_f64().map_or(Value::Null, |float| (float as i64).into()),
            },
            "number" if first.is_number() => (*first).clone(),
            "boolean" if first.is_boolean() => (*first).clone(),
            "date" => match first.as_str() {
                Some(text) if text.parse::<Timestamp>().is_err() => "<invalid>".into(),
                Some(text) => age::since(text, now).into(),
                None => Value::Null,
            },
            _ => Value::Null,
        }
    }
}

/// A value in a column of texts.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
