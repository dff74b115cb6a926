//! The columns that `kubectl get` shows.

use apimachinery::object::{meta, name};
use jiff::Timestamp;
use serde_json::Value;

use crate::Resource;

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// `string`, `integer`, `boolean`, `date`, …
    pub type_: String,
    /// `name` for the object's name; usually empty.
    pub format: String,
    /// What it means.
    pub description: String,
    /// 0: always shown; 1: only by `-o wide`.
    pub priority: u8,
}

impl Column {
    /// A column that is always shown.
    pub fn new(name: &str, type_: &str, format: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            type_: type_.to_owned(),
            format: format.to_owned(),
            description: description.to_owned(),
            priority: 0,
        }
    }
}

/// The columns of a kind.
pub fn columns(_resource: &Resource) -> Vec<Column> {
    vec![Column::new("Name", "string", "name", "The object's name."), Column::new("Created At", "date", "", "When it was created.")]
}

/// The cells of one object, one for each of [`columns`].
pub fn row(_resource: &Resource, object: &Value, _now: Timestamp) -> Vec<Value> {
    vec![name(object).into(), meta(object, "creationTimestamp").into()]
}
