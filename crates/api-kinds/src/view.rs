//! Objects that two groups show, each with names of its own for the fields. They are stored once, in the shape of one of them.

use apimachinery::object::fields;
use serde_json::Value;

/// How a resource's objects differ from the stored ones: by the names of their fields, and so by nothing that could be lost on
/// the way.
#[derive(Debug, PartialEq, Eq)]
pub struct View {
    /// The group that they are stored as.
    pub group: &'static str,
    /// The version that they are stored as.
    pub version: &'static str,
    /// The schema of what is stored, see [`crate::schema`].
    pub stored: &'static str,
    /// The schema of what is shown.
    pub shown: &'static str,
    /// The fields that have another name: how they are stored, and how they are shown.
    pub names: &'static [(&'static str, &'static str)],
}

impl View {
    /// What is shown of a stored object.
    pub fn show(&self, stored: Value) -> Value {
        reshape(stored, self.names.iter().copied(), self.shown)
    }

    /// What is stored of an object.
    pub fn store(&self, shown: Value) -> Value {
        reshape(shown, self.names.iter().map(|&(stored, shown)| (shown, stored)), self.stored)
    }
}

/// Renames the fields, then has the schema say what becomes of those that are empty.
fn reshape(mut object: Value, names: impl Iterator<Item = (&'static str, &'static str)>, schema: &str) -> Value {
    let members = fields(&mut object);
    for (from, to) in names {
        if let Some(value) = members.remove(from) {
            members.insert(to.to_owned(), value);
        }
    }
    if let Some(schema) = crate::schema(schema) {
        // It was decoded with the same types under other names, so it fits.
        let _fits = schema.decode(&mut object, "");
    }
    object
}
